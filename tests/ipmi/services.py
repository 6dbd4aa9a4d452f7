# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test BMC keeps beside the chassis: its log, sensors and their records, FRUs, accounts, its network."""

from __future__ import annotations

import struct
import time
from typing import Callable

from .machine import Answer, Commands
from .server import Session


class Log:
    """The system event log (IPMI 2.0, section 31). ``erase_time`` is for how long erasing takes."""

    def __init__(self, commands: Commands, *, erase_time: float = 0.0) -> None:
        self.records: list[bytes] = []
        self.erase_time = erase_time
        self.clears = 0
        self._erased_at = 0.0
        self._reservation = 0
        self._next = 1
        commands.add(0x0A, 0x40, self._info, reads=True)
        commands.add(0x0A, 0x42, self._reserve, reads=False)
        commands.add(0x0A, 0x43, self._get, reads=True)
        commands.add(0x0A, 0x47, self._clear, reads=False, privilege=3)

    def add(self, *, kind: int = 0x02, body: bytes = b"", seconds: int = 1767225600, number: int = 0) -> None:
        """Add an entry: 13 bytes for those without a time, else 9 after the time."""
        number = number or self._next
        self._next = number + 1
        head = struct.pack("<HB", number, kind) + (struct.pack("<I", seconds) if kind < 0xE0 else b"")
        self.records.append((head + body).ljust(16, b"\0")[:16])

    def event(self, kind: int, sensor: int, reading: int, data: tuple, *, asserted: bool = True, **more: int) -> None:
        """Add an event of one of the BMC's own sensors."""
        self.add(body=bytes((0x20, 0, 4, kind, sensor, reading | (0 if asserted else 0x80), *data)), **more)

    @property
    def _busy(self) -> bool:
        return time.monotonic() < self._erased_at

    def _info(self, unused: Session, data: bytes) -> Answer:
        if self._busy:
            return 0x81, b""
        return 0, struct.pack("<BHHIIB", 0x51, len(self.records), 0xFFFF, 0, 0, 0x02)

    def _reserve(self, unused: Session, data: bytes) -> Answer:
        self._reservation += 1
        return 0, struct.pack("<H", self._reservation)

    def _get(self, unused: Session, data: bytes) -> Answer:
        if self._busy:
            return 0x81, b""
        number = struct.unpack("<H", data[2:4])[0]
        numbers = [struct.unpack("<H", record[:2])[0] for record in self.records]
        if not numbers or number not in (0, 0xFFFF, *numbers):
            return 0xCB, b""
        index = {0: 0, 0xFFFF: len(numbers) - 1}.get(number)
        index = numbers.index(number) if index is None else index
        following = numbers[index + 1] if index + 1 < len(numbers) else 0xFFFF
        return 0, struct.pack("<H", following) + self.records[index]

    def _clear(self, unused: Session, data: bytes) -> Answer:
        reservation, word, what = struct.unpack("<H3sB", data)
        if reservation != self._reservation:
            return 0xC5, b""
        if word != b"CLR" or what not in (0xAA, 0):
            return 0xCC, b""
        if what == 0xAA:
            self.clears += 1
            self.records.clear()
            self.event(0x10, 0x70, 0x6F, (2, 0xFF, 0xFF))
            self._erased_at = time.monotonic() + self.erase_time
        return 0, bytes((0 if self._busy else 1,))


