"""Certificates for tests, made by the openssl command."""

import subprocess


class Certificate:
    """One for this machine's own names, that is its own authority. `chain` and `key` are the paths of PEM files."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.chain, self.key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key,
                        "-out", self.chain], check=True, capture_output=True)
