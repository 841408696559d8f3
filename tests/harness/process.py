"""Starts programs, waits until they listen, reads what they cost, and ends exactly those that it started."""

import errno
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_POLL_SECONDS = 0.02
_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
# Of linux/netlink.h, linux/sock_diag.h; the inode in a netlink message with an inet_diag_msg.
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _INODE_AT = 4, 20, 1, 84


class StartError(Exception):
    """A program did not come up; the message says which and shows what it last said."""


def free_port():
    """A port below the ephemeral range on which nothing listens: for programs that cannot choose one themselves."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def may_unshare(*namespaces):
    """Whether namespaces of one's own, like `--mount`, can be had here: for users who are root, outside of containers that forbid it."""
    command = ["unshare", *namespaces, "--fork", "true"]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def _cpu_seconds(stat):
    try:
        fields = stat.read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0  # it has ended
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def _names(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []  # its process has ended


def _sockets_of(pid):
    """The inodes of those that it has open."""
    sockets = set()
    for name in _names(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # closed meanwhile
        if link.startswith("socket:["):
            sockets.add(link[8:-1])
    return sockets


def _tcp_table():
    """(local port, remote port, state, inode) of each TCP socket. To read it costs ten milliseconds, however few there are."""
    for table in ("tcp", "tcp6"):
        for row in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            yield int(fields[1].rsplit(":", 1)[1], 16), int(fields[2].rsplit(":", 1)[1], 16), fields[3], fields[9]


def connection(local_port, remote_port):
    """The inode of the TCP socket between these ports of 127.0.0.1, as `Process.has_socket` takes it; None: there is none any more."""
    loopback = socket.inet_aton("127.0.0.1") + bytes(12)
    # sock_diag(7): a header, then inet_diag_req_v2 for one socket with any cookie.
    request = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF)
    request += struct.pack("!HH", local_port, remote_port) + loopback + loopback + struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + request)
        answer = kernel.recv(4096)
    if struct.unpack_from("=H", answer, 4)[0] == _SOCK_DIAG_BY_FAMILY:
        return str(struct.unpack_from("=I", answer, _INODE_AT)[0])
    if struct.unpack_from("=i", answer, 16)[0] == -errno.ENOENT:
        return None
    # A kernel that cannot be asked like this.
    return next((inode for local, remote, _, inode in _tcp_table() if (local, remote) == (local_port, remote_port)), None)


class Process:
    """One running program with its output in a log file. A context manager: leaving it ends the program."""

    def __init__(self, argv, log, cores=None, env=None):
        """`cores`: what taskset takes, e.g. "0" or "0,1"."""
        self.name = pathlib.Path(argv[0]).name
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if cores is not None:
            argv = ["taskset", "-c", cores, *argv]
        with open(self.log, "wb") as output:
            self._child = subprocess.Popen([str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=ROOT)
        self.pid = self._child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def output(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self._child.poll() is None

    def stop(self, seconds=5):
        """SIGTERM, then SIGKILL. Returns the exit status (negative: the signal that ended it)."""
        if self.alive():
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
        return self._child.wait()

    def wait(self, look, what, seconds=10):
        """What `look` finds, as soon as it finds something; StartError when that takes longer, or the program ends."""
        deadline = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if not self.alive() or time.monotonic() > deadline:
                state = "gave up waiting" if self.alive() else f"it ended with {self._child.returncode}"
                last = "\n".join(self.output().splitlines()[-5:])
                raise StartError(f"{self.name}: no {what} ({state})\n{last}")
            time.sleep(_POLL_SECONDS)

    def wait_line(self, pattern, seconds=10):
        """The first match of `pattern` in what the program prints."""
        return self.wait(lambda: re.search(pattern, self.output()), f"line like `{pattern}`", seconds)

    def wait_port(self, port=None, seconds=10):
        """The port that this program (and no other) listens on; any of its ports unless `port` is given."""
        def look():
            ports = self.listening_ports()
            return (port if port in ports else None) if port else next(iter(ports), None)
        return self.wait(look, f"listener on {port or 'any port'}", seconds)

    def family(self):
        """Its pid and those of all its descendants."""
        pids = [self.pid]
        for pid in pids:
            for task in _names(f"/proc/{pid}/task"):
                try:
                    pids += [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
                except OSError:
                    continue  # ended meanwhile
        return pids

    def listening_ports(self):
        """TCP ports on which the program or a child of it listens, read from /proc."""
        sockets = set().union(*(_sockets_of(pid) for pid in self.family()))
        return [local for local, _, state, inode in _tcp_table() if state == _LISTEN and inode in sockets]

    def has_socket(self, inode):
        """Whether the program itself has it open."""
        return inode in _sockets_of(self.pid)

    def cpu_seconds(self):
        """User and system time of the program and its children so far."""
        return sum(_cpu_seconds(pathlib.Path(f"/proc/{pid}/stat")) for pid in self.family())

    def thread_cpu_seconds(self):
        """{thread id: user and system time so far} of the program itself."""
        return {task.name: _cpu_seconds(task / "stat") for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()}

    def memory_bytes(self):
        """Private resident memory that was written to, with its children. The clean pages of programs and libraries are left out:
        they turn private when another process that has them too ends."""
        total = 0
        for pid in self.family():
            try:
                rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(n) for n in re.findall(r"^Private_Dirty: +(\d+) kB", rollup, re.MULTILINE)) * 1024
        return total
