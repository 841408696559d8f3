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
    {{- include "pinion.serverTls" (list $name .) | nindent 4 }}
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
  {{- if include "pinion.registryTls" . }}
  client:
    {{- with $g.registry }}
    {{- if or .ca .certificate }}
    tls:
      {{- if .ca }}
      trusted_ca: /etc/pinion/registry/ca/ca.crt
      {{- end }}
      {{- if .certificate }}
      tls_certificate: {certificate_chain: /etc/pinion/registry/tls/tls.crt, private_key: /etc/pinion/registry/tls/tls.key}
      {{- end }}
    {{- else }}
    tls: {}
    {{- end }}
    {{- if .token }}
    token_file: /etc/pinion/registry/token/token
    {{- end }}
    {{- end }}
  {{- else }}
  insecure: true  # the connection is without TLS; a NetworkPolicy says who may reach the registry
  {{- end }}
{{- end }}
{{- end }}

{{/* (list "ingress" $tls): what a listener or the registry shows its clients, and asks of them. */}}
{{- define "pinion.serverTls" -}}
{{- $name := index . 0 -}}
{{- $tls := index . 1 -}}
tls_certificates:
- certificate_chain: /etc/pinion/tls/{{ $name }}/tls.crt
  private_key: /etc/pinion/tls/{{ $name }}/tls.key
{{- if $tls.clientCa }}
trusted_ca: /etc/pinion/client-ca/{{ $name }}/ca.crt
{{- end }}
{{- if $tls.requireClientCertificate }}
require_client_certificate: true
{{- end }}
{{- end }}

{{- define "pinion.registry.config" -}}
{{- $r := .Values.registry -}}
admin:
  address: {{ include "pinion.address" (list .Values.listenAddress $r.adminPort) }}
registry:
  address: {{ include "pinion.address" (list .Values.listenAddress $r.port) }}
  # For probes, and for who may run commands in the pod.
  local_socket: /run/pinion/registry.sock
  {{- if $r.access }}
  tls:
    {{- include "pinion.serverTls" (list "registry" $r.tls) | nindent 4 }}
  access:
    {{- toYaml $r.access | nindent 4 }}
  {{- else }}
  insecure: true  # everyone who reaches it may change it; a NetworkPolicy says who that is
  {{- end }}
  store:
    {{- if eq $r.store "etcd" }}
    {{- include "pinion.registry.etcd" $r.etcd | nindent 4 }}
    {{- else }}
    sqlite: {path: /var/lib/pinion/registry.db}
    {{- end }}
  {{- with $r.config }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "pinion.registry.etcd" -}}
etcd:
  endpoints:
    {{- toYaml .endpoints | nindent 4 }}
  {{- with .prefix }}
  prefix: {{ . | quote }}
  {{- end }}
  {{- if .tls }}
  {{- if or .ca .certificate }}
  tls:
    {{- if .ca }}
    trusted_ca: /etc/pinion/etcd/ca/ca.crt
    {{- end }}
    {{- if .certificate }}
    tls_certificate: {certificate_chain: /etc/pinion/etcd/tls/tls.crt, private_key: /etc/pinion/etcd/tls/tls.key}
    {{- end }}
  {{- else }}
  tls: {}
  {{- end }}
  {{- end }}
  {{- with .username }}
  username: {{ . | quote }}
  password_file: /etc/pinion/etcd/password/password
  {{- end }}
{{- end }}
