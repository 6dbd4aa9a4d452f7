# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to one BMC: check mode held here, what is safe sent again, completion codes made errors, writes recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from .._bmc.errors import AnswerLost, AuthenticationFailed, BmcError, Rejected, Timeout, Unreachable, WriteInCheckMode
from .._bmc.options import Connection
from .._domain.deadline import Deadline
from .commands import READS, Command
from .completion import NOT_TAKEN, RESULT_UNKNOWN, completion_code, error_for
from .session import RmcpSession

Json = dict[str, Any]
# Seconds: for how long a busy BMC is asked again, how long the answer to a write is waited for,
# what a BMC that has cost all of its time still gets, the pause between two tries, and the time for logging out of a
# session that is silent.
WRITE_PATIENCE, ANSWER_PATIENCE, LEAST, BUSY_PAUSE, SILENT_LOGOUT = 60.0, 15.0, 1.0, 0.5, 0.1
# The part of the time for a read after which the session is taken for dead and a new one is opened.
SESSION_SHARE = 0.6
READ_TRIES_AFTER_TIMEOUT = 3


class Client:
    """One BMC, over a session that is opened anew where the BMC has lost it."""

    def __init__(self, connection: Connection, *, sent: list[Json], open_within: Optional[float] = None) -> None:
        self.connection = connection
        self._open_within = open_within
        self._sent = sent
        self._session: Optional[RmcpSession] = None
        self._silence = 0.0

    @property
    def session(self) -> RmcpSession:
        """Return the open session, logging in where there is none."""
        if self._session is None:
            self.open()
        return self._session

    def open(self) -> None:
        """Log in, within what is left of the connection's time."""
        session = RmcpSession(self.connection)
        watch = Deadline(min(self._limit(), self._open_within or self.connection.timeout))
        try:
            session.open(watch)
        except BaseException:
            self._silence += watch.elapsed
            session.close()
            raise
        self._session = session

    def close(self, *, silent: bool = False) -> None:
        """Log out, without waiting for an answer where the BMC is ``silent``; never raises."""
        session, self._session = self._session, None
        if session is not None:
            session.close(**({"patience": SILENT_LOGOUT} if silent else {}))

    def move(self, connection: Connection) -> None:
        """Go on with the same BMC at another address, in a new session; asks it nothing yet."""
        self.close(silent=True)
        self.connection = connection
        self._silence = 0.0

    def use_password(self, password: str) -> None:
        """Log in with this password from now on."""
        self.connection = replace(self.connection, password=password)

    def try_login(self, username: str, password: str, *, level: str, seconds: float) -> Optional[bool]:
        """Tell whether an account may log in, in a session of its own; ``None`` where the BMC does not say."""
        session = RmcpSession(replace(self.connection, username=username, password=password, privilege_level=level))
        try:
            session.open(Deadline(min(seconds, self._limit())))
        except AuthenticationFailed:
            return False
        except BmcError:
            return None
        finally:
            session.close()
        return True

    def _limit(self) -> float:
        """Return the seconds that one command may take. Silence so far is taken off, so that a BMC which hangs at
        every turn costs the timeout once and not once a command."""
        return max(LEAST, self.connection.timeout - self._silence)

    def optional(self, command: Command, data: bytes = b"") -> Optional[bytes]:
        """Return the answer to a read, ``None`` where the BMC refuses it."""
        try:
            return self.raw(command, data)
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return None

    def raw(self, command: Command, data: bytes = b"", *, lun: int = 0, shown: Optional[bytes] = None) -> bytes:
        """Send a command and return its data; every completion code but 0 is raised as a :class:`BmcError`.

        Every command to the BMC goes through here, and in check mode nothing but reads does. ``shown`` is the part
        of the data that may be shown, where the rest is secret.
        """
        write = command.key not in READS
        if write and self.connection.check_mode:
            raise WriteInCheckMode(f"{command.name} was about to be sent in check mode",
                                   remedy="This is a defect of the module; nothing was sent.")
        session, patience, tries = self.session, Deadline(WRITE_PATIENCE if write else self._limit()), 0
        record = self._record(command, data, shown) if write else {}
        while True:
            tries += 1
            try:
                code, answer = self._ask(session, command, data, lun=lun, write=write)
            except AnswerLost:
                record["completion_code"] = None
                raise
            session = self.session
            again = code in NOT_TAKEN or (code == 0xC3 and not write and tries < READ_TRIES_AFTER_TIMEOUT)
            if again and not patience.passed:
                patience.sleep(BUSY_PAUSE)
                continue
            record["completion_code"] = code
            if write and code in RESULT_UNKNOWN:
                raise AnswerLost(f"the BMC took {command.name} but cannot tell what came of it "
                                 f"(completion code 0x{code:02X})", remedy="The effect is not known.")
            if code:
                raise error_for(command, code)
            return answer

    def _record(self, command: Command, data: bytes, shown: Optional[bytes]) -> Json:
        """Keep what is sent, for the result, and return the record."""
        text = data.hex() if shown is None else shown.hex() + "********"
        record = {"command": f"netfn 0x{command.netfn:02X} cmd 0x{command.code:02X}", "data": text,
                  "name": command.name}
        self._sent.append(record)
        return record

    def _ask(self, session: RmcpSession, command: Command, data: bytes, *, lun: int,
             write: bool) -> tuple[int, bytes]:
        """Return completion code and data. A read that stays without an answer is asked in a new session."""
        limit = self._limit()
        seconds = min(limit, ANSWER_PATIENCE) if write else limit * SESSION_SHARE
        watch = Deadline(limit)
        found = session.command(command.netfn, command.code, data, seconds=seconds, repeat=not command.once, lun=lun)
        if found is not None:
            return found
        self._silence += watch.elapsed
        if write:
            raise AnswerLost(f"the answer to {command.name} was lost", remedy="The effect is not known.")
        self.close(silent=True)
        try:
            found = self.session.command(command.netfn, command.code, data, seconds=self._limit(), lun=lun)
        except (Rejected, Unreachable) as error:
            raise Timeout(f"no answer to {command.name}, and no new session ({error.cause})",
                          remedy="The BMC may be restarting. Raise bmc_timeout if it is that slow.") from error
        if found is None:
            self._silence += max(0.0, watch.elapsed - seconds)
            raise Timeout(f"no answer to {command.name} within {watch.elapsed:.0f} s",
                          remedy="Raise bmc_timeout if the BMC is that slow.")
        return found
