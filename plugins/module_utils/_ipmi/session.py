# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in to a BMC over RMCP+ (IPMI 2.0, section 13): the cipher suite that the BMC really takes, and what went
wrong where it went wrong.
"""

from __future__ import annotations

import hashlib
import socket
import struct
from typing import Any, Optional

from .._bmc.errors import AuthenticationFailed, BmcError, Rejected, Unreachable, Unsupported
from .._bmc.options import Connection
from .._domain.deadline import Deadline
from .completion import PRIVILEGE_REMEDY, SESSION_FULL, SESSION_STALE, SUITE_REFUSED, login_error
from .rmcp import APP, CLOSE_SESSION, FIRST_PAUSE, LONGEST_PAUSE, REFUSALS_ENOUGH, RmcpPackets, payload_types

# Cipher suites: authentication, integrity, confidentiality (tables 13-17 to 13-19); hash and length of its code.
SUITES = {17: ((3, 4, 1), hashlib.sha256, 16), 3: ((1, 1, 1), hashlib.sha1, 12)}
# Seconds for a cipher suite that the BMC does not answer, before the next is offered; the first pause in a login.
SUITE_PATIENCE, LOGIN_PAUSE = 6.0, 1.0
GET_AUTH_CAPABILITIES, SET_PRIVILEGE = 0x38, 0x3B
WRONG_PROOF = 0x0F


class SuiteRefused(Exception):
    """The BMC does not take the cipher suite offered."""


class RmcpSession(RmcpPackets):
    """One session with one BMC."""

    def __init__(self, connection: Connection) -> None:
        self._suite = connection.cipher_suites[0]
        self._capabilities: Optional[bytes] = None
        self._problem: Optional[BmcError] = None
        self._refused_as: Optional[BmcError] = None
        self._suite_refused = False
        self._full = False
        super().__init__(connection)

    @property
    def suite(self) -> int:
        """Return the number of the cipher suite in use."""
        return self._suite

    def open(self, deadline: Deadline) -> None:
        """Find the BMC and log in, before the deadline."""
        self._find(deadline)
        suites = self._connection.cipher_suites
        for index, suite in enumerate(suites):
            last = index == len(suites) - 1
            self._suite = suite
            try:
                self._log_in(deadline, offer=deadline if last else Deadline(min(SUITE_PATIENCE, deadline.remaining / 2)))
                break
            except SuiteRefused:
                if last:
                    raise Unsupported(
                        f"it takes none of the cipher suites offered ({', '.join(map(str, suites))})",
                        remedy="Allow 17 and 3 in ipmi_cipher_suites, or enable one of them on the BMC.") from None
        self._take_privilege(deadline)

    def _find(self, deadline: Deadline) -> None:
        """Ask each of the host's addresses what it can do until one answers (Get Channel Authentication
        Capabilities, which needs no session)."""
        try:
            found = socket.getaddrinfo(self.bmc, self.port, 0, socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable("the name is not known", remedy="Check bmc_address.") from error
        cause = "it does not answer"
        for index, (family, kind, protocol, unused, address) in enumerate(found):
            self._drop_socket()
            self._refusals = 0
            try:
                self._udp = socket.socket(family, kind, protocol)
                self._udp.connect(address)
            except OSError as error:
                cause = f"it could not be reached ({error.strerror or error})"
                continue
            self.login()
            if self._ask_capabilities(Deadline(deadline.remaining / (len(found) - index))):
                return self._check_capabilities()
            if self._refusals:
                cause = f"UDP port {self.port} is closed"
        raise Unreachable(f"no BMC answers IPMI on UDP port {self.port}: {cause}", remedy="Check bmc_address, "
                          "ipmi_port, the network, and that IPMI over LAN is enabled on the BMC.")

    def _ask_capabilities(self, deadline: Deadline) -> bool:
        """Ask until there is an answer; tell whether there was one."""
        self._capabilities = None
        self.ipmicallback = self._keep_capabilities
        pause = FIRST_PAUSE
        while self._capabilities is None:
            self.lastpayload = None
            self.request_entry.clear()
            self._send_ipmi_net_payload(APP, GET_AUTH_CAPABILITIES, [0x8E, self.privlevel])
            if not self._wait(lambda: self._capabilities is not None, min(pause, deadline.remaining)):
                if deadline.passed or (not self.heard and self._refusals >= REFUSALS_ENOUGH):
                    return False
                pause = min(pause * 1.5, LONGEST_PAUSE)
        return True

    def _keep_capabilities(self, response: dict[str, Any]) -> None:
        self._capabilities = bytes(response["data"]) if response.get("code") == 0 else b""

    def _check_capabilities(self) -> None:
        """Go on only with a BMC that speaks IPMI 2.0."""
        answer = self._capabilities or b""
        if len(answer) < 4 or not (answer[1] & 0x80 and answer[3] & 0x02):
            raise Unsupported("it speaks IPMI 1.5 only, which has no encryption",
                              remedy="Enable IPMI 2.0 (RMCP+) on the BMC.")
        self.currentchannel = answer[0] & 0x0F
        self.ipmiversion = 2.0

    def _log_in(self, deadline: Deadline, *, offer: Deadline) -> None:
        """Open a session with the present cipher suite. A try that gets stuck is begun anew: BMCs do not take RAKP
        messages twice. Silence to the ``offer`` of a suite may be the answer to it; later silence is none."""
        pause, answered = LOGIN_PAUSE, False
        while True:
            self.login()
            self.ipmiversion = 2.0
            self._suite_refused = self._full = False
            self._open_rmcpplus_request()
            stage = self.sessioncontext
            while self._wait(lambda: self.sessioncontext != stage or self._problem or self._suite_refused,
                             min(pause, (deadline if answered else offer).remaining)):
                if self._problem:
                    raise self._problem
                if self._suite_refused:
                    raise SuiteRefused()
                if self.sessioncontext == "ESTABLISHED":
                    return
                answered = answered or stage == "OPENSESSION"
                stage = self.sessioncontext
            self._abandon()
            if (deadline if answered else offer).passed:
                raise self._stuck(answered, last=offer is deadline)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _abandon(self) -> None:
        """Close the session that the BMC may hold for a login whose last answer was lost; nothing is waited for."""
        if self.sessioncontext == "EXPECTINGRAKP4":
            self.sessionid, self.integrityalgo, self.confalgo = self.pendingsessionid, self.attemptedhash, "aes"
            self.sequencenumber, self.lastpayload = 1, None
            self._send_ipmi_net_payload(APP, CLOSE_SESSION, struct.pack("<I", self.sessionid), retry=False)

    def _stuck(self, answered: bool, *, last: bool) -> Exception:
        """Return what it means that the login came to no end."""
        if self._full:
            return login_error(0x01)
        if answered:
            return AuthenticationFailed("it began a session and then did not answer the login", remedy="Check "
                                        "bmc_username and bmc_password: some BMCs are silent where they are wrong.")
        if not last:
            return SuiteRefused()
        return Unreachable("it does not answer the request for a session",
                           remedy="Its sessions may all be taken, or ipmi_cipher_suites holds none that it knows.")

    def _open_rmcpplus_request(self) -> None:
        """Offer one cipher suite (section 13.17)."""
        self.authtype = 6
        self.rmcptag = (self.rmcptag + 1) & 0xFF
        algorithms, self.currhashlib, self.currhashlen = SUITES[self._suite]
        payload = bytearray([self.rmcptag, 0, 0, 0]) + struct.pack("<I", self.localsid)
        for kind, algorithm in enumerate(algorithms):
            payload += bytes((kind, 0, 0, 8, algorithm, 0, 0, 0))
        self.sessioncontext = "OPENSESSION"
        self.lastpayload = None
        self.send_payload(payload=payload, payload_type=payload_types["rmcpplusopenreq"])

    def _got_rmcp_response(self, data: bytearray) -> None:
        """Take the algorithms that the answer names, whatever was offered (section 13.18)."""
        if self.sessioncontext != "OPENSESSION" or data[0] != self.rmcptag:
            return
        if self._status(data[1]):
            return
        if struct.unpack("<I", bytes(data[4:8]))[0] != self.localsid:
            return
        self.pendingsessionid = struct.unpack("<I", bytes(data[8:12]))[0]
        if len(data) >= 36:
            self._take_algorithms((data[16] & 0x3F, data[24] & 0x3F, data[32] & 0x3F))
        if not self._problem and not self._suite_refused:
            self.lastpayload = None
            self._send_rakp1()

    def _take_algorithms(self, named: tuple[int, int, int]) -> None:
        """Use the suite that has these algorithms; an unknown or unwanted one ends the login."""
        suite = next((number for number, (algorithms, *_rest) in SUITES.items() if algorithms == named), None)
        if suite not in self._connection.cipher_suites:
            self._problem = Unsupported(
                f"it answers with {f'cipher suite {suite}' if suite else f'the algorithms {named}'} to an offer of "
                f"cipher suite {self._suite}", remedy="Add the suite to ipmi_cipher_suites if it is good enough."
                if suite else "Enable cipher suite 17 or 3 on the BMC.")
            return
        self._suite = suite
        unused, self.currhashlib, self.currhashlen = SUITES[suite]

    def _status(self, status: int) -> bool:
        """Tell whether a status code is a refusal, and remember what it means."""
        if status in SESSION_FULL:
            self._full = True
        elif status in SUITE_REFUSED and self.sessioncontext == "OPENSESSION":
            self._suite_refused = True
        elif status and status not in SESSION_STALE:
            self._problem = login_error(status)
        return bool(status)

    def _got_rakp2(self, data: bytearray) -> None:
        """Check the BMC's proof of the password and send ours."""
        if self.sessioncontext != "EXPECTINGRAKP2" or data[0] != self.rmcptag or self._status(data[1]):
            return
        if len(data) - 40 < self.currhashlib().digest_size:  # it said SHA-256 and uses SHA-1
            self._suite_refused = True
            return
        self._refused_as = AuthenticationFailed("it refuses the password", remedy="Check bmc_password.")
        super()._got_rakp2(data)

    def _got_rakp4(self, data: bytearray) -> None:
        """Check the BMC's proof of the keys."""
        if self.sessioncontext != "EXPECTINGRAKP4" or data[0] != self.rmcptag or self._status(data[1]):
            return
        self._refused_as = AuthenticationFailed("it has another BMC key (Kg)", remedy="Set ipmi_kg to the BMC's key."
                                                if self._connection.kg else "Set ipmi_kg: this BMC has a key.")
        super()._got_rakp4(data)

    def onlogon(self, parameter: dict[str, Any]) -> None:
        """Take pyghmi's word that a proof of the BMC was wrong; tell the BMC, which holds a session for us."""
        if "error" not in parameter:
            return
        self._problem = self._refused_as
        if self.sessioncontext == "FAILED":
            payload = bytearray((self.rmcptag + 1, WRONG_PROOF, 0, 0)) + struct.pack("<I", self.pendingsessionid)
            self.lastpayload = None
            self.send_payload(payload=payload, payload_type=payload_types["rakp3"], retry=False)

    def _req_priv_level(self) -> None:
        """Note that the session is there; the privilege level is asked for outside of the packet's handler."""
        self.logged = 1
        self.logging = False

    def _take_privilege(self, deadline: Deadline) -> None:
        """Ask for the privilege level (section 22.18)."""
        response = self.command(APP, SET_PRIVILEGE, bytes((self.privlevel,)), seconds=deadline.remaining)
        if response is None:
            raise Unreachable("it took the login and then did not answer", remedy="Raise bmc_timeout if it is slow.")
        code, unused = response
        if code in (0x80, 0x81, 0xC9, 0xCC, 0xD4):
            raise AuthenticationFailed(f"the account may not have the privilege level "
                                       f"{self._connection.privilege_level}", remedy="Set ipmi_privilege_level: "
                                       "operator, or user." if self.privlevel > 2 else PRIVILEGE_REMEDY)
        if code:
            raise Rejected(f"it refuses the privilege level (completion code 0x{code:02X})", completion_code=code)
