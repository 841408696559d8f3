"""Values that a release may have: each case is rendered, checked against Kubernetes' schemas, and its configuration validated."""

_PEER = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
_EGRESS = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "TCP", "port": 9000}]}
_POD = {
    "annotations": {"example.org/a": "b"}, "labels": {"team": "a"}, "env": {"GRPC_VERBOSITY": "ERROR"},
    "nodeSelector": {"pool": "edge"}, "tolerations": [{"key": "edge", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}},
    "topologySpread": [{"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}],
    "priorityClassName": "high",
}
STATIC = {
    "services": [{"name": "echo", "scheme": "SEMVER", "grpc_services": ["acme.Echo"], "channels": {"stable": "1.0.0"}, "versions": [
        {"name": "1.0.0", "instances": [{"address": {"socket_address": {"address": "echo-v1", "port_value": 9000}}}]}]}],
    "consumers": [{"name": "billing", "pins": {"echo": "^1"}}],
}
SECURE = {"port": 8443, "servicePort": 443, "tls": {
    "secret": "edge-tls", "clientCa": "callers-ca", "requireClientCertificate": True, "minimumVersion": "TLSv1_3"}}
ISSUED = {"port": 8444, "tls": {"issuer": {"name": "internal", "kind": "ClusterIssuer"}, "dnsNames": ["api.example.org"]}}
# Who may do what: an operator by certificate, gateways by one of their own.
ACCESS = {
    "registry": {"tls": {"issuer": {"name": "internal"}, "dnsNames": ["registry.example.org"], "clientCa": "clients-ca"},
                 "access": {"operators": ["dns:ops.example.org"]}},
    "gateway": {"registry": {"ca": "registry-ca", "certificate": {"issuer": {"name": "internal"}}}},
}
ETCD = {"registry": {"store": "etcd", "replicas": 3, "etcd": {
    "endpoints": ["etcd-0.etcd:2379", "etcd-1.etcd:2379"], "prefix": "/edge/", "tls": True, "ca": "etcd-ca", "certificate": "etcd-client",
    "username": "pinion", "password": "etcd-password"}}}

CASES = {
    "defaults": {},
    "static": {"registry": {"enabled": False}, "gateway": {"staticResources": STATIC}},
    "registry elsewhere": {"registry": {"enabled": False}, "gateway": {"registry": {"host": "registry.example.org", "port": 443}}},
    "registry elsewhere, with TLS": {"registry": {"enabled": False}, "gateway": {"registry": {
        "host": "registry.example.org", "tls": True, "token": "gateway-token"}}},
    "access": ACCESS,
    "access by token": {"registry": ACCESS["registry"], "gateway": {"registry": {"ca": "registry-ca", "token": "gateway-token"}}},
    "access, gateways elsewhere": {"registry": ACCESS["registry"], "gateway": {"enabled": False}},
    "access, by hand": {"registry": {"tls": {"secret": "registry-tls", "clientCa": "clients-ca"}, "access": ACCESS["registry"]["access"]},
                        "gateway": {"registry": {"certificate": {"secret": "gateway-tls"}}}, "networkPolicy": {"enabled": False}},
    "etcd": ETCD,
    "etcd without TLS, one registry": {"registry": {"store": "etcd", "replicas": 1, "etcd": {"endpoints": ["etcd:2379"]}}},
    "only a registry": {"gateway": {"enabled": False}, "networkPolicy": {"registryClients": [_PEER]}},
    "only gateways, by hand": {
        "registry": {"enabled": False},
        "gateway": {"registry": {"host": "10.0.0.9"}, "autoscaling": {"enabled": False}, "podDisruptionBudget": {"enabled": False},
                    "replicas": 3, "preStopSeconds": 0},
        "networkPolicy": {"enabled": False},
    },
    "TLS": {"gateway": {"listeners": {"ingress": None, "edge": SECURE, "mesh": ISSUED}}},
    "IPv6": {"listenAddress": "::"},
    "load balancer": {"gateway": {"service": {
        "type": "LoadBalancer", "annotations": {"lb": "internal"}, "loadBalancerClass": "example.org/lb",
        "loadBalancerSourceRanges": ["10.0.0.0/8"], "externalTrafficPolicy": "Local"}}},
    "node ports": {"gateway": {"service": {"type": "NodePort"}, "listeners": {"ingress": {"nodePort": 30080}}}},
    "headless": {"gateway": {"service": {"clusterIP": "None"}}},
    "unguarded": {"networkPolicy": {"enabled": False}, "registry": {"allowUnguarded": True}},
    "everything": {
        "nameOverride": "pins", "commonLabels": {"owner": "platform"},
        "image": {"repository": "registry.example.org/pinion", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always", "pullSecrets": ["pull"]},
        "serviceAccount": {"name": "pinion", "annotations": {"cloud/role": "r"}},
        "gateway": {
            "workers": 4, "drainTimeoutSeconds": 120, "preStopSeconds": 10, "adminPort": 9901,
            "listeners": {"ingress": {"port": 9080, "forward": "ANY_HTTP2", "http2": {"max_concurrent_streams": 250},
                                      "consumerIdentity": {"trusted_header": {"name": "api-consumer", "trusted_peers": ["10.0.0.0/8"]}}},
                          "edge": SECURE, "mesh": ISSUED},
            "config": {"max_connections": 12345678, "access_log": {"path": "/dev/stdout"}, "upstream_tls": [
                {"trusted_ca": "/etc/pinion/files/instances-ca/ca.crt"}]},
            "files": {"instances-ca": {"configMap": "instances-ca"}},
            "snapshotSizeLimit": "1Gi",
            "autoscaling": {"minReplicas": 3, "maxReplicas": 20, "cpuPercent": 60, "scaleDownSeconds": 600, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "pinion_calls"}, "target": {"type": "AverageValue", "averageValue": "500"}}}]},
            "podDisruptionBudget": {"maxUnavailable": "25%"},
            "resources": {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "4", "memory": "1Gi"}},
            "pod": _POD,
        },
        "registry": {"port": 9081, "config": {"usage_window": "604800s"}, "files": {"more": {"secret": "more"}},
                     "sqlite": {"size": "10Gi", "storageClass": "fast", "keepWhenDeleted": False},
                     "service": {"annotations": {"a": "b"}}, "resources": {"limits": {"memory": "2Gi"}}, "pod": _POD},
        "networkPolicy": {"callers": [_PEER], "monitoring": [_PEER], "registryClients": [_PEER], "gatewayEgress": [_EGRESS],
                          "registryEgress": [_EGRESS]},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s", "scrapeTimeout": "5s"},
    },
}

