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

{{- define "pinion.files.mounts" -}}
{{- range $name, $file := . }}
- name: files-{{ $name }}
  mountPath: /etc/pinion/files/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}

{{- define "pinion.files.volumes" -}}
{{- range $name, $file := . }}
- name: files-{{ $name }}
  {{- if $file.secret }}
  secret: {secretName: {{ $file.secret | quote }}}
  {{- else }}
  configMap: {name: {{ $file.configMap | quote }}}
  {{- end }}
{{- end }}
{{- end }}
