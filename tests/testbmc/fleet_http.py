# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""HTTP/1.1 for the fleet server: a protocol object a connection, no coroutine a request."""

from __future__ import annotations

import asyncio
import json
import secrets

from .auth import basic_credentials
from .messages import REASONS, error, normalise

SESSIONS = "/redfish/v1/SessionService/Sessions"
OPEN = ("/redfish", "/redfish/v1")


class FleetProtocol(asyncio.Protocol):
    """Answers GET, logging in and out, and nothing else: a fleet is read."""

    def __init__(self, fleet, machine) -> None:
        self.fleet = fleet
        self.machine = machine
        self.transport = None
        self._buffer = b""
        self._waited = False
        self._busy = False
        self._timers: list = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def connection_lost(self, _exc) -> None:
        for timer in self._timers:
            timer.cancel()
        self.fleet.closed(self.machine)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        if self._busy:
            return
        head, sep, rest = self._buffer.partition(b"\r\n\r\n")
        if not sep:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length") or 0)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        words = lines[0].split()
        if len(words) != 3:
            self.transport.close()
            return
        self._busy = True
        self._later(words[0], normalise(words[1].partition("?")[0]), headers=headers, body=rest[:length])

    def _later(self, method: str, path: str, *, headers: dict, body: bytes) -> None:
        settings = self.fleet.settings
        delay = settings.latency
        if self.machine.kind == "slow" and (settings.slow_scope == "every" or not self._waited):
            delay += settings.slow_seconds
        self._waited = True

        def answer() -> None:
            if self.transport.is_closing():
                return
            self.fleet.count["requests"] += 1
            status, extra, content = self._answer(method, path, headers=headers, body=body)
            self._send(status, extra, content=content, close=headers.get("connection", "").lower() == "close")
            self._busy = False
            if not self.transport.is_closing():
                self._next()

        if delay:
            self._timers = [asyncio.get_running_loop().call_later(delay, answer)]
        else:
            answer()

    def _send(self, status: int, extra: str, *, content: bytes, close: bool) -> None:
        head = (f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nOData-Version: 4.0\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n{extra}Connection: {'close' if close else 'keep-alive'}\r\n\r\n")
        if status == 204:
            head = head.replace("Content-Length: 0\r\n", "")
        self.transport.write(head.encode("latin-1") + content)
        if close:
            self.transport.close()

    def _answer(self, method: str, path: str, *, headers: dict, body: bytes):
        if method == "POST" and path == SESSIONS:
            return self._log_in(body)
        if not self._allowed(method, path, headers):
            self.fleet.count["unauthorized"] += 1
            return 401, 'WWW-Authenticate: Basic realm="Redfish"\r\n', error("NoValidSession").body
        if method == "DELETE" and path.startswith(SESSIONS + "/"):
            return self._log_out(path)
        if method not in ("GET", "HEAD"):
            self.fleet.count["writes"] += 1
            return 405, "Allow: GET, HEAD\r\n", error("OperationNotAllowed").body
        content = self._page(path)
        if content is None:
            return 404, "", error("ResourceMissingAtURI", path).body
        return 200, "", content if method == "GET" else b""

    def _page(self, path: str):
        if path == SESSIONS:
            listed = [{"@odata.id": f"{SESSIONS}/{number}"} for number in self.machine.sessions.values()]
            return json.dumps({"@odata.id": path, "@odata.type": "#SessionCollection.SessionCollection", "Name": "Sessions", "Members": listed,
                               "Members@odata.count": len(listed)}).encode()
        return self.fleet.pages.get(path, self.machine)

    def _good(self, user, password) -> bool:
        return (user, password) == (self.fleet.settings.username, self.fleet.settings.password)

    def _allowed(self, method: str, path: str, headers: dict) -> bool:
        if headers.get("x-auth-token") in self.machine.sessions:
            return True
        if "authorization" in headers:
            self.fleet.count["basic_requests"] += 1
            return self._good(*(basic_credentials(headers["authorization"]) or (None, None)))
        return method in ("GET", "HEAD") and path in OPEN

    def _log_in(self, body: bytes):
        try:
            data = json.loads(body)
        except ValueError:
            return 400, "", error("MalformedJSON").body
        if not isinstance(data, dict) or not self._good(data.get("UserName"), data.get("Password")):
            self.fleet.count["failed_logins"] += 1
            return 401, "", error("NoValidSession").body
        if len(self.machine.sessions) >= self.fleet.settings.session_cap:
            return 503, "", error("SessionLimitExceeded").body
        self.fleet.count["logins"] += 1
        token, number = secrets.token_hex(8), str(self.fleet.count["logins"])
        self.machine.sessions[token] = number
        path = f"{SESSIONS}/{number}"
        made = {"@odata.id": path, "@odata.type": "#Session.v1_3_0.Session", "Id": number, "Name": "Session", "UserName": data["UserName"]}
        return 201, f"X-Auth-Token: {token}\r\nLocation: {path}\r\n", json.dumps(made).encode()

    def _log_out(self, path: str):
        number = path.rpartition("/")[2]
        for token, found in list(self.machine.sessions.items()):
            if found == number:
                del self.machine.sessions[token]
                self.fleet.count["logouts"] += 1
                return 204, "", b""
        return 404, "", error("ResourceMissingAtURI", path).body
