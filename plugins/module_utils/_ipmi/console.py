# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system's serial console: Serial over LAN in the session that is open (IPMI 2.0, sections 15 and 24)."""

from __future__ import annotations

from codecs import getincrementaldecoder
from typing import Callable, Optional

from .._bmc.errors import BmcError, Rejected, Unreachable, Unsupported
from .._bmc.interface import Console, Driver
from .._domain.deadline import Deadline
from .commands import ACTIVATE_PAYLOAD, DEACTIVATE_PAYLOAD, GET_DEVICE_ID
from .completion import completion_code
from .session import RmcpSession

# Payload type and instance, then: encrypted, authenticated, no serial alerts, CTS and so on left as they are.
SOL = bytes((1, 1))
ACTIVATE = SOL + bytes((0xC0, 0, 0, 0))
DEACTIVATE = SOL + bytes(4)
TAKEN, OFF, TOO_MANY, NOT_ENCRYPTED = 0x80, 0x81, 0x82, 0x83
REFUSALS: dict[int, tuple[type[BmcError], str, str]] = {
    TAKEN: (Rejected, "another session holds the console", "End that session, or wait until it ends."),
    OFF: (Unsupported, "Serial over LAN is switched off", "Switch it on in the BMC's settings."),
    TOO_MANY: (Rejected, "as many sessions as it allows hold the console", "End one of them."),
    NOT_ENCRYPTED: (Unsupported, "it gives the console only without encryption",
                    "Allow encryption of Serial over LAN in the BMC's settings."),
}
# Status bits of a packet: not taken, and why.
NACK, CHARACTERS_LOST, DEACTIVATED = 0x40, 0x20, 0x10
# Seconds: how long a packet is waited for, after which silence the session is looked after, and between two sends.
TURN, KEEP_ALIVE, RESEND = 1.0, 20.0, 1.0
# Bytes: packets of the console, of which the head is a part.
SMALLEST, LARGEST, HEADER = 16, 255, 4
# Characters of the end of the text that a pattern is looked for in.
LOOKED_AT = 65536


class IpmiConsole(Console):
    """One Serial over LAN session at a time."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def read_until(self, *, accept: Callable[[str], bool], deadline: Deadline, write: Callable[[bytes], None],
                   send: Optional[str] = None) -> bool:
        """Read until ``accept`` takes the text so far or the deadline passes; what is typed is sent once it can be."""
        line = _Line(self._driver, deadline)
        try:
            line.chunk = self._activate()
            try:
                return line.run(accept=accept, write=write, typed=(send or "").encode("utf-8"))
            finally:
                if not line.ended:
                    self._deactivate()
        finally:
            line.session.sol_handler = None

    def _activate(self) -> int:
        """Take the console; return how many characters a packet may have."""
        try:
            answer = self._driver.client.raw(ACTIVATE_PAYLOAD, ACTIVATE)
        except BmcError as error:
            kind, cause, remedy = REFUSALS.get(completion_code(error), (None, "", ""))
            if kind is None:
                raise
            raise kind(cause, remedy=remedy, completion_code=completion_code(error)) from error
        port = int.from_bytes(answer[8:10], "little") if len(answer) >= 10 else 0
        ours = self._driver.connection.ipmi_port
        if port not in (0, ours, int.from_bytes(ours.to_bytes(2, "big"), "little")):
            self._deactivate()
            raise Unsupported(f"it gives the console on another UDP port ({port})",
                              remedy="Set ipmi_port to it, if the BMC takes commands there too.")
        size = int.from_bytes(answer[4:6], "little") if len(answer) >= 6 else SMALLEST
        return max(SMALLEST, min(size, LARGEST)) - HEADER

    def _deactivate(self) -> None:
        """Give the console back; a BMC that does not answer does so itself when the session ends."""
        try:
            self._driver.client.raw(DEACTIVATE_PAYLOAD, DEACTIVATE)
        except BmcError:
            pass


class _Line:
    """The packets of one console: each has a number, is acknowledged, and may come or be sent again."""

    def __init__(self, driver: Driver, deadline: Deadline) -> None:
        self._driver = driver
        self._deadline = deadline
        self.chunk = SMALLEST - HEADER
        self.session: RmcpSession = driver.client.session
        self.ended = False
        self._arrived: list[bytes] = []
        self._heard = Deadline(None)
        self._theirs = self._their_length = 0
        self._ours = 0
        self._waiting = b""
        self._sent: Optional[Deadline] = None
        self.session.sol_handler = self._take

    def run(self, *, accept: Callable[[str], bool], write: Callable[[bytes], None], typed: bytes) -> bool:
        """Read and type until the text is accepted, the deadline passes, or the BMC ends it."""
        decoder, text = getincrementaldecoder("utf-8")("replace"), ""
        self._waiting = typed
        while True:
            self._type()
            self.session.listen(self._stirred, min(RESEND if self._sent else TURN, self._deadline.remaining))
            pieces, self._arrived = self._arrived, []
            for piece in pieces:
                write(piece)
                text = (text + decoder.decode(piece))[-LOOKED_AT:]
            if pieces and accept(text):
                return True
            if self.ended:
                raise Unreachable("the BMC ended the console", remedy="Another session may have taken it, or the BMC restarts.")
            if self._deadline.passed:
                return False
            self._look_after()

    def _stirred(self) -> bool:
        """Tell whether there is something to do: characters to write, or to type, or an end."""
        return bool(self._arrived or self.ended or (self._waiting and self._sent is None))

    def _look_after(self) -> None:
        """Show a session in which nothing happens that somebody is there, and find out whether the BMC is."""
        if self._heard.elapsed > KEEP_ALIVE:
            if self._driver.client.raw(GET_DEVICE_ID) and self._driver.client.session is not self.session:
                raise Unreachable("the session with the console was lost", remedy="The BMC may have restarted.")
            self._heard = Deadline(None)

    def _type(self) -> None:
        """Send the next part, or the last one again where its acknowledgement is overdue."""
        if not self._waiting or (self._sent is not None and self._sent.elapsed < RESEND):
            return
        if self._sent is None:
            self._ours = self._ours % 15 + 1
        self._sent = Deadline(None)
        self.session.send_console(bytes((self._ours, 0, 0, 0)) + self._waiting[:self.chunk])

    def _take(self, payload: bytearray) -> None:
        """Take a packet of the BMC: an acknowledgement, characters, or both (section 15.9)."""
        if len(payload) < 4:
            return
        self._heard = Deadline(None)
        number, acknowledged, count, status, data = (payload[0] & 0x0F, payload[1] & 0x0F, payload[2], payload[3],
                                                     bytes(payload[4:]))
        if status & NACK and status & DEACTIVATED:
            self.ended = True
        elif self._sent is not None and acknowledged == self._ours:
            self._waiting, self._sent = self._waiting[count:], None
        if number:
            self._keep(number, data)
            self.session.send_console(bytes((0, number, len(data) & 0xFF, 0)))

    def _keep(self, number: int, data: bytes) -> None:
        """Keep what is new: a packet that comes again may have grown."""
        known = self._their_length if number == self._theirs else 0
        self._theirs, self._their_length = number, len(data)
        if data[known:]:
            self._arrived.append(data[known:])
