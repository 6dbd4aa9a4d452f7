# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BMC can do, capability by capability. Drivers implement these; resources use nothing else.

Every method speaks the vocabulary of ``_domain`` and plain data, and raises only the errors of ``errors``.
Reads never write. A write returns nothing: what was sent is kept by the driver (``Driver.sent``), what came
of it is read back by the resource.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Optional, TypeVar

from .._domain.boot import BootDevice, BootOverride
from .._domain.deadline import Deadline
from .._domain.power import PowerAction, PowerState
from .capability import Capability
from .errors import Unsupported
from .management import Accounts, BmcNetwork, Certificates, Console, Events, Logs
from .options import Connection

__all__ = ["CAPABILITIES", "Accounts", "Bios", "BmcNetwork", "Boot", "Capability", "Certificates", "Console", "Driver",
           "Events", "Firmware", "Hardware", "Health", "Json", "Logs", "Power", "SecureBoot", "Storage", "Tell",
           "VirtualMedia"]

Json = dict[str, Any]
Tell = Callable[[str], None]


class Power(Capability):
    """The power of one system."""

    title = "power"

    @abstractmethod
    def supported_actions(self) -> frozenset[PowerAction]:
        """Return the actions that this BMC says it takes."""

    @abstractmethod
    def state(self) -> PowerState:
        """Read the power state anew."""

    @abstractmethod
    def request(self, action: PowerAction) -> None:
        """Ask for ``action``; does not wait for its effect."""

    def reset_marker(self) -> Optional[str]:
        """Return something that differs after every reset, as last read; ``None`` where the BMC tells nothing."""
        return None


class Boot(Capability):
    """The boot override of one system."""

    title = "boot device"

    @abstractmethod
    def supported_devices(self) -> frozenset[BootDevice]:
        """Return the devices that this BMC says it takes as an override."""

    @abstractmethod
    def read(self, wanted: Optional[BootOverride] = None) -> BootOverride:
        """Read the override anew. ``wanted`` tells what to look for where a BMC has several places for it."""

    @abstractmethod
    def write(self, wanted: BootOverride) -> None:
        """Ask for the override; fields that are ``None`` are left as they are."""


class Hardware(Capability):
    """The inventory of one system. The keys of every section's rows stand in ``_domain.inventory.KEYS``."""

    title = "hardware"
    SECTIONS = ("system", "bmc", "processors", "memory", "network_interfaces", "storage_controllers", "disks",
                "volumes", "pcie_devices", "gpus", "firmware")

    @abstractmethod
    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Return the sections asked for and the problems met: ``{section, path, cause}`` each.

        ``system`` and ``bmc`` are one row (``None`` where it cannot be read), all others lists of rows.
        """


class Health(Capability):
    """The state of health of one system and its enclosure. Keys as in ``_domain.inventory.KEYS``."""

    title = "health"
    SECTIONS = ("summary", "temperatures", "fans", "power_supplies", "redundancy", "log_summary")

    @abstractmethod
    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Return the sections asked for and the problems met, as :meth:`Hardware.read`.

        ``summary`` and ``log_summary`` are one row, all others lists of rows.
        """


class VirtualMedia(Capability):
    """Virtual drives of one system."""

    title = "virtual media"
    unread: list[str] = []

    @abstractmethod
    def read(self) -> list[Json]:
        """Return the slots: ``{slot, path, media_types, inserted, image_url, write_protected, connected_via}`` each. What
        could not be read stands in ``unread``, with a warning."""

    @abstractmethod
    def insert(self, path: str, image_url: str, *, media_type: str, write_protected: bool = True,
               username: Optional[str] = None, password: Optional[str] = None) -> None:
        """Insert the image into the slot at that path."""

    @abstractmethod
    def eject(self, path: str) -> None:
        """Eject whatever the slot at that path holds."""


class Bios(Capability):
    """Settings of the system's firmware."""

    title = "BIOS"

    @abstractmethod
    def read(self) -> Json:
        """Return ``{attributes, pending, registry}``: current values, values that wait for a reset (may be
        empty), and per attribute ``{type, read_only, values, minimum, maximum}`` as far as the BMC tells."""

    @abstractmethod
    def write(self, attributes: Json) -> None:
        """Ask for the attributes, to be applied at the next reset."""

    @abstractmethod
    def reset_to_defaults(self) -> None:
        """Ask for the factory's defaults, to be applied at the next reset."""


