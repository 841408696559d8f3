"""Pieces of configuration that pages show: whole, or as the part that a paragraph is about."""

import pathlib
import subprocess

import yaml

# What a piece says nothing of. A piece without a registry gets static resources, so that there is something to route by.
_BASE = {"node": {"id": "page"}, "listeners": [{"name": "ingress", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}]}
_FILES = ("certificate_chain", "private_key", "trusted_ca", "jwks_file", "password_file", "token_file", "descriptor_set_file")


def _merged(base, piece):
    if isinstance(base, dict) and isinstance(piece, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in piece.items()}}
    return piece if piece is not None else base


def _walk(node, look):
    if isinstance(node, dict):
        look(node)
        for value in node.values():
            _walk(value, look)
    elif isinstance(node, list):
        for value in node:
            _walk(value, look)


def _complete(piece):
    whole = _merged(_BASE, piece)
    for number, listener in enumerate(whole["listeners"]):
        listener.setdefault("name", f"listener-{number}")
        listener.setdefault("address", {"pipe": {"path": f"listener-{number}.sock"}})
    registry = whole.get("registry")
    if registry is not None:
        registry.setdefault("address", {"socket_address": {"address": "127.0.0.1", "port_value": 0}})
    return whole


class Files:
    """Makes the files that a configuration names, in `folder`, and lets it name them there."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._pairs = {}

    def place(self, path):
        return str(self._folder / pathlib.PurePath(path).name)

    def _pair(self, chain, key):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=page", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", chain], check=True, capture_output=True)

    def make(self, node):
        for name in _FILES:
            if isinstance(node.get(name), str):
                node[name] = self.place(node[name])
        if "certificate_chain" in node and not pathlib.Path(node["certificate_chain"]).exists():
            self._pair(node["certificate_chain"], node.get("private_key", self.place("key.pem")))
        for name in ("trusted_ca", "jwks_file"):
            if name in node and not pathlib.Path(node[name]).exists():
                self._pair(node[name], self.place("authority.key"))
        for name in ("password_file", "token_file"):
            if name in node:
                pathlib.Path(node[name]).write_text("secret\n")
        for name in ("snapshot_dir",):
            if isinstance(node.get(name), str):
                node[name] = self.place(node[name])
                pathlib.Path(node[name]).mkdir(exist_ok=True)
        if isinstance(node.get("path"), str) and not node["path"].startswith("/dev/"):
            node["path"] = self.place(node["path"])
        if isinstance(node.get("local_socket"), str):
            node["local_socket"] = self.place(node["local_socket"])


def refusal(text, folder, program):
    """What `pinion validate` says against the piece; None: nothing."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        piece = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return f"it is no YAML: {error}"
    if not isinstance(piece, dict):
        return "it is no part of a configuration: a mapping is expected"
    whole = _complete(piece)
    _walk(whole, Files(folder).make)
    path = folder / "piece.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
    done = subprocess.run([program, "validate", path], capture_output=True, text=True, timeout=30, check=False)
    return None if done.returncode == 0 else f"{done.stderr.strip()}\nthe whole was:\n{path.read_text()}"
