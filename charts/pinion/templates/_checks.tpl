{{/* Values that are good by themselves and wrong together. Each message says what to do; templates of both components begin with this. */}}

{{- define "pinion.checks" -}}
{{- $v := .Values -}}
{{- if not (or $v.gateway.enabled $v.registry.enabled) -}}
{{- fail "gateway.enabled and registry.enabled are both false: there is nothing to install" -}}
{{- end -}}
{{- if $v.registry.enabled -}}
{{- include "pinion.checks.registry" . -}}
{{- else if $v.registry.config -}}
{{- fail "registry.config is for the chart's own registry, and registry.enabled is false: take it out, or set registry.enabled" -}}
{{- end -}}
{{- if $v.gateway.enabled -}}
{{- include "pinion.checks.gateway" . -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled $v.networkPolicy.enabled (not $v.networkPolicy.monitoring) -}}
{{- fail "serviceMonitor.enabled, and nobody may read the admin port: name Prometheus in networkPolicy.monitoring" -}}
{{- end -}}
{{- include "pinion.checks.files" (list "gateway.files" $v.gateway.files) -}}
{{- include "pinion.checks.files" (list "registry.files" $v.registry.files) -}}
{{- include "pinion.checks.owned" (list "registry.config" $v.registry.config (dict "address" "registry.port" "insecure" "nothing, the chart sets it" "local_socket" "nothing, the chart sets it" "store" "registry.store" "tls" "registry.tls" "access" "registry.access" "client" "gateway.registry")) -}}
{{- end }}

{{- define "pinion.checks.registry" -}}
{{- $r := .Values.registry -}}
{{- include "pinion.checks.port" (list (dict ($r.port | int | toString) "registry.port") $r.adminPort "registry" "adminPort") -}}
{{- if and (not $r.access) (not .Values.networkPolicy.enabled) (not $r.allowUnguarded) -}}
{{- fail "the registry asks nobody who they are, and without networkPolicy.enabled every pod of the cluster can change pins: set registry.access, switch the policy on, or say registry.allowUnguarded" -}}
{{- end -}}
{{- if ne (empty $r.access) (empty $r.tls) -}}
{{- fail "registry.tls and registry.access come together: credentials go over TLS, and TLS without them lets everybody in" -}}
{{- end -}}
{{- include "pinion.checks.tls" (list "registry.tls" $r.tls) -}}
{{- if eq $r.store "etcd" -}}
{{- if not $r.etcd.endpoints -}}
{{- fail "registry.store is etcd, and registry.etcd.endpoints names no member" -}}
{{- end -}}
{{- if and (or $r.etcd.ca $r.etcd.certificate) (not $r.etcd.tls) -}}
{{- fail "registry.etcd.ca and registry.etcd.certificate need registry.etcd.tls" -}}
{{- end -}}
{{- if ne (empty $r.etcd.username) (empty $r.etcd.password) -}}
{{- fail "registry.etcd.username and registry.etcd.password come together" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* (list "registry.tls" $tls): of a server. */}}
{{- define "pinion.checks.tls" -}}
{{- $where := index . 0 -}}
{{- $tls := index . 1 | default dict -}}
{{- if and $tls (not (or $tls.secret $tls.issuer)) -}}
{{- fail (printf "%s has no certificate: name its secret, or the issuer to ask for one" $where) -}}
{{- end -}}
{{- if and $tls.requireClientCertificate (not $tls.clientCa) -}}
{{- fail (printf "%s.requireClientCertificate needs clientCa, who signs them" $where) -}}
{{- end -}}
{{- end }}

