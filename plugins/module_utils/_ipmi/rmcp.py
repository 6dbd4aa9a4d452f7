# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of one RMCP+ session: pyghmi's framing and cryptography on a socket of our own.

pyghmi's session shares sockets, a thread and tables among all sessions of a process, retries by counts, and offers
SHA-256 without looking at what the BMC took. Here the way of a packet is replaced: one connected UDP socket, no
thread, deadlines by the wall clock. Nothing of pyghmi's module is changed, so other users of it in the same process
are not touched.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any, Callable, Optional

from .._bmc.errors import BmcError, InvalidInput, MissingLibrary, Unreachable
from .._bmc.options import Connection
from .._domain.deadline import Deadline

try:
    from pyghmi.ipmi.private.constants import payload_types
    from pyghmi.ipmi.private.session import Session as PyghmiSession
except ImportError as error:
    IMPORT_ERROR: Optional[ImportError] = error
    PyghmiSession = object
    payload_types: dict = {}
else:
    IMPORT_ERROR = None

APP, CLOSE_SESSION = 0x06, 0x3C
PRIVILEGES = {"user": 2, "operator": 3, "administrator": 4}
MAX_PACKET, MAX_NAME, MAX_PASSWORD = 4096, 16, 20
# Seconds: the first pause before a request is sent again, the longest one, and the time for logging out.
FIRST_PAUSE, LONGEST_PAUSE, LOGOUT_PATIENCE = 0.7, 4.0, 1.5
REFUSALS_ENOUGH = 3


def key_bytes(kg: Optional[str]) -> Optional[bytes]:
    """Return the BMC key: text, or hexadecimal digits after ``0x``; :class:`InvalidInput` where it is too long."""
    if not kg:
        return None
    try:
        key = bytes.fromhex(kg[2:]) if kg.lower().startswith("0x") else kg.encode("utf-8")
    except ValueError as error:
        raise InvalidInput("ipmi_kg begins with 0x but is not hexadecimal",
                           remedy="Give an even number of hexadecimal digits.") from error
    if len(key) > MAX_PASSWORD:
        raise InvalidInput(f"ipmi_kg has {len(key)} bytes", remedy=f"It may have {MAX_PASSWORD}.")
    return key


def check_account(connection: Connection) -> None:
    """Refuse names and passwords that IPMI cannot carry, before the BMC sees any of them."""
    for name, value, most in (("bmc_username", connection.username, MAX_NAME),
                              ("bmc_password", connection.password, MAX_PASSWORD)):
        if len((value or "").encode("utf-8")) > most:
            raise InvalidInput(f"{name} has more than {most} bytes, which IPMI cannot carry",
                               remedy="Use bmc_protocol: redfish, or another account.")


