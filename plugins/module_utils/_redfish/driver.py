# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One BMC over Redfish, for the length of one task."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import BmcError, InvalidInput, Rejected, Unreachable
from .._bmc.interface import (
    Accounts, Bios, BmcNetwork, Boot, Capability, Certificates, Console, Driver, Events, Firmware, Hardware,
    Health, Logs, Power, SecureBoot, Storage, VirtualMedia,
)
from .._bmc.options import Connection
from .._bmc.quirks import Quirks
from .accounts import RedfishAccounts
from .bios import RedfishBios
from .boot import RedfishBoot
from .certificates import RedfishCertificates
from .client import Client, dig, link_of
from .connector import Connector
from .events import RedfishEvents
from .firmware import RedfishFirmware
from .hardware import RedfishHardware
from .health import RedfishHealth
from .logs import RedfishLogs
from .network import RedfishBmcNetwork
from .offers import lacks
from .power import RedfishPower
from .secure_boot import RedfishSecureBoot
from .session import Session
from .storage import RedfishStorage
from .virtual_media import RedfishVirtualMedia

Json = dict[str, Any]
ROOT = "/redfish/v1/"


class RedfishDriver(Driver):
    """One Redfish service and the system in it that the task is about."""

    protocol = "redfish"
    CAPABILITIES: dict[type[Capability], type] = {
        Power: RedfishPower,
        Boot: RedfishBoot,
        VirtualMedia: RedfishVirtualMedia,
        Accounts: RedfishAccounts,
        Logs: RedfishLogs,
        BmcNetwork: RedfishBmcNetwork,
        Events: RedfishEvents,
        Certificates: RedfishCertificates,
        Hardware: RedfishHardware,
        Bios: RedfishBios,
        Health: RedfishHealth,
        SecureBoot: RedfishSecureBoot,
        Firmware: RedfishFirmware,
        Storage: RedfishStorage,
    }
    ALTERNATIVES: dict[type[Capability], str] = {
        Console: "Use bmc_protocol: ipmi (Serial over LAN), or the console of the BMC's own SSH server.",
    }

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.connector = Connector(connection)
        self.client = Client(self.connector, sent=self.sent)
        self.quirks = Quirks(self.identity, protocol=self.protocol, extra=connection.quirks)
        self.session = Session(self.connector, warn=self.warn)
        self._system_link: Optional[str] = None

    def open(self) -> None:
        """Read the service root, which needs no account, and log in."""
        try:
            root = self.root
        except Rejected as error:
            raise Unreachable(f"no Redfish service answers at {self.connection.base_url} "
                              f"(HTTP {error.details.get('status')})",
                              remedy="Check bmc_port, or use bmc_protocol: ipmi.") from error
        if not any(key in root for key in ("RedfishVersion", "Systems", "Managers", "Chassis")):
            raise Unreachable(f"what answers at {self.connection.base_url} is no Redfish service",
                              remedy="Check bmc_address and bmc_port.")
        self.session.open(root)

    def reconnect(self, connection: Connection) -> None:
        """Go on at another address or behind another certificate, in the session that is open."""
        self.connection = connection
        self.connector = self.client.connector = Connector(connection)
        self.client.forget(ROOT)
        self.client.forget()
        self.session.move(self.connector)

    def close(self) -> None:
        """Delete the session and disconnect."""
        self.session.close()

    @property
    def root(self) -> Json:
        """Return the service root."""
        return self.client.read(ROOT)

    @property
    def system_link(self) -> str:
        """Return the link of the system that ``bmc_system`` names, or of the only one."""
        if self._system_link is None:
            self._system_link = self._choose_system()
        return self._system_link

    @property
    def system(self) -> Json:
        """Return the document of the system."""
        return self.client.read(self.system_link)

    def system_links(self) -> list[str]:
        """Return the links of all systems behind this BMC."""
        collection = link_of(self.root.get("Systems"))
        return list(self.client.member_links(self.client.read(collection))) if collection else []

    def _choose_system(self) -> str:
        """Return the system's link: by the last part of its path, else by id, name, serial number or UUID."""
        links = self.system_links()
        wanted = self.connection.system
        if not links:
            raise Rejected("the BMC lists no system", remedy="The BMC may still be starting: try again later.")
        names = [link.rstrip("/").rsplit("/", 1)[-1] for link in links]
        if wanted is None:
            if len(links) == 1:
                return links[0]
            raise InvalidInput(f"{len(links)} systems are behind this BMC", systems=names,
                               remedy=f"Choose one with bmc_system: {', '.join(names)}.")
        for link, name in zip(links, names):
            if wanted in (name, link, link.rstrip("/")):
                return link
        for link in links:
            system = self.client.read(link)
            known = (system.get(key) for key in ("Id", "Name", "SerialNumber", "UUID"))
            if wanted.lower() in [str(value).lower() for value in known if value]:
                return link
        raise InvalidInput(f"no system '{wanted}' is behind this BMC", systems=names,
                           remedy=f"bmc_system may be {', '.join(names)}, or a serial number or UUID of one.")

    def _linked(self, relation: str, collection: str) -> list[str]:
        """Return the links that the system names under ``relation``, else all of the root's ``collection``."""
        named = dig(self.system, "Links", relation)
        links = [link for link in map(link_of, named if isinstance(named, list) else []) if link]
        if links:
            return list(dict.fromkeys(links))
        whole = link_of(self.root.get(collection))
        return list(self.client.member_links(self.client.read(whole))) if whole else []

    def manager_links(self) -> list[str]:
        """Return the links of the managers of the system. Some BMCs leave ManagedBy out: then all there are."""
        return self._linked("ManagedBy", "Managers")

    def chassis_links(self) -> list[str]:
        """Return the links of the chassis that hold the system."""
        return self._linked("Chassis", "Chassis")

    @property
    def manager(self) -> Json:
        """Return the document of the BMC itself."""
        links = self.manager_links()
        if not links:
            raise Rejected("the BMC lists no manager")
        return self.client.read(links[0])

    def systems(self) -> list[str]:
        """Return the last parts of the paths of all systems behind this BMC."""
        return [link.rstrip("/").rsplit("/", 1)[-1] for link in self.system_links()]

    def lacks(self, capability: type[Capability]) -> Optional[str]:
        """Return why the service has no ``capability``, ``None`` where it seems to."""
        return lacks(self, capability)

    def identity(self) -> Json:
        """Return what rules of quirks match: maker and model of system and BMC, firmware of the BMC."""
        documents = []
        for read in (lambda: self.root, lambda: self.system, lambda: self.manager):
            try:
                documents.append(read())
            except BmcError:
                documents.append({})
        root, system, manager = documents
        makers = (root.get("Vendor"), system.get("Manufacturer"), manager.get("Manufacturer"))
        models = (root.get("Product"), system.get("Model"), manager.get("Model"))
        return {"manufacturer": _joined(makers), "model": _joined(models),
                "firmware": _joined((manager.get("FirmwareVersion"),))}


def _joined(values: tuple[Any, ...]) -> Optional[str]:
    """Return the different non-empty texts among ``values`` in one string."""
    return " ".join(dict.fromkeys(value for value in values if isinstance(value, str) and value)) or None
