"""What is there when a page begins. A world is a Bash script that runs before the page's first block, in the page's own folder and
its own network: there, every address that a page names is this machine's."""

import os

from tests.harness.process import ROOT

BUILD = ROOT / "build/release"
PROGRAMS = BUILD / "examples/addressbook"

# Waits until what follows succeeds; what is started in the background takes a moment.
_WAIT = r"""
until_true() {
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "never came true: $*" >&2; return 1; }
    sleep 0.05
  done
}
"""

# What every gateway's configuration begins with here.
_EDGE = """node: {id: edge-1, cluster: example}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 8082}}}
listeners:
- name: ingress
  address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
  consumer_identity: {trusted_header: {name: api-consumer}}
"""

_REGISTRY = r"""
cat >pinion.yaml <<'YAML'
""" + _EDGE + r"""gateway: {workers: 1, report_interval: 0.2s}
registry:
  address: {socket_address: {address: 127.0.0.1, port_value: 8081}}
  store: {sqlite: {path: registry.db}}
  rollback_window: 0s
  usage_window: 0s
YAML
pinion serve --config pinion.yaml >pinion.log 2>&1 &
until_true grep -q 'listening name=ingress' pinion.log
"""

# Two processes, as in a fleet; `$REGISTRY` is the registry's process id.
_APART = r"""
mkdir snapshots
cat >registry.yaml <<'YAML'
registry:
  address: {socket_address: {address: 127.0.0.1, port_value: 8081}}
  store: {sqlite: {path: registry.db}}
YAML
cat >gateway.yaml <<'YAML'
""" + _EDGE + r"""gateway: {workers: 1, snapshot_dir: snapshots}
registry: {address: {socket_address: {address: 127.0.0.1, port_value: 8081}}}
YAML
pinion registry --config registry.yaml >registry.log 2>&1 &
REGISTRY=$!
until_true pinion status
pinion gateway --config gateway.yaml >gateway.log 2>&1 &
until_true curl --fail --silent http://127.0.0.1:8082/readyz
"""

_SERVERS = r"""
addressbook_migrate create --db addressbook.db
addressbook_migrate expand --db addressbook.db
addressbook_v1 --db addressbook.db --listen 127.0.0.1:9001 >v1.log 2>&1 &
addressbook_v2 --db addressbook.db --listen 127.0.0.1:9002 >v2.log 2>&1 &
until_true grep -q 127.0.0.1:9001 v1.log
until_true grep -q 127.0.0.1:9002 v2.log
"""

_ADDRESSBOOK = r"""
pinion version publish addressbook 1.0.0 --descriptor-set v1.binpb
pinion version publish addressbook 2.0.0 --descriptor-set v2.binpb
pinion instance register addressbook 1.0.0 127.0.0.1:9001
pinion instance register addressbook 2.0.0 127.0.0.1:9002
pinion consumer add billing
pinion consumer add shipping
pinion pin set billing addressbook '^1'
pinion pin set shipping addressbook '^2'
until_true addressbook_client --target 127.0.0.1:8080 --consumer shipping --schema 2 list
"""

# World → (what it says to a reader of a failing test, the script).
WORLDS = {
    "empty": ("an empty folder", ""),
    "clone": ("the root of a clone, built", ""),
    "registry": ("an empty registry on 8081 with a gateway on 8080", _REGISTRY),
    "apart": ("the same in two processes, with a snapshot directory", _APART + _SERVERS + _ADDRESSBOOK),
    "servers": ("the same, and servers of two versions of the address book", _REGISTRY + _SERVERS),
    "addressbook": ("the same, published, registered, and with two consumers", _REGISTRY + _SERVERS + _ADDRESSBOOK),
}


def prepare(world, folder):
    """Lays out `folder` and returns the script that begins the world."""
    if world == "clone":
        for entry in ROOT.iterdir():
            if entry.name != ".git":
                (folder / entry.name).symlink_to(entry)
    for name in ("v1.binpb", "v2.binpb"):
        if world != "clone":
            (folder / name).symlink_to(PROGRAMS / name)
    return _WAIT + WORLDS[world][1]


def environment(world, folder):
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ}
    # From a clone one names programs by their place in the build.
    path = kept["PATH"] if world == "clone" else f"{BUILD}:{PROGRAMS}:{kept['PATH']}:/usr/sbin"
    return {**kept, "PATH": path, "CLONE": str(ROOT), "HOME": str(folder), "PINION_ACTOR": "alice", "TMPDIR": str(folder), "NO_COLOR": "1"}
