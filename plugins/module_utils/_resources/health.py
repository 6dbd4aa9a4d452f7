# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of a system and its enclosure, section by section."""

from __future__ import annotations

from typing import Any

from .._bmc.interface import Health
from .sections import SectionsResource


class HealthResource(SectionsResource):
    """``bmc_health_info``."""

    NAME = "health"
    DOING = "read the health"
    CAPABILITY = Health
    SPEC: dict[str, dict[str, Any]] = {
        "sections": dict(type="list", elements="str", choices=list(Health.SECTIONS)),
    }