class Sensors:
    """Sensor records and readings (sections 33 and 35). ``most`` is the longest part that is given at once."""

    def __init__(self, commands: Commands, *, most: int = 255) -> None:
        self.records: list[bytes] = []
        self.readings: dict[int, bytes] = {}
        self.thresholds: dict[int, bytes] = {}
        self.most = most
        self.cancel = 0
        self._reservation = 0
        commands.add(0x0A, 0x20, lambda session, data: (0, struct.pack("<BHHIIB", 0x51, len(self.records), 0, 0, 0, 2)),
                     reads=True)
        commands.add(0x0A, 0x22, self._reserve, reads=True)
        commands.add(0x0A, 0x23, self._get, reads=True)
        commands.add(0x04, 0x2D, lambda session, data: self._of(self.readings, data), reads=True)
        commands.add(0x04, 0x27, lambda session, data: self._of(self.thresholds, data), reads=True)
        commands.add(0x04, 0x23, lambda session, data: (0, bytes((data[1], 2, 0, 0, 0, 0, 0))), reads=True)

    def add(self, record: bytes, reading: bytes = b"", thresholds: bytes = b"") -> None:
        """Add a record, and what its sensor reads: value, 0xC0 for "scans", two bytes of states."""
        self.records.append(struct.pack("<H", len(self.records) + 1) + record[2:])
        if reading:
            self.readings[record[7]] = reading
        if thresholds:
            self.thresholds[record[7]] = thresholds

    @staticmethod
    def _of(table: dict[int, bytes], data: bytes) -> Answer:
        return (0, table[data[0]]) if data[0] in table else (0xCB, b"")

    def _reserve(self, unused: Session, data: bytes) -> Answer:
        self._reservation += 1
        return 0, struct.pack("<H", self._reservation)

    def _get(self, unused: Session, data: bytes) -> Answer:
        reservation, number, offset, count = struct.unpack("<HHBB", data)
        if self.cancel and offset:
            self.cancel -= 1
            self._reservation += 1
        if offset and reservation != self._reservation:
            return 0xC5, b""
        index = max(0, number - 1)
        if index >= len(self.records):
            return 0xCB, b""
        if count > self.most:
            return 0xCA, b""
        following = 0xFFFF if index + 1 == len(self.records) else index + 2
        return 0, struct.pack("<H", following) + self.records[index][offset:offset + count]


