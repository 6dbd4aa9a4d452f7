# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BMC can do, by which protocol, and which quirks are known of it."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .._bmc.errors import AuthenticationFailed, BmcError
from .._bmc.interface import CAPABILITIES, Boot, Capability, Driver, Hardware, Health, Power, VirtualMedia
from .._bmc.quirk_rules import BEHAVIOURS
from .base import InfoResource

Json = dict[str, Any]


def _words(values: Any) -> list[str]:
    return sorted(value.value for value in values)


# What there is to choose from where a capability has a choice.
VALUES: dict[type[Capability], Callable[[Any], Json]] = {
    Power: lambda power: {"actions": _words(power.supported_actions())},
    Boot: lambda boot: {"devices": _words(boot.supported_devices())},
    Hardware: lambda hardware: {"sections": list(hardware.SECTIONS)},
    Health: lambda health: {"sections": list(health.SECTIONS)},
    VirtualMedia: lambda media: {"slots": [slot["slot"] for slot in media.read()]},
}


class CapabilitiesResource(InfoResource):
    """``bmc_capability_info``."""

    NAME = "capability"
    DOING = "find out what the BMC can do"

    def read(self) -> Json:
        """Return ``{identity, systems, capabilities, quirks, behaviours}``."""
        return {"identity": self.driver.identity(), "systems": self.driver.systems(),
                "capabilities": {_name(kind): capability_row(self.driver, kind) for kind in CAPABILITIES},
                "quirks": [_rule(rule) for rule in self.driver.quirks.active()], "behaviours": dict(BEHAVIOURS)}


def _name(kind: type[Capability]) -> str:
    return kind.title.lower().replace(" ", "_")


def _rule(rule: Json) -> Json:
    """Return a rule of quirks with all its keys."""
    return {**{key: rule.get(key) for key in ("id", "behaviour", "why", "source")},
            "match": rule.get("match") or {}, "parameters": rule.get("parameters") or {}}


def capability_row(driver: Driver, kind: type[Capability]) -> Json:
    """Return ``{supported, protocol, reason, values}``; ``supported`` is ``None`` where it was not to be found out."""
    if kind not in driver.CAPABILITIES:
        return _row(driver, False, f"{driver.protocol} has no {kind.title}. {driver.alternative(kind)}")
    try:
        reason = driver.lacks(kind)
        values = VALUES[kind](driver.get(kind)) if kind in VALUES and reason is None else {}
    except BmcError as error:
        if isinstance(error, AuthenticationFailed) and error.details.get("status") == 401:
            raise
        unsupported = error.kind == "unsupported"
        return _row(driver, False if unsupported else None, " ".join(filter(None, (f"{error.cause}.", error.remedy))))
    return _row(driver, reason is None, reason, values)


def _row(driver: Driver, supported: Optional[bool], reason: Optional[str], values: Optional[Json] = None) -> Json:
    return {"supported": supported, "protocol": driver.protocol, "reason": reason, "values": values or {}}
