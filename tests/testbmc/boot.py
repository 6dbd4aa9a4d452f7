# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Boot overrides: validated when written, used up by the next start."""

from __future__ import annotations

import re

from .messages import refusal
from .routes import check_properties, patches

TARGETS = ["None", "Pxe", "Cd", "Usb", "Hdd", "BiosSetup", "UefiTarget", "UefiHttp"]
ENABLED = ["Disabled", "Once", "Continuous"]


@patches("ComputerSystem")
def patch_system(bmc, path: str, data: dict, _request) -> None:
    """PATCH of a system or of its settings object."""
    owner = bmc.store.settings.get(path)
    rules = {"AssetTag": (str, type(None)), "HostName": str, "IndicatorLED": ["Off", "Lit", "Blinking"], "LocationIndicatorActive": bool,
             "PowerRestorePolicy": ["AlwaysOn", "AlwaysOff", "LastState"], "Boot": bmc.boot.rules(owner or path, settings=path)}
    if owner is not None:
        rules["@Redfish.SettingsApplyTime"] = dict
        check_properties(bmc, owner, {key: value for key, value in data.items() if not key.startswith("@")}, rules)
        bmc.store.merge(path, {key: value for key, value in data.items() if not key.startswith("@")})
        if "Boot" in data:
            bmc.boot.check(owner, data["Boot"])
        bmc.boot.settle(path)
        bmc.boot.pend(owner, data)
        return
    check_properties(bmc, path, data, rules)
    if "Boot" in data:
        bmc.boot.check(path, data["Boot"])
    for name in [item for item in data if item not in bmc.store.get(path) and item not in ("AssetTag", "Boot")]:
        raise refusal("PropertyUnknown", name, related=[name])
    bmc.store.merge(path, data)
    if "Boot" in data:
        bmc.boot.settle(path)


class Boot:
    """Boot settings of a BMC's systems."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self._pending: dict = {}
        self.settings_immediate = False

    def now(self, system: str) -> dict:
        """The Boot object."""
        return self._bmc.store.get(system).get("Boot") or {}

    def rules(self, system: str, *, settings: str) -> dict:
        """What a Boot object may hold when written: only what the system has, or its settings object."""
        boot = {**self.now(settings), **self.now(system)}
        told = {name: boot.get(f"{name}@Redfish.AllowableValues") for name in
                ("BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode")}
        found: dict = {"BootSourceOverrideTarget": told["BootSourceOverrideTarget"] or TARGETS,
                       "BootSourceOverrideEnabled": told["BootSourceOverrideEnabled"] or ENABLED}
        if "BootSourceOverrideMode" in boot:
            found["BootSourceOverrideMode"] = told["BootSourceOverrideMode"] or ["Legacy", "UEFI"]
        for name, rule in (("UefiTargetBootSourceOverride", (str, type(None))), ("HttpBootUri", _is_uri), ("BootNext", (str, type(None))),
                           ("BootOrder", list), ("StopBootOnFault", ["Never", "AnyFault"])):
            if name in boot:
                found[name] = rule
        return found

    def check(self, system: str, data: dict) -> None:
        """Refuse what does not fit together."""
        boot = self.now(system)
        order = data.get("BootOrder")
        if order is not None and sorted(order) != sorted(boot.get("BootOrder") or []):
            raise refusal("PropertyValueNotInList", order, "BootOrder", related=["Boot/BootOrder"])
        after = {**boot, **data}
        needs = {"UefiTarget": "UefiTargetBootSourceOverride", "UefiBootNext": "BootNext"}.get(data.get("BootSourceOverrideTarget"))
        if needs and data.get("BootSourceOverrideEnabled") != "Disabled" and not after.get(needs):
            raise refusal("PropertyValueConflict", "BootSourceOverrideTarget", needs, related=["Boot/BootSourceOverrideTarget"])

    def pend(self, system: str, data: dict) -> None:
        """Keep what was written to the settings object until the next start."""
        values = {key: value for key, value in data.items() if not key.startswith("@")}
        if self.settings_immediate:
            self._bmc.store.merge(system, values)
            self.settle(system)
        else:
            self._pending.setdefault(system, []).append(values)

    def settle(self, path: str) -> None:
        """A target None and a disabled override are the same thing."""
        boot = self._bmc.store.get(path).get("Boot") or {}
        if boot.get("BootSourceOverrideTarget") == "None" and boot.get("BootSourceOverrideEnabled") in ("Once", "Continuous"):
            self._bmc.store.merge(path, {"Boot": {"BootSourceOverrideEnabled": "Disabled"}})
        elif boot.get("BootSourceOverrideEnabled") == "Disabled" and "BootSourceOverrideTarget" in boot:
            self._bmc.store.merge(path, {"Boot": {"BootSourceOverrideTarget": "None"}})

    def started(self, system: str) -> None:
        """A start: note what it is from, use a one-shot override up."""
        for data in self._pending.pop(system, []):
            self._bmc.store.merge(system, data)
        boot = self.now(system)
        enabled = boot.get("BootSourceOverrideEnabled", "Disabled")
        live = enabled in ("Once", "Continuous")
        self._bmc.power.boots.append({
            "system": system, "enabled": enabled, "target": boot.get("BootSourceOverrideTarget", "None") if live else "None",
            "mode": boot.get("BootSourceOverrideMode"), "http_uri": boot.get("HttpBootUri") if live else None,
            "uefi_target": boot.get("UefiTargetBootSourceOverride") if live else None, "media": self._bmc.inserted_media()})
        if enabled == "Once":
            self.disable(system)

    def disable(self, system: str) -> None:
        """The override is used up."""
        self._bmc.store.merge(system, {"Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"}})
        for settings in [path for path, owner in self._bmc.store.settings.items() if owner == system]:
            if "BootSourceOverrideEnabled" in (self._bmc.store.get(settings).get("Boot") or {}):
                self._bmc.store.merge(settings, {"Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"}})


def _is_uri(value) -> bool:
    return value is None or (isinstance(value, str) and (not value or bool(re.match(r"https?://[^/\s]+", value))))
