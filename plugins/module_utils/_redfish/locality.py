# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a device sits: its slot, and the processor that it is near to, where a BMC tells."""

from __future__ import annotations

from typing import Any, Optional

from .._domain.units import identifier, text
from .client import Json, link_of
from .reading import Reader, first, last_part, links_at, values_at

NEAR = ("Links/Processors", "Links/Processor", "Links/Oem/*/CPUAffinity", "Oem/*/CPUAffinity",
        "Controllers/*/Links/Processors", "Controllers/*/Links/Oem/*/CPUAffinity")
SOCKET = ("Socket", "Location/PartLocation/ServiceLabel")


def slots(reader: Reader) -> dict[str, Json]:
    """Return the slots that name their devices, by the last part of the device's link."""
    found: dict[str, Json] = {}
    for _link, chassis in reader.chassis():
        for slot in values_at(reader.document(link_of(chassis.get("PCIeSlots"))), "Slots/*"):
            for link in links_at(slot, "Links/PCIeDevice"):
                found.setdefault(last_part(link), slot)
    return found


def socket_of(reader: Reader, *documents: Any) -> Optional[str]:
    """Return the socket that a device belongs to, as its processor is labelled; ``None`` where several are named."""
    for document in documents:
        links = links_at(document, *NEAR)
        if len(links) == 1:
            processor = reader.document(links[0])
            return first(processor, text, *SOCKET) or identifier(processor.get("Id")) or last_part(links[0])
    return None