{{- define "pinion.checks.gateway" -}}
{{- $v := .Values -}}
{{- $g := $v.gateway -}}
{{- $sources := list -}}
{{- if $v.registry.enabled }}{{ $sources = append $sources "registry.enabled" }}{{ end -}}
{{- if $g.registry.host }}{{ $sources = append $sources "gateway.registry.host" }}{{ end -}}
{{- if $g.staticResources }}{{ $sources = append $sources "gateway.staticResources" }}{{ end -}}
{{- if not $sources -}}
{{- fail "gateways have nothing to route by: set registry.enabled, gateway.registry.host or gateway.staticResources" -}}
{{- else if gt (len $sources) 1 -}}
{{- fail (printf "gateways route by one thing, and these are set: %s" (join ", " $sources)) -}}
{{- end -}}
{{- include "pinion.checks.owned" (list "gateway.config" $g.config (dict "workers" "gateway.workers" "drain_timeout" "gateway.drainTimeoutSeconds" "snapshot_dir" "nothing, the chart sets it")) -}}
{{- if not $g.listeners -}}
{{- fail "gateway.listeners is empty: a gateway needs a listener" -}}
{{- end -}}
{{- if and (or $g.registry.certificate $g.registry.token $g.registry.ca) (not (include "pinion.registryTls" .)) -}}
{{- fail "gateway.registry has credentials, which go over TLS only: set registry.tls, or gateway.registry.tls for a registry elsewhere" -}}
{{- end -}}
{{- if and $v.registry.enabled $v.registry.access -}}
{{- $asks := $v.registry.tls | default dict -}}
{{- if not (or $g.registry.certificate $g.registry.token) -}}
{{- fail "registry.access asks gateways who they are, and they have nothing to show: set gateway.registry.certificate or gateway.registry.token" -}}
{{- else if and $asks.requireClientCertificate (not $g.registry.certificate) -}}
{{- fail "registry.tls.requireClientCertificate refuses gateways without one: set gateway.registry.certificate" -}}
{{- else if not (or $asks.clientCa $g.registry.token) -}}
{{- fail "gateway.registry.certificate is never asked for: set registry.tls.clientCa, who signs it, or gateway.registry.token" -}}
{{- end -}}
{{- end -}}
{{- if and $g.registry.certificate (not (or $g.registry.certificate.secret $g.registry.certificate.issuer)) -}}
{{- fail "gateway.registry.certificate has none: name its secret, or the issuer to ask for one" -}}
{{- end -}}
{{- $taken := dict ($g.adminPort | int | toString) "gateway.adminPort" -}}
{{- $served := dict -}}
{{- range $name, $listener := $g.listeners -}}
{{- $where := printf "gateway.listeners.%s" $name -}}
{{- if or (has $name (list "admin" "registry" "gateway-client")) (not (regexMatch "^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$" $name)) -}}
{{- fail (printf "%s: a listener's name is a port's name too: at most 15 lower-case letters, digits and hyphens, and not admin, registry or gateway-client" $where) -}}
{{- end -}}
{{- include "pinion.checks.port" (list $taken $listener.port $where "port") -}}
{{- include "pinion.checks.port" (list $served (include "pinion.servicePort" (list $ $listener)) $where "servicePort") -}}
{{- include "pinion.checks.tls" (list (printf "%s.tls" $where) $listener.tls) -}}
{{- end -}}
{{- $scaling := $g.autoscaling -}}
{{- if $scaling.enabled -}}
{{- if gt ($scaling.minReplicas | int) ($scaling.maxReplicas | int) -}}
{{- fail "gateway.autoscaling.minReplicas is above maxReplicas" -}}
{{- end -}}
{{- if not (or $scaling.cpuPercent $scaling.metrics) -}}
{{- fail "gateway.autoscaling has neither cpuPercent nor metrics to go by" -}}
{{- end -}}
{{- if and $scaling.cpuPercent (not (dig "requests" "cpu" "" $g.resources)) -}}
{{- fail "gateway.autoscaling.cpuPercent is a share of gateway.resources.requests.cpu, which is not set" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* (list "gateway.files" $files): names that are good in a volume's name and a path. */}}
{{- define "pinion.checks.files" -}}
{{- range $name, $file := index . 1 -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$" $name) -}}
{{- fail (printf "%s.%s: a name has at most 42 lower-case letters, digits and hyphens" (index $ 0) $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* (list $taken $port $where $field): no two of one kind have the same port. Notes it in $taken. */}}
{{- define "pinion.checks.port" -}}
{{- $taken := index . 0 -}}
{{- $port := index . 1 | int | toString -}}
{{- $where := printf "%s.%s" (index . 2) (index . 3) -}}
{{- if hasKey $taken $port -}}
{{- fail (printf "%s: %s is already %s" $where $port (get $taken $port)) -}}
{{- end -}}
{{- $_ := set $taken $port $where -}}
{{- end }}

{{/* (list "gateway.config" $config $owned): fields that the chart writes itself, by what sets them. */}}
{{- define "pinion.checks.owned" -}}
{{- $config := index . 1 -}}
{{- range $field, $instead := index . 2 -}}
{{- if hasKey $config $field -}}
{{- fail (printf "%s.%s is written by the chart; what sets it: %s" (index $ 0) $field $instead) -}}
{{- end -}}
{{- end -}}
{{- end }}
