# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a BMC over IPMI: LAN parameters (IPMI 2.0, section 23) and its name (DCMI 1.5, section 6.4.6)."""

from __future__ import annotations

import ipaddress
from typing import Any, Optional

from .._bmc.errors import BmcError, BrokenAnswer, InvalidInput
from .._bmc.interface import BmcNetwork, Driver
from .._domain.bmc_network import used
from .._domain.units import mac
from .commands import GET_CONTROLLER_ID_STRING, GET_LAN, SET_CONTROLLER_ID_STRING, SET_LAN
from .completion import completion_code

Json = dict[str, Any]
SET_IN_PROGRESS, ADDRESS, SOURCE, MAC, NETMASK, GATEWAY, VLAN = 0, 3, 4, 5, 6, 12, 20
COMPLETE, IN_PROGRESS = 0, 1
STATIC, DHCP = 1, 2
VLAN_ON, NO_VLAN = 0x80, 0
DCMI = 0xDC
NAME_CHUNK, LONGEST_NAME = 16, 63
# What is written in this order: the source of the address before it, the address itself last, with which the BMC goes.
ADDRESSES = (("netmask", NETMASK), ("gateway", GATEWAY), ("address", ADDRESS))


class IpmiBmcNetwork(BmcNetwork):
    """The channel that is spoken over. Over IPMI there is no way to name servers, and no other protocols."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @property
    def _name(self) -> str:
        return f"channel {self._driver.channel}"

    def _parameter(self, number: int, length: int) -> Optional[bytes]:
        """Return a LAN parameter, ``None`` where the BMC does not have it."""
        answer = self._driver.client.optional(GET_LAN, bytes((self._driver.channel, number, 0, 0)))
        if answer is None:
            return None
        if len(answer) < 1 + length:
            raise BrokenAnswer(f"the LAN parameter {number} has {len(answer) - 1} bytes instead of {length}")
        return answer[1:1 + length]

    def _address(self, number: int) -> Optional[str]:
        found = self._parameter(number, 4)
        return used(str(ipaddress.IPv4Address(found))) if found is not None else None

    def read(self) -> Json:
        """Read the parameters anew."""
        if self.interface not in (None, self._name, str(self._driver.channel)):
            raise InvalidInput(f"the BMC is not spoken to over the interface '{self.interface}'",
                               remedy=f"Over IPMI only {self._name} can be seen. Use bmc_protocol: redfish for others.")
        source, vlan, hardware = (self._parameter(number, length) for number, length in
                                  ((SOURCE, 1), (VLAN, 2), (MAC, 6)))
        return {"hostname": self.name(), "interface": self._name,
                "mac_address": mac(hardware.hex()) if hardware else None,
                "dhcp": None if source is None else source[0] & 0x0F == DHCP, "address": self._address(ADDRESS),
                "netmask": self._address(NETMASK), "gateway": self._address(GATEWAY), "dns": None,
                "vlan": _vlan(vlan), "ntp": None, "protocols": None, "in_use": True}

    def name(self) -> Optional[str]:
        """Return the BMC's name, ``None`` where it has none to tell."""
        text = b""
        while True:
            answer = self._driver.client.optional(GET_CONTROLLER_ID_STRING, bytes((DCMI, len(text), NAME_CHUNK)))
            if answer is None or len(answer) < 2 or answer[0] != DCMI:
                return used(text.decode("utf-8", "replace"))
            text += answer[2:2 + NAME_CHUNK]
            if b"\0" in text or len(text) >= min(answer[1], LONGEST_NAME) or len(answer) == 2:
                return used(text.split(b"\0")[0].decode("utf-8", "replace"))

    def write(self, changes: Json) -> None:
        """Write the parameters; the address comes last."""
        if "hostname" in changes:
            self._set_name(changes["hostname"])
        wanted = {key: value for key, value in changes.items() if key != "hostname"}
        if not wanted:
            return
        held = self._claim()
        if "dhcp" in wanted:
            self._set(SOURCE, bytes((DHCP if wanted["dhcp"] else STATIC,)))
        if "vlan" in wanted:
            self._set(VLAN, (wanted["vlan"] | (VLAN_ON << 8 if wanted["vlan"] != NO_VLAN else 0)).to_bytes(2, "little"))
        for key, number in ADDRESSES:
            if key in wanted:
                self._set(number, ipaddress.IPv4Address(wanted[key]).packed)
        if held:
            self._release()

    def _set(self, number: int, data: bytes) -> None:
        self._driver.client.raw(SET_LAN, bytes((self._driver.channel, number)) + data)

    def _claim(self) -> bool:
        """Say that parameters are being set; tell whether the BMC takes that, which is optional."""
        try:
            self._set(SET_IN_PROGRESS, bytes((IN_PROGRESS,)))
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return False
        return True

    def _release(self) -> None:
        """Say that all is set."""
        try:
            self._set(SET_IN_PROGRESS, bytes((COMPLETE,)))
        except BmcError as error:
            if completion_code(error) is None:
                raise

    def _set_name(self, name: str) -> None:
        """Write the name, closed by a zero, part by part."""
        data = name.encode("utf-8")
        if len(data) > LONGEST_NAME:
            raise InvalidInput(f"hostname has more than {LONGEST_NAME} bytes, which IPMI cannot carry",
                               remedy="Take a shorter one, or use bmc_protocol: redfish.")
        data += b"\0"
        for offset in range(0, len(data), NAME_CHUNK):
            part = data[offset:offset + NAME_CHUNK]
            self._driver.client.raw(SET_CONTROLLER_ID_STRING, bytes((DCMI, offset, len(part))) + part)


def _vlan(data: Optional[bytes]) -> Optional[int]:
    """Return the id of the VLAN, 0 for none."""
    if data is None:
        return None
    return (data[0] | data[1] << 8) & 0x0FFF if data[1] & VLAN_ON else NO_VLAN
