{{/* Who reads metrics, and where: the same for gateways and registries. */}}

{{/* (list $ "gateway" port): the Service by which a ServiceMonitor finds the admin ports of its pods. */}}
{{- define "pinion.adminService" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "pinion.fullname" $root }}-{{ $component }}-admin
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "pinion.labels" (list $root (printf "%s-admin" $component)) | nindent 4 }}
spec:
  type: ClusterIP
  clusterIP: None
  selector:
    {{- include "pinion.selector" (list $root $component) | nindent 4 }}
  ports:
  - name: admin
    port: {{ index . 2 | int }}
    targetPort: admin
    protocol: TCP
    appProtocol: http
{{- end }}

{{/* (list $ port): lets in those of networkPolicy.monitoring. */}}
{{- define "pinion.monitoringRule" -}}
{{- $port := index . 1 -}}
{{- with (index . 0).Values.networkPolicy.monitoring -}}
- ports:
  - {protocol: TCP, port: {{ $port | int }}}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}
