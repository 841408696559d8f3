{{/* The registry's pod: the same, whatever keeps its state. */}}

{{- define "pinion.registry.pod" -}}
{{- $registry := .Values.registry -}}
metadata:
  {{- include "pinion.pod.metadata" (list . "registry" $registry (include "pinion.registry.config" .)) | nindent 2 }}
spec:
  {{- include "pinion.pod.spec" (list . "registry" $registry) | nindent 2 }}
  # Calls of its API get five seconds to end.
  terminationGracePeriodSeconds: 15
  containers:
  - {{ include "pinion.container" (list . "registry" $registry) | nindent 4 | trim }}
    args: [registry, --config, /etc/pinion/config/pinion.yaml]
    ports:
    - {name: registry, containerPort: {{ $registry.port | int }}, protocol: TCP}
    - {name: admin, containerPort: {{ $registry.adminPort | int }}, protocol: TCP}
    readinessProbe:
      # Asks as a client would: it answers, and it can read its database.
      exec: {command: [pinion, --registry, "unix:/run/pinion/registry.sock", --timeout, 3s, status]}
      periodSeconds: 10
      timeoutSeconds: 5
    livenessProbe:
      tcpSocket: {port: registry}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    startupProbe:
      tcpSocket: {port: registry}
      periodSeconds: 2
      failureThreshold: 60
    volumeMounts:
    - {name: config, mountPath: /etc/pinion/config, readOnly: true}
    - {name: socket, mountPath: /run/pinion}
    - {name: tmp, mountPath: /tmp}
    {{- if eq $registry.store "sqlite" }}
    - {name: data, mountPath: /var/lib/pinion}
    {{- end }}
    {{- with include "pinion.registry.folders" . | fromJson }}
    {{- include "pinion.folders.mounts" . | trim | nindent 4 }}
    {{- end }}
  volumes:
  - name: config
    configMap: {name: {{ include "pinion.fullname" . }}-registry}
  - name: socket
    emptyDir: {sizeLimit: 1Mi}
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- with include "pinion.registry.folders" . | fromJson }}
  {{- include "pinion.folders.volumes" . | trim | nindent 2 }}
  {{- end }}
{{- end }}
