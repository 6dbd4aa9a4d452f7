# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a system, section by section."""

from __future__ import annotations

from typing import Any

from .._bmc.interface import Hardware
from .sections import SectionsResource


class HardwareResource(SectionsResource):
    """``bmc_hardware_info``."""

    NAME = "hardware"
    DOING = "inspect the hardware"
    CAPABILITY = Hardware
    SPEC: dict[str, dict[str, Any]] = {
        "sections": dict(type="list", elements="str", choices=list(Hardware.SECTIONS)),
    }
