# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""BIOS attributes: checked against the registry, pending in the settings object, in effect after the next start."""

from __future__ import annotations

import json
import re

from .messages import Response, refusal
from .routes import action, patches


@patches("Bios")
def patch_bios(bmc, path: str, data: dict, _request) -> None:
    """PATCH of the settings object (or of Bios itself where it has none)."""
    owner = bmc.store.settings.get(path, path)
    if owner == path and path in bmc.store.settings.values():
        raise refusal("PropertyNotWritable", "Attributes", related=["Attributes"])
    known = {"Attributes"} | ({"@Redfish.SettingsApplyTime"} if bmc.bios.takes_apply_time(owner) else set())
    for name in data:
        if name not in known and not name.startswith("@odata."):
            raise refusal("PropertyUnknown", name, related=[name])
    attributes = data.get("Attributes")
    if not isinstance(attributes, dict):
        raise refusal("PropertyMissing", "Attributes", related=["Attributes"])
    if not attributes:
        raise refusal("EmptyJSON")
    bmc.bios.check(owner, attributes)
    bmc.bios.check_apply_time(owner, data.get("@Redfish.SettingsApplyTime"))
    bmc.bios.pend(owner, path, attributes)


@action("Bios.ResetBios")
def reset_bios(bmc, owner: str, _data: dict, _request) -> Response:
    """Defaults of the registry, at the next start."""
    entries = bmc.bios.registry(owner)
    current = bmc.store.get(owner).get("Attributes") or {}
    defaults = {name: entry["DefaultValue"] for name, entry in entries.items() if name in current and entry.get("DefaultValue") is not None}
    bmc.bios.pend(owner, bmc.bios.settings_of(owner), defaults)
    return Response(204)


@action("Bios.ChangePassword")
def change_password(_bmc, _owner: str, data: dict, _request) -> Response:
    """Accepted where complete; the password is not kept."""
    for name in ("PasswordName", "OldPassword", "NewPassword"):
        if name not in data:
            raise refusal("ActionParameterMissing", "Bios.ChangePassword", name, related=[name])
    return Response(204)


class Bios:
    """BIOS settings of a BMC's systems."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self._registries: dict = {}
        self.pending: dict = {}
        self.applied: list = []
        bmc.power.on_boot.append(self.started)

    def settings_of(self, owner: str) -> str:
        """The settings object of a Bios resource, itself where it has none."""
        return next((path for path, found in self._bmc.store.settings.items() if found == owner), owner)

    def takes_apply_time(self, owner: str) -> bool:
        """Whether @Redfish.SettingsApplyTime is known here."""
        told = self._bmc.options.settings_apply_time
        if told is not None:
            return told
        settings = self._bmc.store.get(owner).get("@Redfish.Settings") or {}
        pending = self._bmc.store.get(self.settings_of(owner))
        return "SupportedApplyTimes" in settings or any(key.startswith("@Redfish.SettingsApplyTime") for key in pending)

    def check_apply_time(self, owner: str, wanted) -> None:
        """Refuse an apply time that is not among those told."""
        if wanted is None:
            return
        settings = self._bmc.store.get(owner).get("@Redfish.Settings") or {}
        times = settings.get("SupportedApplyTimes") or ["OnReset"]
        if not isinstance(wanted, dict) or wanted.get("ApplyTime") not in times:
            raise refusal("PropertyValueNotInList", wanted, "ApplyTime", related=["@Redfish.SettingsApplyTime/ApplyTime"])

    def registry(self, owner: str) -> dict:
        """Entries of the attribute registry by name; {} where there is none."""
        name = self._bmc.store.get(owner).get("AttributeRegistry")
        if owner not in self._registries:
            self._registries[owner] = self._load(name) if isinstance(name, str) else {}
        return self._registries[owner]

    def _load(self, name: str) -> dict:
        plain = re.sub(r"[._]?v?\d+(?:[._]\d+)*$", "", name)
        for path in self._bmc.store.of_kind("AttributeRegistry"):
            data = self._bmc.store.get(path)
            label = str(data.get("Id") or "") + " " + str(data.get("RegistryPrefix") or "") + " " + path.rpartition("/")[2]
            if name in label or plain in label:
                entries = (data.get("RegistryEntries") or {}).get("Attributes") or []
                return {entry["AttributeName"]: entry for entry in entries if isinstance(entry, dict) and "AttributeName" in entry}
        return {}

    def check(self, owner: str, attributes: dict) -> None:
        """Refuse unknown, read-only, mistyped and impossible values."""
        current = self._bmc.store.get(owner).get("Attributes") or {}
        entries = self.registry(owner)
        for name, value in attributes.items():
            related = [f"Attributes/{name}"]
            if name not in current and name not in entries:
                raise refusal("PropertyUnknown", name, related=related)
            entry = entries.get(name) or _guess(current.get(name))
            if entry.get("ReadOnly"):
                raise refusal("PropertyNotWritable", name, related=related)
            problem = _problem(entry, value)
            if problem:
                raise refusal(problem, json.dumps(value), name, related=related)

    def pend(self, owner: str, path: str, attributes: dict) -> None:
        """Keep values until the next start, visible in the settings object."""
        self.pending.setdefault(owner, {}).update(attributes)
        if path != owner:
            self._bmc.store.merge(path, {"Attributes": attributes})

    def started(self, system: str) -> None:
        """A start: what is pending becomes current."""
        for owner in [path for path in self.pending if path.startswith(system + "/")]:
            values = self.pending.pop(owner)
            self.applied.append((owner, dict(values)))
            self._bmc.store.merge(owner, {"Attributes": values})
            path = self.settings_of(owner)
            recorded = self._bmc.tree.files.get(path)
            if path != owner and recorded is not None:
                listed = json.loads(recorded).get("Attributes") or {}
                kept = {**listed, **{name: value for name, value in values.items() if name in listed}}
                self._bmc.store.edit(path)["Attributes"] = kept


def _guess(value) -> dict:
    kinds = {bool: "Boolean", int: "Integer", str: "String"}
    return {"Type": kinds.get(type(value), "")}


def _problem(entry: dict, value):
    kind = entry.get("Type")
    if kind == "Enumeration":
        return None if value in [item.get("ValueName") for item in entry.get("Value") or []] else "PropertyValueNotInList"
    if kind == "Boolean":
        return None if isinstance(value, bool) else "PropertyValueTypeError"
    if kind == "Integer":
        if not isinstance(value, int) or isinstance(value, bool):
            return "PropertyValueTypeError"
        low, high = entry.get("LowerBound"), entry.get("UpperBound")
        return "PropertyValueOutOfRange" if (low is not None and value < low) or (high is not None and value > high) else None
    if kind in ("String", "Password"):
        if not isinstance(value, str):
            return "PropertyValueTypeError"
        low, high = entry.get("MinLength"), entry.get("MaxLength")
        return "PropertyValueFormatError" if (low and len(value) < low) or (high and len(value) > high) else None
    return None
