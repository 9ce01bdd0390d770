"""A TCP wire that a test can interrupt, in each direction, without either end being told."""

import contextlib
import selectors
import socket
import threading

_BREAK = b"x"


class Wire:
    """Listens on 127.0.0.1:port and passes everything on to 127.0.0.1:target, as long as it may."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._requests = self._answers = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._peer: dict[socket.socket, socket.socket] = {}
        self._from_client: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._bell, self._ring = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._watched = threading.Event()
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def passes(self, *, requests: bool, answers: bool) -> None:
        """What passes from now on. What does not waits, as it would in the senders' TCP."""
        self._requests, self._answers = requests, answers
        self._tell(b".")

    def breaks(self) -> None:
        """All connections over it end; new ones begin."""
        self._tell(_BREAK)

    def _tell(self, word: bytes) -> None:
        self._watched.clear()
        self._ring.send(word)
        assert self._watched.wait(30), "the wire hangs"

    def close(self) -> None:
        """The end of it and of all its connections."""
        self._open = False
        self._ring.send(b".")
        self._thread.join(10)
        self._bell.close()
        self._ring.close()

    def _run(self) -> None:
        while self._open:
            for key, _ in self._selector.select():
                if key.fileobj is self._bell:
                    if _BREAK in self._bell.recv(64):
                        for client in tuple(self._from_client):
                            self._end(client)
                    self._watch()
                    self._watched.set()
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    self._pass_on(key.fileobj)  # type: ignore[arg-type]
        for end in (*self._peer, self._listener):
            end.close()
        self._selector.close()

    def _watch(self) -> None:
        """Read from those ends only whose words may pass."""
        for end in self._peer:
            wanted = self._requests if end in self._from_client else self._answers
            if wanted and end not in self._selector.get_map():
                self._selector.register(end, selectors.EVENT_READ)
            elif not wanted and end in self._selector.get_map():
                self._selector.unregister(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer[client], self._peer[server] = server, client
        self._from_client.add(client)
        self._watch()

    def _pass_on(self, end: socket.socket) -> None:
        if end not in self._peer:
            return
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(65536)
        try:
            if data:
                self._peer[end].sendall(data)
                return
        except OSError:
            pass
        self._end(end)

    def _end(self, end: socket.socket) -> None:
        for gone in (end, self._peer[end]):
            if gone in self._selector.get_map():
                self._selector.unregister(gone)
            gone.close()
            self._from_client.discard(gone)
            del self._peer[gone]
