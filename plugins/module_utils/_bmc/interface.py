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

from .._domain.accounts import Role
from .._domain.boot import BootDevice, BootOverride
from .._domain.deadline import Deadline
from .._domain.power import PowerAction, PowerState
from .errors import Unsupported
from .options import Connection

Json = dict[str, Any]
Tell = Callable[[str], None]


class Capability(ABC):
    """One thing that a BMC can do. ``title`` is its name in messages."""

    title = "capability"


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

    @abstractmethod
    def read(self) -> list[Json]:
        """Return the slots: ``{slot, media_types, inserted, image_url, write_protected, connected_via}`` each."""

    @abstractmethod
    def insert(self, slot: str, image_url: str, *, media_type: str, write_protected: bool = True,
               username: Optional[str] = None, password: Optional[str] = None) -> None:
        """Insert the image into the slot."""

    @abstractmethod
    def eject(self, slot: str) -> None:
        """Eject whatever the slot holds."""


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
    """Volumes and drives behind the system's controllers."""

    title = "storage"

    @abstractmethod
    def read(self) -> Json:
        """Return ``{controllers: [...], drives: [...], volumes: [...]}`` with serials, sizes in bytes, levels."""

    @abstractmethod
    def create_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> None:
        """Create ``{name, controller, level, drives: [serial], size_bytes?}`` and wait for the BMC's task."""

    @abstractmethod
    def delete_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> None:
        """Delete the volume, as it was read, and wait for the BMC's task."""

    @abstractmethod
    def erase_drive(self, serial: str, *, deadline: Deadline, tell: Tell) -> None:
        """Erase the drive of that serial securely and wait for the BMC's task."""


class Firmware(Capability):
    """Firmware that the BMC can list and update."""

    title = "firmware"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return the components: ``{id, name, version, updateable}`` each."""

    @abstractmethod
    def update(self, source: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Push a file (``{path}``) or name an URL (``{url}``), ``targets`` optional, and wait for the BMC's task."""


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


class Accounts(Capability):
    """Accounts of the BMC."""

    title = "accounts"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return the accounts that have a name: ``{id, username, role, enabled, locked}`` each, no secret.

        A role is a value of ``_domain.accounts.Role``, or the BMC's own word for another one.
        """

    def roles(self) -> tuple[str, ...]:
        """Return the roles that an account may be given, in the same words; empty where the BMC does not tell."""
        return tuple(role.value for role in Role)

    def password_works(self, username: str, password: str) -> Optional[bool]:
        """Tell whether the BMC takes this password for the account; ``None`` where that cannot be tried."""
        return None

    @abstractmethod
    def create(self, account: Json) -> None:
        """Create ``{username, password, role, enabled}``, in a free slot where accounts are slots."""

    @abstractmethod
    def update(self, account_id: str, changes: Json) -> None:
        """Change the account: any of username, password, role, enabled."""

    @abstractmethod
    def delete(self, account_id: str) -> None:
        """Delete the account, or clear its slot."""


class Logs(Capability):
    """Event logs."""

    title = "logs"

    @abstractmethod
    def services(self) -> list[Json]:
        """Return the logs: ``{id, name, owner, clearable}`` each.

        ``id`` is unique in the BMC: ``<owner>/<the log's own name>``; ``owner`` is ``system``, ``bmc`` or ``chassis``.
        """

    @abstractmethod
    def entries(self, log: str, *, limit: int) -> list[Json]:
        """Return the newest ``limit`` entries, newest first: ``{id, created, severity, message, message_id}`` each.

        ``created`` as ``_domain.logs.timestamp`` returns it, ``severity`` a value of ``_domain.logs.Severity``; either
        is ``None`` where it is not told.
        """

    def count(self, log: str) -> Optional[int]:
        """Return how many entries the log holds, ``None`` where the BMC does not tell."""
        return None

    @abstractmethod
    def clear(self, log: str) -> None:
        """Clear the log."""


class BmcNetwork(Capability):
    """The BMC's own network interface and services."""

    title = "BMC network"
    #: The interface to work on, where the task names one: set before the first read.
    interface: Optional[str] = None

    @abstractmethod
    def read(self) -> Json:
        """Return ``{hostname, interface, in_use, mac_address, dhcp, address, netmask, gateway, dns, vlan, ntp, protocols}``.

        ``in_use`` tells whether the task speaks to the BMC through this interface, as far as that can be known.

        Addresses are of IPv4; ``dns`` and ``ntp`` are lists of servers, ``vlan`` an id (0: none), ``protocols`` a name and whether it is on.
        ``None`` is what the BMC does not tell; it cannot be changed.
        """

    @abstractmethod
    def write(self, changes: Json) -> None:
        """Change those of the keys of :meth:`read` that ``changes`` holds."""


class Certificates(Capability):
    """The certificate of the BMC's HTTPS service."""

    title = "certificates"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return ``{id, subject, issuer, valid_from, valid_until, fingerprint}`` each; ``subject`` and ``issuer`` have
        the keys of ``_domain.certificates.NAME_KEYS``, ``fingerprint`` is SHA-256 in lower-case hexadecimal."""

    @abstractmethod
    def served_fingerprint(self) -> Optional[str]:
        """Return the fingerprint of what the BMC shows to a new connection now, ``None`` where there is no TLS."""

    @abstractmethod
    def replace(self, certificate_id: str, pem: str) -> None:
        """Replace the certificate with the one given (a chain, and its key where the BMC did not make it)."""

    @abstractmethod
    def request_signing(self, certificate_id: str, request: Json) -> str:
        """Have the BMC make a key for that certificate and return its signing request (PEM).

        ``request`` is ``{subject, alternative_names, key_algorithm, key_bits, key_curve}``, each as far as it is asked for.
        """


class Events(Capability):
    """Subscriptions to the BMC's events."""

    title = "event subscriptions"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return ``{id, destination, context, event_types, registry_prefixes, resource_types, protocol}`` each.

        An event type is a value of ``_domain.events.EventType``, or the BMC's own word for another one.
        """

    def offers(self) -> Json:
        """Return ``{enabled, event_types, registry_prefixes, resource_types}``: whether events are sent at all, and what
        a subscription may name; ``None`` where the BMC does not tell."""
        return {"enabled": None, "event_types": None, "registry_prefixes": None, "resource_types": None}

    @abstractmethod
    def create(self, subscription: Json) -> None:
        """Create ``{destination, context, event_types, registry_prefixes, resource_types, headers}``; a list that is
        ``None`` is left to the BMC."""

    @abstractmethod
    def delete(self, subscription_id: str) -> None:
        """Delete the subscription."""


class Console(Capability):
    """The system's serial console."""

    title = "console"

    @abstractmethod
    def read_until(self, *, accept: Callable[[str], bool], deadline: Deadline, write: Callable[[bytes], None],
                   send: Optional[str] = None) -> bool:
        """Read the console, giving each piece to ``write``, until ``accept`` takes the text so far or the deadline
        passes; return which. ``send`` is typed first."""


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
