# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makers by their IANA enterprise number, as Get Device ID tells it. Names only, so that quirks can match them."""

from __future__ import annotations

from typing import Optional

MAKERS = {
    2: "IBM", 11: "HP", 42: "Oracle", 119: "NEC", 343: "Intel", 674: "Dell", 2011: "Huawei", 2623: "ASUS",
    5703: "NVIDIA", 5771: "Cisco", 6653: "Tyan", 7154: "IPMI forum", 7244: "Quanta", 10368: "Fujitsu",
    10876: "Supermicro", 15370: "GIGABYTE", 19046: "Lenovo", 20301: "IBM", 20974: "American Megatrends",
    37945: "Inspur", 40981: "Facebook", 47196: "HPE", 47488: "Supermicro", 49622: "ASRockRack",
}


def maker_of(number: int) -> Optional[str]:
    """Return the maker's name, or its number in words; ``None`` where the BMC tells none."""
    if number in (0, 0xFFFFF):
        return None
    return MAKERS.get(number, f"IANA {number}")
