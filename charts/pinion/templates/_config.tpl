{{/* The start-up files: what `pinion validate` checks. */}}

{{/* (list "host" port) */}}
{{- define "pinion.address" -}}
{socket_address: {address: {{ index . 0 | quote }}, port_value: {{ index . 1 | int }}}}
{{- end }}

{{- define "pinion.gateway.config" -}}
{{- $g := .Values.gateway -}}
admin:
  address: {{ include "pinion.address" (list .Values.listenAddress $g.adminPort) }}
listeners:
{{- range $name, $listener := $g.listeners }}
- name: {{ $name }}
  address: {{ include "pinion.address" (list $.Values.listenAddress $listener.port) }}
  {{- with $listener.forward }}
  forward: {{ . }}
  {{- end }}
  {{- with $listener.consumerIdentity }}
  consumer_identity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $listener.http2 }}
  http2:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $listener.tls }}
  tls:
    tls_certificates:
    - certificate_chain: /etc/pinion/tls/{{ $name }}/tls.crt
      private_key: /etc/pinion/tls/{{ $name }}/tls.key
    {{- if .clientCa }}
    trusted_ca: /etc/pinion/client-ca/{{ $name }}/ca.crt
    {{- end }}
    {{- if .requireClientCertificate }}
    require_client_certificate: true
    {{- end }}
    {{- with .minimumVersion }}
    tls_minimum_protocol_version: {{ . }}
    {{- end }}
  {{- end }}
{{- end }}
gateway:
  workers: {{ $g.workers | int }}
  drain_timeout: {{ $g.drainTimeoutSeconds | int }}s
  {{- if not $g.staticResources }}
  snapshot_dir: /var/lib/pinion
  {{- end }}
  {{- with $g.config }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if $g.staticResources }}
static_resources:
  {{- toYaml $g.staticResources | nindent 2 }}
{{- else }}
registry:
  {{- if .Values.registry.enabled }}
  address: {{ include "pinion.address" (list (printf "%s-registry.%s.svc" (include "pinion.fullname" .) .Release.Namespace) .Values.registry.port) }}
  {{- else }}
  address: {{ include "pinion.address" (list $g.registry.host $g.registry.port) }}
  {{- end }}
  insecure: true  # the connection is without TLS; a NetworkPolicy says who may reach the registry
{{- end }}
{{- end }}

{{- define "pinion.registry.config" -}}
registry:
  address: {{ include "pinion.address" (list .Values.listenAddress .Values.registry.port) }}
  insecure: true  # everyone who reaches it may change it; a NetworkPolicy says who that is
  store:
    sqlite: {path: /var/lib/pinion/registry.db}
  {{- with .Values.registry.config }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