class RmcpPackets(PyghmiSession):
    """The way of packets to one BMC and back. Not shared, not thread-safe; :meth:`close` ends it."""

    def __new__(cls, *unused: Any, **also_unused: Any) -> "RmcpPackets":
        """Make a session of its own: pyghmi would hand out one that it has."""
        return object.__new__(cls)

    def __init__(self, connection: Connection) -> None:
        if IMPORT_ERROR is not None:
            raise MissingLibrary("pyghmi", str(IMPORT_ERROR))
        check_account(connection)
        self.forbidsock: tuple = ()
        self._connection = connection
        self._udp: Optional[socket.socket] = None
        self._refusals = 0
        self.heard = False
        super().__init__(connection.address, connection.username or "", connection.password or "",
                         port=connection.ipmi_port, kg=key_bytes(connection.kg), onlogon=self.onlogon,
                         privlevel=PRIVILEGES[connection.privilege_level])

    def _assignsocket(self, server: Any = None, forbiddensockets: Any = ()) -> None:
        """Take no shared socket and start no thread."""

    def login(self) -> None:
        """Prepare the state of a session; :meth:`open` does the rest."""
        self.logontries = 1
        self._initsession()
        self.localsid = struct.unpack("<I", os.urandom(4))[0] | 1
        self.last_payload_type = None

    def _xmit_packet(self, retry: bool = True, delay_xmit: Any = None, timeout: Any = None) -> None:
        """Send the packet that was just framed. A session's sequence number grows with every packet."""
        if self.sequencenumber:
            self.sequencenumber += 1
        try:
            self._udp.send(bytes(self.netpacket))
        except ConnectionRefusedError:
            self._refusals += 1
        except OSError as error:
            raise Unreachable(f"it could not be reached ({error.strerror or error})",
                              remedy="Check bmc_address and the network.") from error

    def _wait(self, done: Callable[[], Any], seconds: float) -> bool:
        """Take in packets until ``done`` or the time is over; tell which."""
        deadline = Deadline(seconds)
        while not done():
            if deadline.passed:
                return False
            self._udp.settimeout(max(0.001, deadline.remaining))
            try:
                packet = self._udp.recv(MAX_PACKET)
            except socket.timeout:
                continue
            except OSError:  # the BMC's host says that nobody listens at the port
                self._refusals += 1
                deadline.sleep(0.2)
                if not self.heard and self._refusals >= REFUSALS_ENOUGH:
                    return False
                continue
            self._take(packet)
        return True

    def _take(self, packet: bytes) -> None:
        """Hand a packet to pyghmi; what is cut off or malformed is dropped, as a lost one is."""
        if len(packet) < 16 or packet[0] != 6 or packet[2:4] != b"\xff\x07":
            return
        self.heard = True
        try:
            self._handle_ipmi_packet(bytearray(packet), qent=(packet, None, None))
        except (IndexError, ValueError, TypeError, KeyError, struct.error):
            return

    def command(self, netfn: int, code: int, data: bytes, *, seconds: float, repeat: bool = True,
                lun: int = 0, first_pause: float = FIRST_PAUSE) -> Optional[tuple[int, bytes]]:
        """Send a command and return completion code and data, ``None`` where no answer came in time.

        With ``repeat`` the request is sent again at growing pauses, with the same sequence number (rqSeq), by which
        a BMC tells a repeat from a new request. Without it the request is sent exactly once.
        """
        answers: list[dict[str, Any]] = []
        self.request_entry.clear()
        self.pendingpayloads.clear()
        self.lastpayload = None
        self.ipmicallback = answers.append
        deadline, pause = Deadline(seconds), first_pause
        self._send_ipmi_net_payload(netfn, code, data, retry=True, rslun=lun)
        while not self._wait(lambda: bool(answers), min(pause, deadline.remaining)):
            if deadline.passed:
                self.request_entry.clear()  # an answer that comes now is nobody's
                self.seqlun = (self.seqlun + 1) & 0x3F
                self.lastpayload = None
                return None
            if repeat:
                self.send_payload()
            pause = min(pause * 1.5, LONGEST_PAUSE)
        return answers[0]["code"], bytes(answers[0]["data"])

    def send_console(self, payload: bytes) -> None:
        """Send one packet of Serial over LAN."""
        self.send_payload(payload, payload_type=payload_types["sol"], retry=False)

    def listen(self, done: Callable[[], Any], seconds: float) -> bool:
        """Take in packets (of Serial over LAN) until ``done`` or the time is over; tell which."""
        return self._wait(done, seconds)

    def close(self, *, patience: float = LOGOUT_PATIENCE) -> None:
        """End the session on the BMC, which is given ``patience`` to say so, and free the socket; never raises."""
        try:
            if self.logged:
                self.logged = 0
                self.command(APP, CLOSE_SESSION, struct.pack("<I", self.sessionid), seconds=patience,
                             first_pause=0.4)
        except (BmcError, OSError):
            pass
        finally:
            self._drop_socket()

    def _drop_socket(self) -> None:
        if self._udp is not None:
            self._udp.close()
            self._udp = None
