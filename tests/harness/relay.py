"""TCP relays before servers. One counts the bytes that pass, which shows what a call really reached; several on the same `Links` are a
network that can be cut: what is sent is held, no connection breaks, and nobody is told."""

import contextlib
import socket
import struct
import threading
import time

from tests.harness.process import connection


class Links:
    """What may pass from whom to whom, of all relays that were given it. Pairs are (from, to), by the names of the parties, so one way
    can be cut without the other; None is whoever has not joined. Thread-safe."""

    def __init__(self):
        self._changed = threading.Condition()
        self._parties = {}
        self._cut = set()
        self._delays = {}
        self._resets = {}  # pair → how often what it held was thrown away

    def join(self, name, party):
        """`party.process` is who opens connections as `name`: a Process, another one after a restart, or None."""
        self._parties[name] = party

    def dialer(self, local_port, remote_port):
        """The party that has this connection."""
        if not self._parties:
            return None
        inode = connection(local_port, remote_port)
        for name, party in list(self._parties.items()):
            if party.process is not None and party.process.has_socket(inode):
                return name
        return None

    def cut(self, pairs):
        """Nothing passes from now on; a new connection is taken and its other end hears nothing of it."""
        with self._changed:
            self._cut.update(pairs)

    def slow(self, pairs, seconds):
        """Each piece takes so much longer, one after the other."""
        with self._changed:
            self._delays.update(dict.fromkeys(pairs, seconds))

    def heal(self, reset=False):
        """Everything passes again, what was held first, late as it is. `reset`: connections that held something break instead."""
        with self._changed:
            if reset:
                for pair in self._cut:
                    self._resets[pair] = self._resets.get(pair, 0) + 1
            self._cut.clear()
            self._delays.clear()
            self._changed.notify_all()

    def wait(self, pair):
        """Until something may pass. ConnectionResetError: it has been thrown away."""
        with self._changed:
            resets = self._resets.get(pair, 0)
            self._changed.wait_for(lambda: pair not in self._cut)
            if self._resets.get(pair, 0) != resets:
                raise ConnectionResetError
            delay = self._delays.get(pair, 0)
        if delay:
            time.sleep(delay)


class Relay:
    """Listens on a free port of 127.0.0.1 (`port`) and forwards to `target_port`. Ends with the process."""

    def __init__(self, target_port, links=None, name="target", hang_ups=0):
        """`name`: the target's among `links`. `hang_ups`: so many connections are closed at once, as by a target that is away."""
        self._hang_ups = hang_ups
        self._target = ("127.0.0.1", target_port)
        self._links = links or Links()
        self._name = name
        self._lock = threading.Lock()
        self._bytes = 0
        self._connections = []
        self._vanished = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def bytes(self):
        """Bytes that were sent towards the upstream so far."""
        with self._lock:
            return self._bytes

    def vanish(self):
        """Whatever is sent on the connections that are open now is lost, and they stay open: as when a machine has gone whose address
        another one takes, which is the target for new connections."""
        with self._lock:
            self._vanished.update(self._connections)

    def close(self):
        """Cuts all that it forwards, and takes no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # it has ended by itself
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def _accept(self):
        while True:
            try:
                client, peer = self._listener.accept()
            except OSError:
                return  # closed
            if self._hang_ups:
                self._hang_ups -= 1
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client, peer[1]), daemon=True).start()

    def _serve(self, client, client_port):
        dialer = self._links.dialer(client_port, self.port)
        there, back = (dialer, self._name), (self._name, dialer)
        try:
            self._links.wait(there)
            server = socket.create_connection(self._target)
        except OSError:
            _break(client)
            return
        connections = (client, server)
        with self._lock:
            self._connections += connections
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = threading.Thread(target=self._pump, args=(server, client, back, False), daemon=True)
        answers.start()
        self._pump(client, server, there, True)
        answers.join()
        with self._lock:
            for connection in connections:
                connection.close()
                self._connections.remove(connection)
                self._vanished.discard(connection)

    def _pump(self, source, sink, pair, counted):
        try:
            while chunk := source.recv(65536):
                self._links.wait(pair)
                with self._lock:
                    if source in self._vanished:
                        continue
                    self._bytes += len(chunk) if counted else 0
                sink.sendall(chunk)
            self._links.wait(pair)
            if source not in self._vanished:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            _break(source)
            _break(sink)


def _break(connection):
    """Resets it, also while another thread reads from it."""
    with contextlib.suppress(OSError):  # it has ended by itself
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    connection.close()
