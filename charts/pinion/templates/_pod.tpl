{{/* What pods of both components have in common. */}}

{{/* (list $ "gateway" $values $config): a pod's metadata. Another configuration makes other pods. */}}
{{- define "pinion.pod.metadata" -}}
{{- $values := index . 2 -}}
annotations:
  checksum/config: {{ index . 3 | sha256sum }}
  {{- with $values.pod.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
labels:
  {{- include "pinion.labels" (list (index . 0) (index . 1)) | nindent 2 }}
  {{- with $values.pod.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* (list $ "gateway" $values): the pod's own fields, but for containers and volumes. */}}
{{- define "pinion.pod.spec" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $pod := (index . 2).pod -}}
serviceAccountName: {{ include "pinion.serviceAccountName" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ default 1 .maxSkew | int }}
    whenUnsatisfiable: {{ default "ScheduleAnyway" .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "pinion.selector" (list $root $component) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* (list $ "gateway" $values): the container's fields, but for command, ports, probes and mounts. */}}
{{- define "pinion.container" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
name: {{ index . 1 }}
image: {{ include "pinion.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
{{- with $root.Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.pod.env }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- with $values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The folders of a component below /etc/pinion besides its configuration, as {name: {path, secret | configMap, only}}, in JSON. `only`: the
one key that is taken. */}}
{{- define "pinion.gateway.folders" -}}
{{- $folders := dict -}}
{{- range $name, $listener := .Values.gateway.listeners -}}
{{- include "pinion.folders.tls" (list $ $folders $name $listener.tls) -}}
{{- end -}}
{{- if include "pinion.registryTls" . -}}
{{- with .Values.gateway.registry -}}
{{- include "pinion.folders.add" (list $folders "registry-ca" "registry/ca" .ca "ca.crt") -}}
{{- include "pinion.folders.add" (list $folders "registry-tls" "registry/tls" (include "pinion.tlsSecret" (list $ "gateway-client" .certificate)) "") -}}
{{- include "pinion.folders.add" (list $folders "registry-token" "registry/token" .token "token") -}}
{{- end -}}
{{- end -}}
{{- include "pinion.folders.files" (list $folders .Values.gateway.files) -}}
{{ toJson $folders }}
{{- end }}

{{- define "pinion.registry.folders" -}}
{{- $folders := dict -}}
{{- include "pinion.folders.tls" (list . $folders "registry" .Values.registry.tls) -}}
{{- if eq .Values.registry.store "etcd" -}}
{{- with .Values.registry.etcd -}}
{{- if .tls -}}
{{- include "pinion.folders.add" (list $folders "etcd-ca" "etcd/ca" .ca "ca.crt") -}}
{{- include "pinion.folders.add" (list $folders "etcd-tls" "etcd/tls" .certificate "") -}}
{{- end -}}
{{- include "pinion.folders.add" (list $folders "etcd-password" "etcd/password" .password "password") -}}
{{- end -}}
{{- end -}}
{{- include "pinion.folders.files" (list $folders .Values.registry.files) -}}
{{ toJson $folders }}
{{- end }}

{{/* (list $folders $name $path $secret $only): one more, where there is a Secret. */}}
{{- define "pinion.folders.add" -}}
{{- if index . 3 -}}
{{- $_ := set (index . 0) (index . 1) (dict "path" (index . 2) "secret" (index . 3) "only" (index . 4)) -}}
{{- end -}}
{{- end }}

{{/* (list $ $folders $name $tls): those of a server's TLS. Of who signs clients only the certificate: a Secret of cert-manager has a key too. */}}
{{- define "pinion.folders.tls" -}}
{{- $name := index . 2 -}}
{{- $tls := index . 3 | default dict -}}
{{- include "pinion.folders.add" (list (index . 1) (printf "tls-%s" $name) (printf "tls/%s" $name) (include "pinion.tlsSecret" (list (index . 0) $name $tls)) "") -}}
{{- include "pinion.folders.add" (list (index . 1) (printf "client-ca-%s" $name) (printf "client-ca/%s" $name) $tls.clientCa "ca.crt") -}}
{{- end }}

{{- define "pinion.folders.files" -}}
{{- range $name, $file := index . 1 -}}
{{- $_ := set (index $ 0) (printf "files-%s" $name) (merge (dict "path" (printf "files/%s" $name)) $file) -}}
{{- end -}}
{{- end }}

{{/* The folders (not their JSON) as a container's mounts. */}}
{{- define "pinion.folders.mounts" -}}
{{- range $name, $folder := . }}
- {name: {{ $name }}, mountPath: /etc/pinion/{{ $folder.path }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "pinion.folders.volumes" -}}
{{- range $name, $folder := . }}
- name: {{ $name }}
  {{- if $folder.configMap }}
  configMap: {name: {{ $folder.configMap | quote }}}
  {{- else }}
  secret: {secretName: {{ $folder.secret | quote }}{{ with $folder.only }}, items: [{key: {{ . }}, path: {{ . }}}]{{ end }}}
  {{- end }}
{{- end }}
{{- end }}
