# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One BMC over IPMI 2.0 (RMCP+), for the length of one task."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Optional

from .._bmc.errors import BmcError, BrokenAnswer, MissingLibrary
from .._bmc.interface import (
    Accounts, Bios, BmcNetwork, Boot, Capability, Certificates, Console, Driver, Events, Firmware, Hardware, Health,
    Logs, Power, SecureBoot, Storage, VirtualMedia,
)
from .._bmc.options import Connection
from .._bmc.quirks import Quirks
from . import rmcp
from .accounts import IpmiAccounts
from .boot import IpmiBoot
from .client import Client
from .commands import (
    GET_CHANNEL_INFO, GET_DEVICE_ID, GET_LAN, GET_SDR_INFO, GET_SEL_INFO, GET_SOL, GET_USER_ACCESS, Command,
)
from .console import IpmiConsole
from .fru import FruReader, first_of
from .hardware import IpmiHardware
from .health import IpmiHealth
from .logs import IpmiLogs
from .makers import maker_of
from .network import IpmiBmcNetwork
from .power import IpmiPower
from .sdr import SdrRepository

Json = dict[str, Any]
THIS_CHANNEL = 0x0E
REDFISH = "Use bmc_protocol: redfish"


class IpmiDriver(Driver):
    """One BMC and the one system that it manages."""

    protocol = "ipmi"
    CAPABILITIES: dict[type[Capability], type] = {
        Power: IpmiPower, Boot: IpmiBoot, Hardware: IpmiHardware, Health: IpmiHealth, Logs: IpmiLogs,
        Console: IpmiConsole, Accounts: IpmiAccounts, BmcNetwork: IpmiBmcNetwork,
    }
    # What a BMC must answer to have a capability: a command, and what follows the channel's number in it, if anything.
    NEEDS: dict[type[Capability], tuple[Command, bytes]] = {
        Health: (GET_SDR_INFO, b""), Logs: (GET_SEL_INFO, b""), Console: (GET_SOL, b"\x01\x00\x00"),
        Accounts: (GET_USER_ACCESS, b"\x01"), BmcNetwork: (GET_LAN, b"\x04\x00\x00"),
    }
    ALTERNATIVES: dict[type[Capability], str] = {
        VirtualMedia: f"{REDFISH}, or boot over the network (bmc_boot_device with device: pxe).",
        Bios: f"{REDFISH}, or enter the setup by hand (bmc_boot_device with device: bios_setup).",
        Storage: f"{REDFISH}, or the controller's own tool on the operating system.",
        Firmware: f"{REDFISH}, or the maker's own tool.",
        SecureBoot: f"{REDFISH}, or enter the setup by hand (bmc_boot_device with device: bios_setup).",
        Certificates: f"{REDFISH}; IPMI uses no certificates.",
        Events: f"{REDFISH}, or read the log (bmc_log_info).",
    }

    def __init__(self, connection: Connection, *, open_within: Optional[float] = None) -> None:
        super().__init__()
        if rmcp.IMPORT_ERROR is not None:
            raise MissingLibrary("pyghmi", str(rmcp.IMPORT_ERROR))
        rmcp.check_account(connection)
        self.connection = connection
        self.client = Client(connection, sent=self.sent, open_within=open_within)
        self.quirks = Quirks(self.identity, protocol=self.protocol, extra=connection.quirks)
        self.fru = FruReader(self.client)
        self.sdr = SdrRepository(self.client)

    def open(self) -> None:
        """Log in."""
        self.client.open()
        if self.connection.system:
            self.warn("bmc_system is not used over IPMI: a BMC manages one system there.")

    def close(self) -> None:
        """Log out."""
        self.client.close()

    def reconnect(self, connection: Connection) -> None:
        """Go on at another address, in a new session."""
        self.connection = connection
        self.client.move(connection)

    def lacks(self, capability: type[Capability]) -> Optional[str]:
        """Return why the BMC has no ``capability``, by one read that it cannot do without; ``None`` where it seems to."""
        if capability not in self.NEEDS:
            return None
        command, data = self.NEEDS[capability]
        answer = self.client.optional(command, bytes((self.channel,)) + data if data else b"")
        if answer is None:
            return f"The BMC refuses {command.name}."
        off = capability is Console and len(answer) > 1 and not answer[1] & 0x01
        return "Serial over LAN is switched off in the BMC's settings." if off else None

    @cached_property
    def channel(self) -> int:
        """Return the number of the channel that is spoken over (section 22.24), read once."""
        answer = self.client.optional(GET_CHANNEL_INFO, bytes((THIS_CHANNEL,)))
        return answer[0] & 0x0F if answer else THIS_CHANNEL

    @cached_property
    def device(self) -> Json:
        """Return what Get Device ID tells (section 20.1), read once."""
        answer = self.client.raw(GET_DEVICE_ID)
        if len(answer) < 11:
            raise BrokenAnswer(f"Get Device ID has {len(answer)} bytes instead of 11")
        maker = int.from_bytes(answer[6:9], "little") & 0xFFFFF
        return {"device_id": answer[0], "revision": answer[1] & 0x0F,
                "firmware": f"{answer[2] & 0x7F}.{answer[3]:02x}", "updating": bool(answer[2] & 0x80),
                "ipmi_version": f"{answer[4] & 0x0F}.{answer[4] >> 4}", "has_sdr_repository": bool(answer[5] & 0x02),
                "manufacturer_id": maker, "product_id": int.from_bytes(answer[9:11], "little"),
                "manufacturer": maker_of(maker)}

    def identity(self) -> Json:
        """Return what rules of quirks match: the maker by its IANA number and the FRU, the product, the firmware."""
        device, fru = self._or_empty(lambda: self.device), self._or_empty(lambda: self.fru.main)
        makers = (device.get("manufacturer"), first_of(fru, ("product", "manufacturer"), ("board", "manufacturer")))
        return {"manufacturer": " ".join(dict.fromkeys(filter(None, makers))) or None,
                "model": self.product(fru) or (f"product {device['product_id']}" if device else None),
                "firmware": device.get("firmware")}

    @staticmethod
    def product(fru: Json) -> Optional[str]:
        """Return the name of the product as the FRU tells it."""
        return first_of(fru, ("product", "name"), ("board", "name"))

    @staticmethod
    def _or_empty(read: Any) -> Json:
        try:
            return read()
        except BmcError:
            return {}