class Storage(Capability):
    """Volumes and drives behind the system's controllers.

    Writes wait for the BMC's task and return ``{state, task, messages, reset_required}``: ``state`` is ``done``,
    ``scheduled`` or ``unknown`` (the effect has to tell), ``task`` whether there was one.
    """

    title = "storage"

    @abstractmethod
    def read(self) -> Json:
        """Return ``{controllers: [{id, levels}], drives: [{serial, id, controller, path, volumes, ...}], volumes:
        [{id, name, level, size_bytes, controller, drives: [serial], raw, path}]}``."""

    @abstractmethod
    def pending(self) -> list[str]:
        """Return what waits for a reset of the system to be done about its storage, in words."""

    @abstractmethod
    def create_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Create ``{name?, controller, level, drives: [path], size_bytes?}``."""

    @abstractmethod
    def delete_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Delete the volume, as it was read."""

    @abstractmethod
    def rename_volume(self, volume: Json, name: str) -> None:
        """Give the volume, as it was read, a name."""

    @abstractmethod
    def erase_methods(self, drive: Json) -> list[str]:
        """Return the ways of erasing that the BMC tells for the drive, as it was read; empty where it tells none."""

    @abstractmethod
    def erase_drive(self, drive: Json, *, deadline: Deadline, tell: Tell, method: Optional[str] = None) -> Json:
        """Erase the drive, as it was read, securely. ``seen`` in the return tells whether the erasure was seen."""


class Firmware(Capability):
    """Firmware that the BMC can list and update."""

    title = "firmware"

    @abstractmethod
    def read(self, only: tuple[str, ...] = ()) -> list[Json]:
        """Return the components: ``{id, name, version, software_id, updateable, state, path}`` each; only those of the
        paths in ``only``, where all of them are there."""

    @abstractmethod
    def update(self, source: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Push a file (``{path}``) or name a URL (``{url, username, password}``), ``targets`` optional, and wait for
        the BMC's task; return ``{state, messages, reset_required}``."""


class SecureBoot(Capability):
    """UEFI Secure Boot of one system."""

    title = "secure boot"

    @abstractmethod
    def read(self) -> Json:
        """Return ``{enabled, current, mode}``; ``None`` where the BMC does not tell (licence)."""

    @abstractmethod
    def write(self, enabled: bool) -> None:
        """Ask for it from the next reset on."""

    @abstractmethod
    def reset_keys(self, kind: str) -> None:
        """Reset the keys: ``default``, ``delete_all`` or ``delete_pk``."""


CAPABILITIES: tuple[type[Capability], ...] = (
    Power, Boot, Hardware, Health, VirtualMedia, Bios, Storage, Firmware, SecureBoot, Accounts, Logs, BmcNetwork,
    Certificates, Events, Console)
CapabilityType = TypeVar("CapabilityType", bound=Capability)


class Driver(ABC):
    """One BMC over one protocol, for the length of one task. Use it as a context manager: leaving it logs out."""

    protocol = ""
    CAPABILITIES: dict[type[Capability], type] = {}
    ALTERNATIVES: dict[type[Capability], str] = {}

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.sent: list[Json] = []
        self._capabilities: dict[type[Capability], Capability] = {}

    @abstractmethod
    def open(self) -> None:
        """Reach the BMC and log in."""

    @abstractmethod
    def close(self) -> None:
        """Log out and disconnect; never raises, may be called twice."""

    def reconnect(self, connection: Connection) -> None:
        """Go on with the same BMC at another address, or behind another certificate; asks it nothing yet."""
        raise Unsupported(f"{self.protocol} cannot follow a BMC to another address", protocol=self.protocol,
                          remedy="Use bmc_protocol: redfish.")

    @abstractmethod
    def identity(self) -> Json:
        """Return ``{manufacturer, model, firmware}`` as rules of quirks match them; ``None`` where unknown."""

    def get(self, capability: type[CapabilityType]) -> CapabilityType:
        """Return this BMC's ``capability``; raise :class:`Unsupported` with the alternative where there is none."""
        if capability not in self.CAPABILITIES:
            raise Unsupported(f"{self.protocol} has no {capability.title}", remedy=self.alternative(capability),
                              protocol=self.protocol, capability=capability.title)
        if capability not in self._capabilities:
            self._capabilities[capability] = self.CAPABILITIES[capability](self)
        return self._capabilities[capability]

    def alternative(self, capability: type[Capability]) -> str:
        """Return what to do where the protocol has no ``capability``."""
        return self.ALTERNATIVES.get(capability, "Use the maker's own tool." if self.protocol == "redfish"
                                     else "Use bmc_protocol: redfish.")

    def systems(self) -> list[str]:
        """Return what ``bmc_system`` may name; one system that needs no name is an empty list."""
        return []

    def lacks(self, capability: type[Capability]) -> Optional[str]:
        """Return why this BMC has no ``capability`` although the protocol knows it, ``None`` where it seems to."""
        return None

    def warn(self, text: str) -> None:
        """Keep a warning for the result, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def __enter__(self) -> "Driver":
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()