# For each value another one, which must change what is rendered. Those that count only beside others stand under their company.
CHANGES = {
    "": {
        "nameOverride": "x", "fullnameOverride": "x", "commonLabels": {"x": "y"}, "image.repository": "x", "image.tag": "x",
        "image.digest": "sha256:" + "1" * 64, "image.pullPolicy": "Never", "image.pullSecrets": ["x"], "serviceAccount.create": False,
        "serviceAccount.name": "x", "serviceAccount.annotations": {"x": "y"}, "listenAddress": "::",
        "podSecurityContext": {"runAsUser": 7}, "containerSecurityContext": {"readOnlyRootFilesystem": False}, "gateway.enabled": False,
        "gateway.workers": 7, "gateway.drainTimeoutSeconds": 7, "gateway.preStopSeconds": 7, "gateway.adminPort": 7777,
        "gateway.listeners": {"x": {"port": 7777}}, "gateway.config": {"max_deadline": "7s"}, "gateway.files": {"x": {"secret": "x"}},
        "gateway.snapshotSizeLimit": "7Mi", "gateway.autoscaling.enabled": False, "gateway.autoscaling.minReplicas": 7,
        "gateway.autoscaling.maxReplicas": 7, "gateway.autoscaling.cpuPercent": 7, "gateway.autoscaling.scaleDownSeconds": 7,
        "gateway.autoscaling.metrics": [{"type": "x"}], "gateway.podDisruptionBudget.enabled": False,
        "gateway.podDisruptionBudget.maxUnavailable": 7, "gateway.service.type": "NodePort", "gateway.service.clusterIP": "None",
        "gateway.service.annotations": {"x": "y"}, "gateway.resources": {"limits": {"memory": "7Mi"}},
        "gateway.pod.annotations": {"x": "y"}, "gateway.pod.labels": {"x": "y"}, "gateway.pod.env": {"x": "y"},
        "gateway.pod.nodeSelector": {"x": "y"}, "gateway.pod.tolerations": [{"key": "x"}], "gateway.pod.affinity": {"podAffinity": {}},
        "gateway.pod.topologySpread": [], "gateway.pod.priorityClassName": "x",
        "registry.port": 7777, "registry.adminPort": 7778, "registry.config": {"usage_window": "7s"}, "registry.files": {"x": {"secret": "x"}},
        "registry.sqlite.size": "7Gi", "registry.sqlite.storageClass": "x", "registry.sqlite.keepWhenDeleted": False,
        "registry.service.annotations": {"x": "y"}, "registry.resources": {"limits": {"memory": "7Mi"}},
        "registry.pod.annotations": {"x": "y"}, "registry.pod.labels": {"x": "y"}, "registry.pod.env": {"x": "y"},
        "registry.pod.nodeSelector": {"x": "y"}, "registry.pod.tolerations": [{"key": "x"}], "registry.pod.affinity": {"podAffinity": {}},
        "registry.pod.topologySpread": [], "registry.pod.priorityClassName": "x",
        "networkPolicy.callers": [_PEER], "networkPolicy.monitoring": [_PEER], "networkPolicy.registryClients": [_PEER],
        "networkPolicy.gatewayEgress": [_EGRESS], "networkPolicy.registryEgress": [_EGRESS],
    },
    "only gateways, by hand": {"gateway.replicas": 7, "networkPolicy.enabled": True},
    "registry elsewhere": {"gateway.registry.host": "x", "gateway.registry.port": 7777, "gateway.registry.tls": True, "registry.enabled": True},
    "access": {"gateway.registry.ca": "x", "gateway.registry.certificate": {"secret": "x"}, "gateway.registry.token": "x",
               "registry.tls": {"dnsNames": ["x"]}, "registry.access": {"operators": ["dns:x"]}},
    "etcd": {"registry.store": "sqlite", "registry.replicas": 7, "registry.etcd.endpoints": ["x:7"], "registry.etcd.prefix": "/x/",
             "registry.etcd.tls": False, "registry.etcd.ca": "x", "registry.etcd.certificate": "x", "registry.etcd.username": "x",
             "registry.etcd.password": "x"},
    "static": {"gateway.staticResources": {**STATIC, "consumers": []}},
    "load balancer": {"gateway.service.loadBalancerClass": "x", "gateway.service.loadBalancerSourceRanges": [],
                      "gateway.service.externalTrafficPolicy": "Cluster"},
    "unguarded": {"registry.allowUnguarded": False},
    "everything": {"serviceMonitor.enabled": False, "serviceMonitor.labels": {"x": "y"}, "serviceMonitor.interval": "7s",
                   "serviceMonitor.scrapeTimeout": "7s"},
}
# Those of them whose effect is a refusal.
REFUSED_CHANGES = {"registry.enabled", "registry.allowUnguarded", "registry.etcd.tls"}