class Frus:
    """FRU data by number (section 34)."""

    def __init__(self, commands: Commands, *, most: int = 255, words: bool = False) -> None:
        self.data: dict[int, bytes] = {}
        self.most, self.words = most, words
        commands.add(0x0A, 0x10, self._info, reads=True)
        commands.add(0x0A, 0x11, self._get, reads=True)

    def _info(self, unused: Session, data: bytes) -> Answer:
        if data[0] not in self.data:
            return 0xCB, b""
        return 0, struct.pack("<HB", len(self.data[data[0]]), self.words)

    def _get(self, unused: Session, data: bytes) -> Answer:
        number, offset, count = struct.unpack("<BHB", data)
        unit = 2 if self.words else 1
        if count * unit > self.most:
            return 0xCA, b""
        part = self.data[number][offset * unit:(offset + count) * unit]
        return 0, bytes((len(part) // unit,)) + part


class Watts:
    """The power that the system takes, as DCMI tells it (DCMI 1.5, section 6.6.1); 0 where DCMI is not known."""

    def __init__(self, commands: Commands, *, watts: int = 0) -> None:
        self.watts = watts
        commands.add(0x2C, 0x02, self._get, reads=True)

    def _get(self, unused: Session, data: bytes) -> Answer:
        if not self.watts or data[0] != 0xDC:
            return 0xC1, b""
        return 0, struct.pack("<BHHHHIIB", 0xDC, self.watts, 1, 900, 200, 0, 1000, 0x40)


class Users:
    """Accounts as slots (sections 22.26 to 22.30). ``accounts()`` is what a login sees of them."""

    def __init__(self, commands: Commands, *, slots: int = 10, zero_names: bool = True, weak: bytes = b"") -> None:
        self.slots = {number: {"name": b"", "password": b"", "privilege": 15, "enabled": False, "messaging": False}
                      for number in range(1, slots + 1)}
        self.zero_names, self.weak = zero_names, weak
        commands.add(0x06, 0x43, self._set_access, reads=False, privilege=4)
        commands.add(0x06, 0x44, self._get_access, reads=True, privilege=3)
        commands.add(0x06, 0x45, self._set_name, reads=False, privilege=4)
        commands.add(0x06, 0x46, self._get_name, reads=True, privilege=3)
        commands.add(0x06, 0x47, self._set_password, reads=False, privilege=4)

    def set(self, number: int, name: str, password: str, privilege: int) -> None:
        """Fill a slot."""
        self.slots[number] = {"name": name.encode(), "password": password.encode(), "privilege": privilege,
                              "enabled": True, "messaging": True}

    def accounts(self) -> dict:
        """Return name, password and privilege level of those that may log in."""
        return {slot["name"].decode("latin-1"): {"password": slot["password"].decode("latin-1"),
                                                 "privilege": slot["privilege"],
                                                 "enabled": slot["enabled"] and slot["messaging"]}
                for slot in self.slots.values() if slot["name"] and slot["privilege"] != 15}

    def _slot(self, number: int) -> dict:
        return self.slots[number & 0x3F]

    def _get_access(self, unused: Session, data: bytes) -> Answer:
        if data[1] not in self.slots:
            return 0xCC, b""
        slot = self._slot(data[1])
        count = sum(one["enabled"] for one in self.slots.values())
        return 0, bytes((len(self.slots), (0x40 if slot["enabled"] else 0x80) | count, 0,
                         (0x10 if slot["messaging"] else 0) | slot["privilege"]))

    def _set_access(self, unused: Session, data: bytes) -> Answer:
        if data[1] & 0x3F not in self.slots or data[0] & 0x0F not in (1, 0x0E):
            return 0xCC, b""
        slot = self._slot(data[1])
        if data[0] & 0x80:
            slot["messaging"] = bool(data[0] & 0x10)
        slot["privilege"] = data[2] & 0x0F
        return 0, b""

    def _get_name(self, unused: Session, data: bytes) -> Answer:
        return (0, self._slot(data[0])["name"].ljust(16, b"\0")) if data[0] in self.slots else (0xCC, b"")

    def _set_name(self, unused: Session, data: bytes) -> Answer:
        name = data[1:17].rstrip(b"\0")
        if len(data) != 17 or (not name and not self.zero_names):
            return 0xCC, b""
        if data[0] == 1 or any(slot["name"] == name for slot in self.slots.values()) and name.strip(b"\xff"):
            return 0xCC, b""
        self._slot(data[0])["name"] = name
        return 0, b""

    def _set_password(self, unused: Session, data: bytes) -> Answer:
        slot, operation = self._slot(data[0]), data[1] & 3
        length = 20 if data[0] & 0x80 else 16
        if operation < 2:
            slot["enabled"] = operation == 1
            return 0, b""
        if len(data) != 2 + length:
            return 0xC7, b""
        password = data[2:].rstrip(b"\0")
        if operation == 3:
            return (0, b"") if password == slot["password"] else (0x80, b"")
        if self.weak and password == self.weak:
            return 0xCC, b""
        slot["password"] = password
        return 0, b""


class Lan:
    """LAN parameters (section 23). ``on_address(address)`` is called when the address was changed."""

    def __init__(self, commands: Commands, *, dhcp_locks: bool = True, names: bool = True) -> None:
        self.parameters = {0: b"\0", 3: bytes((192, 0, 2, 10)), 4: b"\x01", 5: bytes.fromhex("525400aabbcc"),
                           6: bytes((255, 255, 255, 0)), 12: bytes((192, 0, 2, 1)), 20: bytes(2)}
        self.dhcp_locks = dhcp_locks
        self.name = "bmc-17"
        self.on_address: Callable[[bytes], None] = lambda address: None
        commands.add(0x0C, 0x01, self._set, reads=False, privilege=4)
        commands.add(0x0C, 0x02, self._get, reads=True, privilege=3)
        if names:
            commands.add(0x2C, 0x09, self._get_name, reads=True)
            commands.add(0x2C, 0x0A, self._set_name, reads=False, privilege=4)

    def _get(self, unused: Session, data: bytes) -> Answer:
        if data[0] & 0x0F not in (1, 0x0E):
            return 0xCC, b""
        return (0, b"\x11" + self.parameters[data[1]]) if data[1] in self.parameters else (0x80, b"")

    def _set(self, unused: Session, data: bytes) -> Answer:
        number, value = data[1], data[2:]
        if number not in self.parameters:
            return 0x80, b""
        if number == 5:
            return 0x82, b""
        if number in (3, 6, 12) and self.dhcp_locks and self.parameters[4] != b"\x01":
            return 0xD5, b""
        if len(value) != len(self.parameters[number]):
            return 0xC7, b""
        self.parameters[number] = value
        if number == 3:
            self.on_address(value)
        return 0, b""

    def _get_name(self, unused: Session, data: bytes) -> Answer:
        if data[0] != 0xDC:
            return 0xC1, b""
        text = self.name.encode() + b"\0"
        part = text[data[1]:data[1] + data[2]]
        return 0, bytes((0xDC, len(text))) + part

    def _set_name(self, unused: Session, data: bytes) -> Answer:
        offset, part = data[1], data[3:3 + data[2]]
        text = (self.name.encode()[:offset] + part) if offset else part
        self.name = text.split(b"\0")[0].decode()
        return 0, bytes((0xDC, len(text)))


class Console:
    """Serial over LAN (sections 15 and 24): what is typed is in ``typed``; ``say`` lets the system write."""

    def __init__(self, commands: Commands, *, refuse: int = 0, chunk: int = 64, lose: int = 0, on: bool = True) -> None:
        self.refuse, self.chunk, self.lose = refuse, chunk, lose
        self.holder: Session = None
        self.typed = b""
        self.activations = self.deactivations = 0
        self.send: Callable[[Session, bytes], None] = lambda session, payload: None
        self.on_typed: Callable[[bytes], None] = lambda data: None
        self.port = 0
        self._waiting: list[bytes] = []
        self._number = self._last = 0
        self._unanswered = b""
        commands.add(0x0C, 0x22, lambda session, data: (0, bytes((0x11, on))) if data[1] == 1 else (0x80, b""), reads=True)
        commands.add(0x06, 0x48, self._activate, reads=False)
        commands.add(0x06, 0x49, self._deactivate, reads=False)

    def _activate(self, session: Session, data: bytes) -> Answer:
        if self.refuse:
            return self.refuse, b""
        if self.holder is not None:
            return 0x80, b""
        if data[:2] != b"\x01\x01" or data[2] & 0xC0 != 0xC0:
            return 0x84, b""
        self.holder, self._number, self._last, self._unanswered = session, 0, 0, b""
        self.activations += 1
        self._say_next()
        return 0, bytes(4) + struct.pack("<HHHH", self.chunk, self.chunk, self.port, 0xFFFF)

    def _deactivate(self, session: Session, data: bytes) -> Answer:
        if self.holder is None:
            return 0x80, b""
        self.holder = None
        self.deactivations += 1
        return 0, b""

    def end(self, session: Session) -> None:
        """A session that ends gives the console back."""
        if self.holder is session:
            self.holder = None

    def say(self, text: bytes) -> None:
        """Let the system write; it is sent part by part, each after the last was acknowledged."""
        self._waiting += [text[at:at + self.chunk - 4] for at in range(0, len(text), self.chunk - 4)]
        if self.holder is not None and not self._unanswered:
            self._say_next()

    def _say_next(self) -> None:
        if self._waiting and self.holder is not None:
            self._number = self._number % 15 + 1
            self._unanswered = bytes((self._number, 0, 0, 0)) + self._waiting.pop(0)
            self.send(self.holder, self._unanswered)

    def again(self) -> None:
        """Send the last packet again, as a BMC does that missed the acknowledgement."""
        if self.holder is not None and self._unanswered:
            self.send(self.holder, self._unanswered)

    def kick(self) -> None:
        """End the console from the BMC's side."""
        holder, self.holder = self.holder, None
        self.send(holder, bytes((0, 0, 0, 0x50)))

    def take(self, session: Session, payload: bytes) -> None:
        """Take a packet of the client."""
        if session is not self.holder:
            return
        if payload[1] & 0x0F == self._number and self._unanswered:
            self._unanswered = b""
            self._say_next()
        if payload[0] & 0x0F:
            if self.lose:
                self.lose -= 1
                return
            data = payload[4:]
            if payload[0] & 0x0F != self._last:
                self._last = payload[0] & 0x0F
                self.typed += data
                self.on_typed(data)
            self.send(session, bytes((0, payload[0] & 0x0F, len(data), 0)))
