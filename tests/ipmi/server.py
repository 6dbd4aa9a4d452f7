# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test BMC's server: one UDP socket, one thread, sessions, cipher suites, faults, and a log of all that came."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import wire
from .wire import Keys, Malformed, Request


@dataclass
class Session:
    """One session, from its opening on."""

    number: int
    client: int
    suite: int
    address: Any
    stage: str = "opened"
    user: Optional[str] = None
    privilege: int = 0
    requested: int = 0
    client_random: bytes = b""
    own_random: bytes = field(default_factory=lambda: os.urandom(16))
    keys: Optional[Keys] = None
    sequence: int = 0
    seen: set = field(default_factory=set)
    answered: dict = field(default_factory=dict)


@dataclass
class Fault:
    """What is to go wrong with a command: ``lose_request``, ``lose_answer``, or a completion code."""

    what: Any
    command: Optional[tuple[int, int]]
    times: int


class Server:
    """What is common to all commands. ``handle(session, request)`` returns completion code and data."""

    def __init__(self, *, users: Callable[[], dict], suites: tuple = (17, 3), answers_with: Optional[int] = None,
                 silent_suites: tuple = (), kg: bytes = b"", max_sessions: int = 4, refusal: int = 0x11,
                 naive: bool = False, latency: float = 0.0, silent_on_wrong: bool = False) -> None:
        self.users, self.suites, self.answers_with, self.silent_suites = users, suites, answers_with, silent_suites
        self.kg, self.max_sessions, self.refusal, self.naive = kg, max_sessions, refusal, naive
        self.latency, self.silent_on_wrong = latency, silent_on_wrong
        self.guid = bytes(range(0x40, 0x50))
        self.sessions: dict[int, Session] = {}
        self.faults: list[Fault] = []
        self.mute = False
        self.loss = 0.0  # the share of the packets, in and out, that are lost
        self.dice = random.Random(0)
        self.mutate: Callable[[Request, int, bytes], tuple[int, bytes]] = lambda request, code, data: (code, data)
        self.packets = self.logins = self.closed = self.repeats = 0
        self.problems: list[str] = []
        self.offers: list[int] = []
        self.log: list[tuple[int, int, bytes]] = []
        self.handle: Callable[[Session, Request], tuple[int, bytes]] = lambda session, request: (0xC1, b"")
        self.on_sol: Callable[[Session, bytes], None] = lambda session, payload: None
        self.on_end: Callable[[Session], None] = lambda session: None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.host, self.port = self._socket.getsockname()
        self._next = 0x1000
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        """Serve from here on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        if self._running:
            self._running = False
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", (self.host, self.port))
            self._thread.join(5)
            self._socket.close()

    def move(self, host: str) -> None:
        """Go to another address at once, as a BMC does: all sessions are gone. To be called while a command is done."""
        moved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        moved.bind((host, self.port))
        self._socket.close()
        self._socket, self.host = moved, host
        self.sessions.clear()

    def open_sessions(self) -> list[Session]:
        """Return the sessions that are logged in."""
        return [session for session in self.sessions.values() if session.stage == "active"]

    def _serve(self) -> None:
        while self._running:
            packet, address = self._socket.recvfrom(4096)
            if not self._running:
                return
            self.packets += 1
            if self.mute or self._lost():
                continue
            if self.latency:
                time.sleep(self.latency)
            try:
                self._take(packet, address)
            except Malformed as error:
                self.problems.append(f"malformed: {error}")
            except (IndexError, KeyError, ValueError, struct.error) as error:
                self.problems.append(f"{type(error).__name__}: {error} at {packet.hex()}")

    def _lost(self) -> bool:
        return self.loss > 0 and self.dice.random() < self.loss

    def _send(self, packet: bytes, address: Any) -> None:
        if self._lost():
            return
        self._socket.sendto(packet, address)

    def _take(self, packet: bytes, address: Any) -> None:
        if packet[:4] != wire.RMCP:
            raise Malformed("no RMCP header")
        if packet[4] == 0:
            return self._old(packet, address)
        if packet[4] != 6:
            raise Malformed("an authentication type of IPMI 1.5")
        kind, number = packet[5] & 0x3F, struct.unpack("<I", packet[6:10])[0]
        if kind in (wire.OPEN, wire.RAKP1, wire.RAKP3):
            return {wire.OPEN: self._open, wire.RAKP1: self._rakp1, wire.RAKP3: self._rakp3}[kind](packet[16:], address)
        session = self.sessions.get(number)
        if session is None or session.keys is None:
            return None  # a session that has ended
        sequence = struct.unpack("<I", packet[10:14])[0]
        payload = wire.opened(packet, session.keys)
        if sequence in session.seen or sequence == 0:
            raise Malformed(f"the session's sequence number {sequence} came twice")
        session.seen.add(sequence)
        if kind == wire.SOL:
            return self.on_sol(session, payload)
        return self._command(session, Request.parse(payload))

    def _old(self, packet: bytes, address: Any) -> None:
        """Answer Get Channel Authentication Capabilities, the one command outside of a session."""
        request = Request.parse(packet[14:14 + packet[13]])
        if (request.netfn, request.command) != (0x06, 0x38):
            raise Malformed("a command outside of a session")
        self._send(wire.old_answer(request.answer(0, bytes((1, 0x80, 0x04, 0x02, 0, 0, 0, 0)))), address)

    # -- logging in ------------------------------------------------------------------------------------------------

    def _open(self, data: bytes, address: Any) -> None:
        """Open Session Request (section 13.17)."""
        tag, client = data[0], data[4:8]
        named = (data[12], data[20], data[28])
        offered = next((number for number, suite in wire.SUITES.items() if suite[0] == named), 0)
        self.offers.append(offered)
        if offered in self.silent_suites:
            return
        suite = self.answers_with or offered
        for old in [old for old in self.sessions.values() if old.stage != "active" and old.address == address]:
            del self.sessions[old.number]  # a login that was begun anew
        full = len(self.sessions) >= self.max_sessions
        if full or suite not in self.suites:
            status = 0x01 if full else self.refusal
            return self._send(wire.plain(wire.OPENED, bytes((tag, status, 0, 0)) + client), address)
        self._next += 1
        session = Session(self._next, struct.unpack("<I", client)[0], suite, address)
        self.sessions[session.number] = session
        algorithms = b"".join(bytes((kind, 0, 0, 8, number, 0, 0, 0))
                              for kind, number in enumerate(wire.SUITES[suite][0]))
        self._send(wire.plain(wire.OPENED, bytes((tag, 0, 4, 0)) + client + struct.pack("<I", session.number)
                              + algorithms), address)

    def _pending(self, data: bytes) -> Optional[Session]:
        return self.sessions.get(struct.unpack("<I", data[4:8])[0])

    def _fail(self, kind: int, tag: int, status: int, session: Session) -> None:
        """Refuse a login and forget it."""
        self.sessions.pop(session.number, None)
        if not self.silent_on_wrong:
            self._send(wire.plain(kind, bytes((tag, status, 0, 0)) + struct.pack("<I", session.client)),
                       session.address)

    def _rakp1(self, data: bytes, address: Any) -> None:
        """RAKP message 1: who logs in (section 13.20)."""
        session = self._pending(data)
        if session is None:
            return
        tag, session.client_random, session.requested = data[0], data[8:24], data[24]
        name = data[28:28 + data[27]].decode()
        user = self.users().get(name)
        if user is None or not user["enabled"]:
            return self._fail(wire.RAKP2, tag, 0x0D, session)
        if session.requested & 0x0F > user["privilege"]:
            return self._fail(wire.RAKP2, tag, 0x09, session)
        session.user, session.stage = name, "named"
        text = (struct.pack("<II", session.client, session.number) + session.client_random + session.own_random
                + self.guid + self._who(session))
        code = Keys(session.suite, b"").mac(user["password"].encode(), text)
        self._send(wire.plain(wire.RAKP2, bytes((tag, 0, 0, 0)) + struct.pack("<I", session.client)
                              + session.own_random + self.guid + code), address)

    @staticmethod
    def _who(session: Session) -> bytes:
        name = (session.user or "").encode()
        return bytes((session.requested, len(name))) + name

    def _rakp3(self, data: bytes, address: Any) -> None:
        """RAKP message 3: the client's proof of the password (section 13.22)."""
        session = self._pending(data)
        if session is None or session.stage != "named":
            return
        tag, status = data[0], data[1]
        if status:
            self.sessions.pop(session.number)
            return
        password = self.users()[session.user]["password"].encode()
        maker = Keys(session.suite, b"")
        proof = maker.mac(password, session.own_random + struct.pack("<I", session.client) + self._who(session))
        if proof != data[8:]:
            return self._fail(wire.RAKP4, tag, 0x0F, session)
        sik = maker.mac(self.kg or password, session.client_random + session.own_random + self._who(session))
        session.keys, session.stage, session.privilege = Keys(session.suite, sik), "active", 2
        self.logins += 1
        proof = session.keys.mac(sik, session.client_random + struct.pack("<I", session.number) + self.guid)
        self._send(wire.plain(wire.RAKP4, bytes((tag, 0, 0, 0)) + struct.pack("<I", session.client)
                              + proof[:session.keys.length]), address)

    # -- commands --------------------------------------------------------------------------------------------------

    def fail_next(self, what: Any, command: Optional[tuple[int, int]] = None, *, times: int = 1) -> None:
        """Let the next ``times`` requests (of one command) go wrong: see :class:`Fault`."""
        self.faults.append(Fault(what, command, times))

    def _fault(self, request: Request) -> Any:
        for fault in self.faults:
            if fault.times and fault.command in (None, (request.netfn, request.command)):
                fault.times -= 1
                return fault.what
        return None

    def send_session(self, session: Session, kind: int, payload: bytes) -> None:
        """Send a packet of a session."""
        session.sequence += 1
        self._send(wire.sealed(kind, payload, keys=session.keys, session=session.client, sequence=session.sequence),
                   session.address)

    def _command(self, session: Session, request: Request) -> None:
        """Do a command, once: a request that comes again with its sequence number is answered from memory."""
        fault = self._fault(request)
        if fault == "lose_request":
            return
        mark = (request.sequence, request.netfn, request.command, request.data)
        if mark in session.answered and not self.naive:
            self.repeats += 1
            code, data = session.answered[mark]
        elif isinstance(fault, int):
            code, data = fault, b""
        else:
            self.log.append((request.netfn, request.command, request.data))
            own = self._own(session, request)
            code, data = own or self.mutate(request, *self.handle(session, request))
            session.answered = {mark: (code, data)}
        if (request.netfn, request.command) == (0x06, 0x3C) and code == 0:
            self.end(session)
        if fault != "lose_answer":
            self.send_session(session, wire.IPMI, request.answer(code, data))

    def _own(self, session: Session, request: Request) -> Optional[tuple[int, bytes]]:
        """Answer what concerns the session itself."""
        if (request.netfn, request.command) == (0x06, 0x3B):
            level = request.data[0]
            if level > self.users()[session.user]["privilege"]:
                return 0x80, b""
            session.privilege = level or session.privilege
            return 0, bytes((session.privilege,))
        if (request.netfn, request.command) == (0x06, 0x3C):
            self.closed += 1
            return 0, b""
        return None

    def end(self, session: Session) -> None:
        """Forget a session, as a BMC that has restarted does."""
        if self.sessions.pop(session.number, None) is not None:
            self.on_end(session)
