# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Secure boot, managers, chassis, logs."""

from __future__ import annotations

from .messages import Response, refusal
from .routes import action, check_allowable, check_parameters, check_properties, deletes, patches


@patches("SecureBoot")
def patch_secure_boot(bmc, path: str, data: dict, _request) -> None:
    """SecureBootEnable: kept now, in effect after the next start."""
    check_properties(bmc, path, data, {"SecureBootEnable": bool})
    bmc.store.merge(path, data)

    def started(system: str) -> None:
        if path.startswith(system + "/"):
            enabled = bmc.store.get(path).get("SecureBootEnable")
            bmc.store.merge(path, {"SecureBootCurrentBoot": "Enabled" if enabled else "Disabled"})
            bmc.power.on_boot.remove(started)

    bmc.power.on_boot.append(started)


@action("SecureBoot.ResetKeys")
def reset_keys(bmc, owner: str, data: dict, _request) -> Response:
    """Key databases back to default, or deleted (setup mode)."""
    name = "SecureBoot.ResetKeys"
    check_parameters(name, data, known=("ResetKeysType",), required=("ResetKeysType",))
    kinds = ["ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK"]
    check_allowable(bmc, owner, name, "ResetKeysType", value=data["ResetKeysType"], fallback=kinds)
    bmc.store.merge(owner, {"SecureBootMode": "UserMode" if data["ResetKeysType"] == "ResetAllKeysToDefault" else "SetupMode"})
    return Response(204)


@action("Manager.Reset")
def reset_manager(bmc, owner: str, data: dict, _request) -> Response:
    """The BMC answers, then is away for `restart_seconds`, and has lost its sessions."""
    name = "Manager.Reset"
    check_parameters(name, data, known=("ResetType",))
    if "ResetType" in data:
        check_allowable(bmc, owner, name, "ResetType", value=data["ResetType"], fallback=["ForceRestart", "GracefulRestart"])
    response = Response(204)
    response.close = True
    response.after = bmc.restart
    return response


@action("Manager.ResetToDefaults")
def reset_to_defaults(bmc, owner: str, data: dict, _request) -> Response:
    """Checked, not carried out."""
    check_parameters("Manager.ResetToDefaults", data, known=("ResetType",), required=("ResetType",))
    check_allowable(bmc, owner, "Manager.ResetToDefaults", "ResetType", value=data["ResetType"])
    return Response(204)


@patches("Manager")
def patch_manager(bmc, path: str, data: dict, _request) -> None:
    """Clock and console of a manager."""
    rules = {"DateTime": str, "DateTimeLocalOffset": str, "SerialConsole": {"ServiceEnabled": bool}, "LocationIndicatorActive": bool}
    check_properties(bmc, path, data, {name: rule for name, rule in rules.items() if name in bmc.store.get(path)})
    bmc.store.merge(path, data)


@patches("DellAttributes")
def patch_attributes(bmc, path: str, data: dict, _request) -> None:
    """A vendor's attributes of a manager: those there are, kept at once."""
    check_properties(bmc, path, data, {"Attributes": dict})
    here = bmc.store.get(path).get("Attributes") or {}
    for name in data.get("Attributes", {}):
        if name not in here:
            raise refusal("PropertyUnknown", name, related=[f"Attributes/{name}"])
    bmc.store.merge(path, {"Attributes": data.get("Attributes", {})})


@patches("Chassis")
def patch_chassis(bmc, path: str, data: dict, _request) -> None:
    """What may be written on a chassis."""
    rules = {"AssetTag": (str, type(None)), "IndicatorLED": ["Off", "Lit", "Blinking"], "LocationIndicatorActive": bool}
    check_properties(bmc, path, data, {name: rule for name, rule in rules.items() if name in bmc.store.get(path)})
    bmc.store.merge(path, data)


@action("LogService.ClearLog")
def clear_log(bmc, owner: str, data: dict, _request) -> Response:
    """All entries are gone."""
    check_parameters("LogService.ClearLog", data, known=("LogEntriesETag",))
    entries = bmc.store.link(owner, "Entries")
    for path in bmc.store.members(entries):
        bmc.store.delete(path)
    listing = bmc.store.edit(entries)
    listing["Members"], listing["Members@odata.count"] = [], 0
    for name in [key for key in listing if key.endswith("nextLink")]:
        del listing[name]
    bmc.cleared_logs.append(owner)
    return Response(204)


@patches("LogService")
def patch_log(bmc, path: str, data: dict, _request) -> None:
    """Settings of a log."""
    check_properties(bmc, path, data, {"ServiceEnabled": bool, "DateTime": str, "DateTimeLocalOffset": str})
    bmc.store.merge(path, data)


@deletes("Task")
def delete_task(bmc, path: str, _request) -> Response:
    """Forget a task."""
    if path not in [task.path for task in bmc.tasks.all]:
        raise refusal("ResourceCannotBeDeleted")
    bmc.store.delete(path, collection=bmc.tasks.collection)
    return Response(204)
