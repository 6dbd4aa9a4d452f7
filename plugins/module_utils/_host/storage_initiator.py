# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the initiators of both protocols do alike: parse, change, connect, wait until all is there, report."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.deadline import Deadline, wait_until
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import Protocol
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage_paths import (
    Connection,
    SeenDisk,
    Timing,
    parse_connection,
    shortcomings,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.disks import find_device
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

Diff = list[dict[str, str]]


class StorageInitiator:
    """The targets that a task names are connected, or not any more; others are left alone."""

    protocol: Protocol

    def __init__(self, params: dict[str, Any], programs: Programs | None = None) -> None:
        self.root = params["root"]
        self.programs = programs or Programs(root=self.root)
        self.timing = Timing(
            params["path_timeout"], params["queue_timeout"], params["wait_timeout"], params["boot_timeout"]
        )
        try:
            self.name = params["initiator_name"] or ""
            if self.name:
                self.protocol.check_name(self.name, "initiator_name")
            self.connections = [parse_connection(given, self.protocol) for given in params["targets"]]
        except ValueError as error:
            raise self.problem(f"{error}. Nothing was changed.") from error

    def problem(self, text: str) -> HostError:
        """An error of this module."""
        return HostError(f"Cannot connect {self.protocol.title} targets on this host: {text}")

    def below(self, path: str) -> str:
        """A path of the host."""
        return below(self.root, path)

    def check_host(self, *, check: bool) -> None:
        """Refuse what this host cannot. Raises HostError."""

    def identify(self, *, check: bool) -> Diff:
        """Give the initiator its name; returns the diff."""
        raise NotImplementedError

    def portals(self, connection: Connection) -> dict[str, str]:
        """Portals with a session or controller, and its state, "live" for a good one."""
        raise NotImplementedError

    def disks(self, connection: Connection) -> list[SeenDisk]:
        """The disks of a target that this host has."""
        raise NotImplementedError

    def connect(self, connection: Connection, *, check: bool) -> Diff:
        """Keep the target for the boot and connect what is not; returns the diff."""
        raise NotImplementedError

    def disconnect(self, connection: Connection, *, check: bool) -> Diff:
        """Forget a target and disconnect what is; returns the diff."""
        raise NotImplementedError

    def settle(self, connection: Connection, *, check: bool) -> Diff:
        """What there is to do once the disks are there; returns the diff."""
        return []

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the connections about. Raises HostError."""
        self.check_host(check=check)
        for connection in self.connections:
            if not connection.present:
                self._refuse_in_use(connection)
        diff = self.identify(check=check)
        for connection in self.connections:
            if not connection.present:
                diff += self.disconnect(connection, check=check)
                continue
            diff += self.connect(connection, check=check)
            if not check:
                self._wait(connection, settled=False)
            diff += self.settle(connection, check=check)
            if not check:
                self._wait(connection, settled=True)
        disks = [disk.as_dict(each.name) for each in self.connections if each.present for disk in self.disks(each)]
        states = [
            {
                "name": each.name,
                "state": "present" if each.present else "absent",
                "portals": [{"portal": portal, "state": state} for portal, state in sorted(self.portals(each).items())],
            }
            for each in self.connections
        ]
        return {"changed": bool(diff), "diff": diff, "disks": disks, "targets": states}

    def _wait(self, connection: Connection, *, settled: bool) -> None:
        """Wait until nothing is missing. Raises HostError with what is."""
        reached, missing = wait_until(
            lambda: shortcomings(connection, self.portals(connection), self.disks(connection), settled=settled),
            lambda lacking: not lacking,
            deadline=Deadline(self.timing.wait),
        )
        if not reached:
            raise self.problem(
                f"after {self.timing.wait} s {connection.name} is not as expected: {'; '.join(missing)}. See that the target has "
                "these portals and disks for this initiator's name, or allow more time (wait_timeout)."
            )

    def _refuse_in_use(self, connection: Connection) -> None:
        for disk in self.disks(connection):
            uses = [use for use in find_device(self.below(disk.path), self.programs).in_use if not use.startswith("mpath ")]
            if uses:
                raise self.problem(
                    f"{disk.path} of {connection.name} is to be disconnected and is in use ({', '.join(uses)}). "
                    "End its use first. Nothing was changed."
                )


def shown(name: str, before: str, after: str) -> dict[str, str]:
    """One part of a diff."""
    return {"before_header": name, "after_header": name, "before": before, "after": after}


def connections_listing(portals: Iterable[object]) -> str:
    """Portals, one a line, for a diff."""
    return "".join(f"connected over {portal}\n" for portal in portals)


def device_size(path: str) -> int:
    """Bytes of a block device by its folder in sysfs; 0 where it is not known."""
    try:
        with open(os.path.join(path, "size"), encoding="ascii") as stream:
            return int(stream.read()) * 512
    except (OSError, ValueError):
        return 0
