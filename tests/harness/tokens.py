"""Tokens and the keys that sign them, made by the openssl command: nothing here shares code with the gateway."""

import base64
import http.server
import json
import re
import subprocess
import threading
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _integer(der, at):
    """(value, where it ends) of an INTEGER in DER."""
    size = der[at + 1]
    return int.from_bytes(der[at + 2:at + 2 + size], "big"), at + 2 + size


class Issuer:
    """Whoever signs tokens, by `RS256` or `ES256`, with one key."""

    def __init__(self, folder, name, algorithm, kid):
        self.name, self.algorithm, self.kid = name, algorithm, kid
        self._key = folder / f"{kid}.pem"
        option = "rsa_keygen_bits:2048" if algorithm == "RS256" else "ec_paramgen_curve:P-256"
        kind = "RSA" if algorithm == "RS256" else "EC"
        self._openssl("genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", self._key)
        self.public = self._openssl("pkey", "-in", self._key, "-pubout")

    @staticmethod
    def _openssl(*args, data=None):
        return subprocess.run(["openssl", *map(str, args)], input=data, check=True, capture_output=True).stdout

    def jwk(self):
        shared = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            text = self._openssl("rsa", "-in", self._key, "-noout", "-modulus").decode()
            modulus = bytes.fromhex(re.search("Modulus=(.*)", text).group(1))
            return {**shared, "kty": "RSA", "n": base64url(modulus), "e": "AQAB"}
        point = self._openssl("ec", "-in", self._key, "-pubout", "-outform", "DER")[-64:]
        return {**shared, "kty": "EC", "crv": "P-256", "x": base64url(point[:32]), "y": base64url(point[32:])}

    def signed(self, header, claims):
        """A token with these parts, whatever they say."""
        data = base64url(json.dumps(header).encode()) + "." + base64url(json.dumps(claims).encode())
        signature = self._openssl("dgst", "-sha256", "-sign", self._key, data=data.encode())
        if self.algorithm == "ES256":
            r, at = _integer(signature, 2)
            s, _ = _integer(signature, at)
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return data + "." + base64url(signature)

    def token(self, subject, seconds=600, **claims):
        """A good one, unless `claims` says otherwise."""
        return self.signed({"alg": self.algorithm, "kid": self.kid, "typ": "JWT"},
                           {"iss": self.name, "sub": subject, "exp": int(time.time()) + seconds, **claims})


def key_set(*issuers):
    return json.dumps({"keys": [issuer.jwk() for issuer in issuers]})


class KeyServer:
    """An HTTP server of this machine with one page, `body`, whatever is asked. A context manager."""

    def __init__(self, body="", status=200):
        self.body, self.status = body, status
        self.silent = threading.Event()  # set: no answer until it is cleared or the server ends
        self.requests = 0
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page.requests += 1
                while page.silent.is_set() and not page.ended.wait(0.02):
                    pass
                body = page.body.encode()
                try:
                    self.send_response(page.status)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.ended = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys?code=hush"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
