{{/* What objects are called, and the labels by which they find each other. */}}

{{- define "pinion.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters, so that what is put behind it stays within a DNS label. */}}
{{- define "pinion.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := include "pinion.name" . -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "pinion.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "pinion.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{/* (list $ "gateway"): what selects the pods of a component. It never changes in a release's life. */}}
{{- define "pinion.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "pinion.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* (list $ "gateway"): the labels of a component's objects. */}}
{{- define "pinion.labels" -}}
{{- $root := index . 0 -}}
{{ include "pinion.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pinion.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end }}

{{/* (list $ $listener): the port at which callers find a listener. A headless Service gives them the pods' addresses and maps no ports. */}}
{{- define "pinion.servicePort" -}}
{{- $its := index . 1 -}}
{{- if eq (index . 0).Values.gateway.service.clusterIP "None" -}}
{{ $its.port | int }}
{{- else -}}
{{ default $its.port $its.servicePort | int }}
{{- end -}}
{{- end }}

{{/* (list $ "ingress" $certificate): the Secret with a certificate (`secret`, or `issuer`); empty where there is none. */}}
{{- define "pinion.tlsSecret" -}}
{{- $certificate := index . 2 | default dict -}}
{{- if $certificate.secret -}}
{{ $certificate.secret }}
{{- else if $certificate.issuer -}}
{{ include "pinion.fullname" (index . 0) }}-{{ index . 1 }}-tls
{{- end -}}
{{- end }}

{{/* "true" where the release's gateways speak TLS to their registry; else empty. */}}
{{- define "pinion.registryTls" -}}
{{- if .Values.registry.enabled -}}
{{- if .Values.registry.tls }}true{{ end -}}
{{- else if .Values.gateway.registry.tls -}}
true
{{- end -}}
{{- end }}

{{/* (list $ "ingress" $certificate "service" "server auth"): what cert-manager is asked for, where there is an issuer. */}}
{{- define "pinion.certificate" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $certificate := index . 2 | default dict -}}
{{- $service := index . 3 -}}
{{- with $certificate.issuer }}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ include "pinion.fullname" $root }}-{{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "pinion.labels" (list $root "certificates") | nindent 4 }}
spec:
  secretName: {{ include "pinion.tlsSecret" (list $root $name $certificate) }}
  issuerRef:
    name: {{ .name }}
    kind: {{ default "Issuer" .kind }}
    group: {{ default "cert-manager.io" .group }}
  # New files are read without a restart; a new key with each certificate.
  privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
  usages: [digital signature, {{ index $ 4 }}]
  dnsNames:
  - {{ $service }}
  - {{ $service }}.{{ $root.Release.Namespace }}
  - {{ $service }}.{{ $root.Release.Namespace }}.svc
  {{- with $certificate.dnsNames }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
