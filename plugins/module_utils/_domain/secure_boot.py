# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Boot: what is to be done for a declared state, and what proves it. Knows no protocol."""

from __future__ import annotations

from enum import Enum
from typing import Any, Optional

Json = dict[str, Any]


class Keys(str, Enum):
    """What the key databases hold; the values are those that users declare."""

    DEFAULT = "default"
    DELETED = "deleted"
    NO_PLATFORM_KEY = "no_platform_key"


# How each is asked for, and the modes of Secure Boot (UEFI 2.10, 32.3) that show it: without a platform key it is
# in setup mode.
RESETS = {Keys.DEFAULT: "default", Keys.DELETED: "delete_all", Keys.NO_PLATFORM_KEY: "delete_pk"}
_PROOFS = {Keys.DEFAULT: ("user", "deployed"), Keys.DELETED: ("setup",), Keys.NO_PLATFORM_KEY: ("setup",)}


def keys_are(state: Json, keys: Optional[Keys]) -> Optional[bool]:
    """Tell whether the keys are as declared; ``None`` where the BMC does not tell."""
    if keys is None:
        return True
    return None if state.get("mode") is None else state["mode"] in _PROOFS[keys]


def asked_for(state: Json, enabled: Optional[bool]) -> bool:
    """Tell whether the BMC is set to what is declared, from the next reset on at the latest."""
    return enabled is None or state.get("enabled") is enabled


def in_effect(state: Json, enabled: Optional[bool]) -> Optional[bool]:
    """Tell whether the system was started as declared; ``None`` where the BMC does not tell."""
    if enabled is None:
        return True
    return None if state.get("current") is None else state["current"] is enabled


def reboot_required(state: Json) -> bool:
    """Tell whether a setting waits for a reset."""
    return None not in (state.get("enabled"), state.get("current")) and state["enabled"] is not state["current"]


def expected(state: Json, *, enabled: Optional[bool], keys: Optional[Keys], restarted: bool) -> Json:
    """Return the state to come."""
    after = dict(state)
    if keys is not None and not keys_are(state, keys):
        after["mode"] = _PROOFS[keys][0]
    if enabled is not None:
        after["enabled"] = enabled
    if restarted and after["enabled"] is not None:
        after["current"] = after["enabled"]
    return dict(after, reboot_required=reboot_required(after))
