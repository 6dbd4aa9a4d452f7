# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""HTTP/1.1 over TCP or TLS in threads: a listener that can go away and come back on its port, one thread a connection."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time

from .messages import REASONS, Headers, Request, Response, error

_PIECE = 65536
_DRAIN = 1 << 20


class Gone(Exception):
    """The peer has gone, or spoke no HTTP."""


class Connection:
    """One accepted connection, served until either side ends it."""

    def __init__(self, server: "Server", sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.file = None
        self._generation = server.generation

    def run(self) -> None:
        """Serve requests until the connection ends. Never raises."""
        counters = self.server.counters
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.server.context is not None:
                self.sock.settimeout(self.server.idle)
                try:
                    self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
                except OSError:
                    counters.add("handshake_failures")
                    return
                counters.add("handshakes")
            if self._generation != self.server.generation:  # the server went away meanwhile, and could not tell this one
                return
            self.sock.settimeout(self.server.idle)
            self.file = self.sock.makefile("rb", _PIECE)
            while self._one():
                pass
        except (OSError, Gone, ValueError):
            pass
        finally:
            self.end()
            self.server.forget(self)

    def end(self, *, reset: bool = False) -> None:
        """Close, with RST where asked."""
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self.file is not None:
                self.file.close()
            if not reset and not isinstance(self.sock, ssl.SSLSocket):
                self.sock.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass
        finally:
            self.sock.close()

    def abort(self) -> None:
        """Wake the thread that serves this connection (called by another thread)."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass

    def _one(self) -> bool:
        line = self.file.readline(_PIECE)
        if not line.strip():
            return False
        parts = line.decode("latin-1").split()
        if len(parts) != 3:
            raise Gone
        method, target, version = parts
        request = Request(method, target, self._headers(), None)
        request.peer = self.sock.getpeername()[0]
        request.connection = self
        request.attach(self._body(request.headers))
        counters = self.server.counters
        counters.began(method, request.path)
        try:
            response = self._answer(request)
            counters.answered(0 if response.reset else response.status)
            again = self._send(request, response, version)
        finally:
            counters.ended()
        if response.after is not None:
            response.after()
        return again

    def _answer(self, request: Request) -> Response:
        try:
            return self.server.handler(request)
        except (OSError, Gone):
            raise
        except Exception as problem:  # pylint: disable=broad-except
            self.server.problems.append(problem)
            return error("InternalError")

    def _headers(self) -> Headers:
        found = Headers()
        while True:
            line = self.file.readline(_PIECE)
            if not line:
                raise Gone
            if not line.strip():
                return found
            name, _sep, value = line.decode("latin-1").partition(":")
            found[name.strip().lower()] = value.strip()

    def _body(self, headers: Headers):
        if "chunked" in (headers.get("transfer-encoding") or "").lower():
            return self._chunked(headers)
        length = headers.get("content-length")
        if length is None or not length.isdigit() or int(length) == 0:
            return None
        return self._counted(headers, int(length))

    def _proceed(self, headers: Headers) -> None:
        if (headers.get("expect") or "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _counted(self, headers: Headers, left: int):
        self._proceed(headers)
        while left:
            piece = self.file.read(min(_PIECE, left))
            if not piece:
                raise Gone
            left -= len(piece)
            yield piece

    def _chunked(self, headers: Headers):
        self._proceed(headers)
        while True:
            size = int(self.file.readline(_PIECE).split(b";")[0] or b"x", 16)
            if size == 0:
                while self.file.readline(_PIECE).strip():
                    pass
                return
            yield from self._counted(Headers(), size)
            self.file.readline(_PIECE)

    def _send(self, request: Request, response: Response, version: str) -> bool:
        if response.wait:
            self.server.stopped.wait(response.wait)
        if response.hang:
            self.server.stopped.wait(response.hang)
            return False
        if response.reset:
            self.end(reset=True)
            return False
        keep = version == "HTTP/1.1" and "close" not in (request.headers.get("connection") or "").lower()
        keep = keep and not response.close and response.truncate is None and self._drained(request)
        headers = {"Server": "testbmc", "OData-Version": "4.0", "Cache-Control": "no-cache", **response.headers}
        if response.status != 204 and not 100 <= response.status < 200:
            headers.setdefault("Content-Length", str(len(response.body)))
        headers["Connection"] = "keep-alive" if keep else "close"
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        body = b"" if request.method == "HEAD" or response.status == 204 else response.body
        if response.truncate is not None:
            body = body[:response.truncate]
        self._write(head, body, response.drip)
        return keep

    def _write(self, head: bytes, body: bytes, drip: float) -> None:
        if not drip:
            self.sock.sendall(head + body)
            return
        self.sock.sendall(head)
        steps = 20
        size = max(1, -(-len(body) // steps))
        for start in range(0, len(body), size):
            self.sock.sendall(body[start:start + size])
            if self.server.stopped.wait(drip / steps):
                raise Gone

    def _drained(self, request: Request) -> bool:
        taken = 0
        for piece in request.chunks():
            taken += len(piece)
            if taken > _DRAIN:
                return False
        return True


class Server:
    """Listens on an address; `handler(request) -> Response` answers. `down(seconds)` refuses connections for a while."""

    def __init__(self, handler, counters, *, host: str = "127.0.0.1", port: int = 0, context=None) -> None:
        self.handler = handler
        self.counters = counters
        self.host, self.port = host, port
        self.context = context
        self.idle = 120.0
        self.problems: list = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._live: set = set()
        self._holder = None
        self._listener = None
        self.generation = 0

    def start(self) -> None:
        """Bind and listen; returns when connections are accepted."""
        self.stopped.clear()
        # A socket that is bound but does not listen keeps the port ours while the listener is away.
        self._holder = self._bound()
        self.port = self._holder.getsockname()[1]
        self._listen()

    def _bound(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, self.port))
        return sock

    def _listen(self) -> None:
        with self._lock:
            if self.stopped.is_set() or self._listener is not None:
                return
            self._listener = self._bound()
            self._listener.listen(256)
            threading.Thread(target=self._accept, args=(self._listener,), name=f"testbmc-{self.port}", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _peer = listener.accept()
            except OSError:
                return
            connection = Connection(self, sock)
            with self._lock:
                if self._listener is not listener:
                    sock.close()
                    return
                self._live.add(connection)
            self.counters.opened()
            threading.Thread(target=connection.run, daemon=True).start()

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        with self._lock:
            self._live.discard(connection)
        self.counters.closed()

    def _close(self, *, keep=None) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            self.generation += 1
            live = [item for item in self._live if item is not keep]
        if listener is not None:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        for connection in live:
            connection.abort()

    def down(self, seconds: float, *, keep=None, before_up=lambda: None) -> None:
        """Refuse connections for a while and drop the open ones (but `keep`, which is to get its answer)."""
        def up() -> None:
            before_up()
            self._listen()

        self._close(keep=keep)
        timer = threading.Timer(seconds, up)
        timer.daemon = True
        timer.start()

    def move(self, host: str) -> None:
        """Be at another address from now on, on the same port."""
        self._close()
        self._holder.close()
        self.host = host
        self._holder = self._bound()
        self._listen()

    def up(self) -> None:
        """Come back at once."""
        self._listen()

    @property
    def listening(self) -> bool:
        """Whether connections are accepted now."""
        return self._listener is not None

    def stop(self) -> None:
        """Close everything; waits briefly for connections to end."""
        self.stopped.set()
        self._close()
        if self._holder is not None:
            self._holder.close()
        deadline = time.monotonic() + 2
        while self._live and time.monotonic() < deadline:
            time.sleep(0.002)
