# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPMI servers for tests.

``IpmiBmc`` is a BMC of our own that speaks RMCP+ with the cipher suites 17 and 3, keeps state as a real one does,
refuses what a real one would refuse, counts what came, and fails on demand. It shares no code with the driver that it
tests, and is itself checked with ipmitool. ``ipmi.programs`` starts OpenIPMI's ipmi_sim and pyghmi's fakebmc.

    with IpmiBmc() as bmc:
        bmc.port, bmc.username, bmc.password
        bmc.chassis.on, bmc.chassis.flags, bmc.chassis.controls
        bmc.log.records, bmc.users.slots, bmc.lan.parameters, bmc.sensors.add(...), bmc.frus.data
        bmc.server.log          # every command that was done: (netfn, command, data)
        bmc.writes()            # those of them that are no reads
        bmc.server.fail_next("lose_answer", (0x00, 0x02))
        bmc.server.open_sessions(), bmc.server.logins, bmc.server.problems
"""

from __future__ import annotations

from typing import Any

from .machine import Chassis, Commands, Identity
from .server import Server
from .services import Console, Frus, Lan, Log, Sensors, Users, Watts
from .wire import SOL


class IpmiBmc:
    """One BMC. Options are those of :class:`Server`; a part's own go in a dictionary of its name, as in
    ``IpmiBmc(chassis={"graceful": None})``. The account is the second slot of ``users``, of level ``privilege``.
    """

    username, password = "operator", "An IPMI password!"

    def __init__(self, *, privilege: int = 4, **options: Any) -> None:
        self.commands = Commands()
        for name, kind in (("chassis", Chassis), ("identity", Identity), ("log", Log), ("sensors", Sensors),
                           ("frus", Frus), ("users", Users), ("lan", Lan), ("console", Console),
                           ("power", Watts)):
            setattr(self, name, kind(self.commands, **options.pop(name, {})))
        self.users.set(2, self.username, self.password, privilege)
        self.server = Server(users=self.users.accounts, **options)
        self.server.handle = self.commands
        self.console.port, self.console.send = self.server.port, lambda session, payload: self.server.send_session(
            session, SOL, payload)
        self.server.on_sol, self.server.on_end = self.console.take, self.console.end

    @property
    def port(self) -> int:
        """Return the UDP port on 127.0.0.1."""
        return self.server.port

    def writes(self) -> list[tuple[int, int, bytes]]:
        """Return the commands that change something, but for those about the session itself."""
        session = {(0x06, 0x3B), (0x06, 0x3C)}
        return [entry for entry in self.server.log if entry[:2] not in self.commands.reads | session]

    def start(self) -> "IpmiBmc":
        """Serve from here on."""
        self.server.start()
        return self

    def stop(self) -> None:
        """Serve no more."""
        self.server.stop()

    def __enter__(self) -> "IpmiBmc":
        return self.start()

    def __exit__(self, *unused: object) -> None:
        self.stop()