# What is refused: values, and the words that must be in the answer.
REFUSALS = [
    ({"gateway": {"replica": 3}}, "at '/gateway': additional properties 'replica' not allowed"),
    ({"gateway": {"replicas": 0}}, "at '/gateway/replicas': minimum: got 0, want 1"),
    ({"gateway": {"listeners": {"ingress": {"port": 80}}}}, "at '/gateway/listeners/ingress/port': minimum: got 80"),
    ({"gateway": {"listeners": {"ingress": {"tls": {"certificate": "x"}}}}}, "additional properties 'certificate' not allowed"),
    ({"gateway": {"listeners": {"Edge": {"port": 8090}}}}, "gateway.listeners.Edge: a listener's name"),
    ({"gateway": {"listeners": {"admin": {"port": 8090}}}}, "gateway.listeners.admin: a listener's name"),
    ({"gateway": {"listeners": {"ingress": None}}}, "gateway.listeners is empty"),
    ({"gateway": {"listeners": {"edge": {"port": 8080}}}}, "gateway.listeners.ingress.port: 8080 is already gateway.listeners.edge.port"),
    ({"gateway": {"listeners": {"edge": {"port": 8082}}}}, "gateway.listeners.edge.port: 8082 is already gateway.adminPort"),
    ({"gateway": {"listeners": {"edge": {"port": 8090, "servicePort": 80}}}}, "servicePort: 80 is already"),
    ({"registry": {"adminPort": 8081}}, "registry.adminPort: 8081 is already registry.port"),
    ({"gateway": {"listeners": {"ingress": {"tls": {"clientCa": "x"}}}}}, "gateway.listeners.ingress.tls has no certificate"),
    ({"gateway": {"listeners": {"ingress": {"tls": {"secret": "x", "requireClientCertificate": True}}}}}, "needs clientCa"),
    ({"gateway": {"service": {"type": "ExternalName"}}}, "at '/gateway/service/type': value must be one of"),
    ({"gateway": {"podDisruptionBudget": {"maxUnavailable": 0}}}, "at '/gateway/podDisruptionBudget/maxUnavailable': minimum: got 0"),
    ({"gateway": {"autoscaling": {"minReplicas": 11}}}, "gateway.autoscaling.minReplicas is above maxReplicas"),
    ({"gateway": {"autoscaling": {"cpuPercent": 0}}}, "neither cpuPercent nor metrics"),
    ({"gateway": {"resources": {"requests": {"cpu": None}}}}, "gateway.resources.requests.cpu, which is not set"),
    ({"gateway": {"config": {"drain_timeout": "5s"}}}, "gateway.config.drain_timeout is written by the chart; what sets it: gateway.drainTimeoutSeconds"),
    ({"gateway": {"files": {"a.b": {"secret": "x"}}}}, "gateway.files.a.b: a name has"),
    ({"gateway": {"files": {"a": {"secret": "x", "configMap": "y"}}}}, "at '/gateway/files/a': maxProperties"),
    ({"gateway": {"registry": {"host": "x"}}}, "gateways route by one thing, and these are set: registry.enabled, gateway.registry.host"),
    ({"registry": {"enabled": False}}, "gateways have nothing to route by"),
    ({"registry": {"enabled": False}, "gateway": {"enabled": False}}, "there is nothing to install"),
    ({"registry": {"sqlite": {"size": "lots"}}}, "at '/registry/sqlite/size': 'lots' does not match pattern"),
    ({"registry": {"config": {"store": {}}}}, "registry.config.store is written by the chart; what sets it: registry.store"),
    ({"registry": {"enabled": False, "config": {"usage_window": "7s"}}, "gateway": {"staticResources": STATIC}},
     "registry.config is for the chart's own registry, and registry.enabled is false"),
    ({"registry": {"access": {"operators": []}}}, "registry.tls and registry.access come together"),
    ({"registry": {"tls": {"secret": "x"}}}, "registry.tls and registry.access come together"),
    ({"registry": {"tls": {"clientCa": "x"}, "access": {"operators": []}}}, "registry.tls has no certificate"),
    ({"registry": {"store": "etcd"}}, "registry.etcd.endpoints names no member"),
    ({"registry": {"store": "etcd", "etcd": {"endpoints": ["https://x:1"]}}}, "at '/registry/etcd/endpoints/0': 'https://x:1' does not match"),
    ({"registry": {"store": "etcd", "etcd": {"endpoints": ["x:1"], "ca": "x"}}}, "need registry.etcd.tls"),
    ({"registry": {"store": "etcd", "etcd": {"endpoints": ["x:1"], "username": "x"}}}, "registry.etcd.password come together"),
    ({"gateway": {"registry": {"token": "x"}}}, "gateway.registry has credentials, which go over TLS only"),
    ({"registry": ACCESS["registry"]}, "they have nothing to show: set gateway.registry.certificate or gateway.registry.token"),
    ({"registry": {**ACCESS["registry"], "tls": {"secret": "x", "clientCa": "x", "requireClientCertificate": True}},
      "gateway": {"registry": {"token": "x"}}}, "registry.tls.requireClientCertificate refuses gateways without one"),
    ({**ACCESS, "registry": {"tls": {"secret": "x"}, "access": ACCESS["registry"]["access"]}}, "gateway.registry.certificate is never asked for"),
    ({**ACCESS, "gateway": {"registry": {"certificate": {"dnsNames": ["x"]}}}}, "gateway.registry.certificate has none"),
    ({"networkPolicy": {"enabled": False}}, "the registry asks nobody who they are"),
    ({"networkPolicy": {"callers": [{"podSelectors": {}}]}}, "at '/networkPolicy/callers/0': additional properties 'podSelectors'"),
    ({"serviceMonitor": {"enabled": True}}, "name Prometheus in networkPolicy.monitoring"),
    ({"serviceMonitor": {"enabled": True}, "gateway": {"enabled": False}}, "name Prometheus in networkPolicy.monitoring"),
    ({"serviceMonitor": {"interval": "often"}}, "at '/serviceMonitor/interval': 'often' does not match pattern"),
    ({"image": {"digest": "x"}}, "at '/image/digest': 'x' does not match pattern"),
]
