# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the fields that many Redfish resources have in common; see ``reading`` for what a table is."""

from __future__ import annotations

import re
from typing import Any, Optional

from .._domain.units import health, identifier, positive, snake, text
from .power import STATES
from .reading import first, values_at

STATUS = {"health": (health, "Status/Health", "Status/HealthRollup"), "state": (snake, "Status/State")}
NAMED = {"id": (identifier, "Id", "MemberId"), "name": (text, "Name")}
PART = {"manufacturer": (text, "Manufacturer"), "model": (text, "Model"), "part_number": (text, "PartNumber"),
        "serial_number": (text, "SerialNumber")}
LOCATIONS = ("PhysicalLocation", "Location", "Slot/Location", "Controllers/*/Location", "Oem/*/Location")


def power_state(system: Any) -> Optional[str]:
    """Return the power state of a system in neutral words."""
    state = system.get("PowerState")
    return STATES[state].value if isinstance(state, str) and state in STATES else None


def slot_of(document: Any, *places: str) -> Optional[str]:
    """Return where a part sits, as printed on the machine; ``Slot 3`` where only a kind and a number are told."""
    for place in places or LOCATIONS:
        for location in values_at(document, place):
            for one in location if isinstance(location, list) else [location]:
                label = first(one, text, "PartLocation/ServiceLabel", "Info") or text(one) or _ordinal(one)
                if label:
                    return label
    return None


def slot_in(name: Optional[str]) -> Optional[str]:
    """Return the slot that a name holds, such as ``NIC.Slot.5-1`` or ``slot-3``."""
    found = re.search(r"slot[ ._-]?(\d+)", name or "", re.IGNORECASE)
    return f"Slot {found[1]}" if found else None


def _ordinal(location: Any) -> Optional[str]:
    """Return the kind and number of a location."""
    for part in values_at(location, "PartLocation"):
        if isinstance(part, dict):
            kind, number = text(part.get("LocationType")), positive(part.get("LocationOrdinalValue"))
            return f"{kind} {number}" if kind and number else None
    return None
