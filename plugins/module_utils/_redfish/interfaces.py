# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of network interfaces while they are put together, found by MAC."""

from __future__ import annotations

from typing import Optional

from .._domain.inventory import fill, row
from .._domain.units import link, mac, positive, text
from .client import Json
from .fields import NAMED, STATUS

INTERFACE = {**NAMED, **STATUS, "mac_address": (mac, "MACAddress", "MacAddress"),
             "permanent_mac_address": (mac, "PermanentMACAddress"), "link": (link, "LinkStatus"),
             "speed_mbps": (positive, "SpeedMbps"), "pci_path": (text, "UefiDevicePath", "UEFIDevicePath")}


class Interfaces:
    """The rows so far, found by MAC."""

    def __init__(self) -> None:
        self.rows: list[Json] = []

    def add(self, known: Json) -> Json:
        """Return a new row."""
        self.rows.append(row("network_interfaces", **known))
        return self.rows[-1]

    def find(self, *addresses: Optional[str]) -> list[Json]:
        """Return the rows of any of the addresses; a permanent one counts before one that was assigned."""
        for key in ("permanent_mac_address", "mac_address"):
            for address in filter(None, addresses):
                found = [entry for entry in self.rows if entry[key] == address]
                if found:
                    return found
        return []

    def learn(self, known: Json) -> list[Json]:
        """Give what is known to the rows of the same MAC, or to a new one."""
        rows = self.find(known.get("permanent_mac_address"), known.get("mac_address")) or [self.add({})]
        for entry in rows:
            fill(entry, known, keys=known)
        return rows
