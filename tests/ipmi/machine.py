# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine behind the test BMC: power and boot flags that do what a real chassis does."""

from __future__ import annotations

import struct
import time
from typing import Callable, Optional

from .server import Session
from .wire import Request

Answer = tuple[int, bytes]
Handler = Callable[[Session, bytes], Answer]


class Commands:
    """Commands by network function and number. ``reads`` are those that change nothing; all others are writes."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[int, int], Handler] = {}
        self._levels: dict[tuple[int, int], int] = {}
        self.reads: set[tuple[int, int]] = set()

    def add(self, netfn: int, command: int, handler: Handler, *, reads: bool, privilege: int = 2) -> None:
        """Know a command from here on."""
        self._handlers[netfn, command] = handler
        self._levels[netfn, command] = privilege
        if reads:
            self.reads.add((netfn, command))

    def forget(self, netfn: int, command: int) -> None:
        """Do not know the command any more."""
        self._handlers.pop((netfn, command), None)

    def __call__(self, session: Session, request: Request) -> Answer:
        """Answer a request as a BMC does: unknown, not allowed, too short."""
        key = (request.netfn, request.command)
        if key not in self._handlers:
            return 0xC1, b""
        if session.privilege < self._levels[key]:
            return 0xD4, b""
        try:
            return self._handlers[key](session, request.data)
        except (IndexError, KeyError, struct.error):
            return 0xC7, b""


class Chassis:
    """Power and boot flags. ``graceful`` is after how many seconds a soft power-off is done; ``None`` is never."""

    def __init__(self, commands: Commands, *, graceful: Optional[float] = 0.0, lag: float = 0.0,
                 parameter_3: bool = True, parameter_0: bool = True, invalid_flags: bool = False) -> None:
        self.on = False
        self.graceful, self.lag = graceful, lag
        self.parameter_3, self.parameter_0, self.invalid_flags = parameter_3, parameter_0, invalid_flags
        self.controls: list[int] = []
        self.boots: list[bytes] = []
        self.flags = bytes(5)
        self.kept = 0
        self.setting = 0
        self.faults = (0, 0)  # bits of the first and the third byte of the chassis' status
        self._turn: Optional[tuple[float, bool]] = None
        commands.add(0x00, 0x01, self._status, reads=True)
        commands.add(0x00, 0x02, self._control, reads=False, privilege=3)
        commands.add(0x00, 0x08, self._set_options, reads=False, privilege=3)
        commands.add(0x00, 0x09, self._get_options, reads=True, privilege=3)

    def _settle(self) -> None:
        if self._turn and time.monotonic() >= self._turn[0]:
            on, self._turn = self._turn[1], None
            if on and not self.on:
                self._boot()
            self.on = on

    def _boot(self) -> None:
        """Start the system: flags that hold once are used up."""
        self.boots.append(self.flags)
        if not self.flags[0] & 0x40:
            self.flags = bytes((self.flags[0] & ~0x80,)) + self.flags[1:]

    def _status(self, unused: Session, data: bytes) -> Answer:
        self._settle()
        return 0, bytes((0x20 | self.on | self.faults[0], 0x10, self.faults[1], 0x00))

    def _control(self, unused: Session, data: bytes) -> Answer:
        """Chassis Control (section 28.3)."""
        self._settle()
        control = data[0]
        if control not in (0, 1, 2, 3, 5):
            return 0xCC, b""
        if control in (2, 3) and not self.on:
            return 0xD5, b""
        self.controls.append(control)
        if control == 5:
            if self.graceful is not None and self.on:
                self._turn = (time.monotonic() + self.graceful, False)
        elif control in (2, 3):
            self._boot()
        else:
            self._turn = (time.monotonic() + self.lag, control == 1)
        return 0, b""

    def _set_options(self, unused: Session, data: bytes) -> Answer:
        """Set System Boot Options (section 28.12)."""
        parameter, value = data[0] & 0x7F, data[1:]
        if parameter == 0 and self.parameter_0:
            if value[0] & 3 == 1 and self.setting == 1:
                return 0x81, b""
            self.setting = value[0] & 3
            return 0, b""
        if parameter == 3 and self.parameter_3:
            self.kept = value[0]
            return 0, b""
        if parameter == 5:
            if len(value) != 5:
                return 0xC7, b""
            self.flags = value
            return 0, b""
        return 0x80, b""

    def _get_options(self, unused: Session, data: bytes) -> Answer:
        """Get System Boot Options (section 28.13)."""
        parameter = data[0] & 0x7F
        if parameter != 5:
            return 0x80, b""
        return 0, bytes((1, 5 | (0x80 if self.invalid_flags else 0))) + self.flags


class Identity:
    """Who the BMC is: Get Device ID, Get System GUID, Get Channel Info."""

    def __init__(self, commands: Commands, *, maker: int = 10876, product: int = 0x0954,
                 firmware: tuple[int, int] = (1, 0x74)) -> None:
        self.maker, self.product, self.firmware = maker, product, firmware
        commands.add(0x06, 0x01, self._device, reads=True)
        commands.add(0x06, 0x37, lambda session, data: (0, bytes(range(16))), reads=True)
        commands.add(0x06, 0x42, lambda session, data: (0, bytes((1, 4, 1, 0x80, 0xF2, 0x1B, 0, 0, 0))), reads=True)

    def _device(self, unused: Session, data: bytes) -> Answer:
        return 0, bytes((0x20, 1, self.firmware[0], self.firmware[1], 0x02, 0xBF)) + self.maker.to_bytes(
            3, "little") + self.product.to_bytes(2, "little") + bytes(4)
