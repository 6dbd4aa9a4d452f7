# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system event log over IPMI (IPMI 2.0, sections 31 and 32)."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Optional

from .._bmc.errors import BmcError, BrokenAnswer, InvalidInput, Rejected
from .._bmc.interface import Driver, Logs
from .._domain.deadline import Deadline
from .._domain.logs import Severity, timestamp
from .commands import CLEAR_SEL, GET_SEL_ENTRY, GET_SEL_INFO, RESERVE_SEL
from .completion import completion_code
from .events import THRESHOLD, kind_name, meaning, measured
from .sdr import Sensor

Json = dict[str, Any]
LOG = {"id": "bmc/SEL", "name": "System Event Log", "owner": "bmc", "clearable": True}
FIRST, LAST = 0x0000, 0xFFFF
INITIATE = b"CLR\xaa"
ERASING, CANCELLED, NOT_THERE = 0x81, 0xC5, 0xCB
ERASE_PATIENCE = 30.0
MOST_ENTRIES = 65000
# Times below count from the BMC's own start, which it did not know the date of yet (section 37.1).
BEFORE_THE_CLOCK = 0x20000000
SYSTEM_EVENT, WITH_TIME, WITHOUT_TIME, KERNEL_PANIC = 0x02, 0xC0, 0xE0, 0xF0


class IpmiLogs(Logs):
    """The one log that a BMC has over IPMI."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def services(self) -> list[Json]:
        """Return the system event log."""
        return [dict(LOG)]

    @staticmethod
    def _check(log: str) -> None:
        if log != LOG["id"]:
            raise InvalidInput(f"the BMC has no log '{log}'", remedy=f"It has {LOG['id']}.")

    def count(self, log: str) -> int:
        """Return how many entries the log has."""
        self._check(log)
        answer = self._patiently(GET_SEL_INFO, b"")
        if len(answer) < 3:
            raise BrokenAnswer(f"Get SEL Info has {len(answer)} bytes")
        return int.from_bytes(answer[1:3], "little")

    def _patiently(self, command: Any, data: bytes) -> bytes:
        """Read; while the BMC erases the log it is asked again."""
        patience = Deadline(ERASE_PATIENCE)
        while True:
            try:
                return self._driver.client.raw(command, data)
            except Rejected as error:
                if completion_code(error) != ERASING or patience.passed:
                    raise
            patience.sleep(0.5)

    def entries(self, log: str, *, limit: int) -> list[Json]:
        """Return the newest entries, of which the BMC tells the first first."""
        self._check(log)
        count = self.count(log)
        newest: deque[bytes] = deque(maxlen=limit)
        following = self._start(limit) if count > limit else FIRST
        seen: set[int] = set()
        while count and following != LAST and following not in seen and len(seen) < MOST_ENTRIES:
            seen.add(following)
            found = self._entry(following)
            if found is None:
                break
            following, record = found
            newest.append(record)
        return [self._row(record) for record in reversed(newest)]

    def _start(self, limit: int) -> int:
        """Return the number of an entry from which on there are about ``limit``: numbers mostly follow each other."""
        last = self._entry(LAST)
        guess = int.from_bytes(last[1][:2], "little") - limit + 1 if last else FIRST
        return guess if guess > 0 and self._entry(guess) else FIRST

    def _entry(self, number: int) -> Optional[tuple[int, bytes]]:
        """Return the number of the next entry and this one's 16 bytes, ``None`` where it is not there."""
        try:
            answer = self._patiently(GET_SEL_ENTRY, bytes(2) + number.to_bytes(2, "little") + b"\x00\xff")
        except BmcError as error:
            if completion_code(error) in (NOT_THERE, 0xC9):
                return None
            raise
        if len(answer) < 18:
            raise BrokenAnswer(f"the log's entry {number} has {max(0, len(answer) - 2)} bytes instead of 16")
        return int.from_bytes(answer[:2], "little"), answer[2:18]

    @cached_property
    def _sensors(self) -> dict[tuple[int, int, int], Sensor]:
        """Return the sensors by owner, unit and number; none where the BMC does not tell."""
        try:
            return {(sensor.owner, sensor.lun, sensor.number): sensor for sensor in self._driver.sdr.sensors}
        except BmcError as error:
            if completion_code(error) is None and not isinstance(error, BrokenAnswer):
                raise
            return {}

    def _row(self, record: bytes) -> Json:
        """Return an entry in neutral words (section 32)."""
        kind = record[2]
        if kind >= WITHOUT_TIME:
            return self._row_without_time(record)
        row = {"id": str(int.from_bytes(record[:2], "little")), "created": _created(record[3:7])}
        if kind >= WITH_TIME:
            maker = int.from_bytes(record[7:10], "little")
            return dict(row, severity=None, message=f"Entry of maker {maker}: {record[10:].hex()}",
                        message_id=f"ipmi.oem.{maker}")
        return dict(row, **self._event(record))

    @staticmethod
    def _row_without_time(record: bytes) -> Json:
        """Return a maker's own entry; those of 0xF0 are the last words of a Linux kernel."""
        row = {"id": str(int.from_bytes(record[:2], "little")), "created": None}
        if record[2] == KERNEL_PANIC:
            words = record[5:].split(b"\0")[0].decode("ascii", "replace")
            return dict(row, severity=Severity.CRITICAL.value, message=f"Linux kernel panic: {words}",
                        message_id="ipmi.kernel_panic")
        return dict(row, severity=None, message=f"Entry of type 0x{record[2]:02X}: {record[3:].hex()}",
                    message_id=f"ipmi.oem.0x{record[2]:02x}")

    def _event(self, record: bytes) -> Json:
        """Return what a sensor's event says."""
        kind, number, reading, data = record[10], record[11], record[12] & 0x7F, record[13:16]
        asserted, offset = not record[12] & 0x80, data[0] & 0x0F
        sensor = self._sensors.get((record[7], record[8] & 3, number))
        name = sensor.name if sensor and sensor.name else f"{kind_name(kind)} {number}"
        words, severity = meaning(kind, reading, offset, asserted=asserted)
        more = measured(sensor, data) if reading == THRESHOLD else ""
        return {"severity": severity.value if severity else None,
                "message": f"{name}: {words}" + (f" ({more})" if more else ""),
                "message_id": f"ipmi.0x{kind:02x}.0x{reading:02x}.{offset}"}

    def clear(self, log: str) -> None:
        """Clear the log under a reservation, which another client's work cancels: then it is made anew."""
        self._check(log)
        for last in (False, False, True):
            reservation = self._driver.client.raw(RESERVE_SEL)[:2].ljust(2, b"\0")
            try:
                self._driver.client.raw(CLEAR_SEL, reservation + INITIATE)
                return
            except Rejected as error:
                if completion_code(error) != CANCELLED or last:
                    raise


def _created(data: bytes) -> Optional[str]:
    """Return the time of an entry, ``None`` where the BMC had none."""
    seconds = int.from_bytes(data, "little")
    if seconds < BEFORE_THE_CLOCK or seconds == 0xFFFFFFFF:
        return None
    return timestamp(datetime.fromtimestamp(seconds, timezone.utc))
