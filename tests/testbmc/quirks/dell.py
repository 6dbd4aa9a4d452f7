# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of iDRACs."""

from __future__ import annotations

from ..messages import Response, error
from .base import Quirk, Refuses, quirk


@quirk("dell_idrac10_boot_readonly")
class BootReadonly(Refuses):
    """Boot on the system is read only; the settings object takes it."""

    message, args = "PropertyNotWritable", ("Boot",)
    immediate = True        # the system shows the override at once, as it is for the next start

    def setup(self) -> None:
        store = self.bmc.store
        self.bmc.boot.settings_immediate = self.immediate
        for system in self.bmc.systems:
            settings = f"{system}/Settings"
            if not store.get(system).get("@Redfish.Settings"):
                boot = {key: value for key, value in self.bmc.boot.now(system).items() if "@" not in key and not isinstance(value, dict)}
                store.put(settings, {"@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "Id": "Settings", "Name": "Settings", "Boot": boot})
                store.merge(system, {"@Redfish.Settings": {"@odata.type": "#Settings.v1_3_5.Settings", "SupportedApplyTimes": ["OnReset"],
                                                           "SettingsObject": {"@odata.id": settings}}})
                store.settings[settings] = system

    def wants(self, request) -> bool:
        return self.boot_of(request) is not None and request.path not in self.bmc.store.settings


@quirk("dell_idrac10_on_after_off")
class OnAfterOff(Refuses):
    """On just after Off is refused for a while."""

    status, message, args = 409, "ActionParameterValueConflict", ("ResetType", "On")
    seconds = 1.0
    _off = -1e9

    def after(self, request, response) -> None:
        if self.is_action(request, "ComputerSystem.Reset") and response.status < 300:
            if request.json(empty={}).get("ResetType") in ("ForceOff", "GracefulShutdown", "PushPowerButton"):
                self._off = self.bmc.clock.now()

    def wants(self, request) -> bool:
        soon = self.bmc.clock.now() < self._off + self.seconds
        return soon and self.is_action(request, "ComputerSystem.Reset") and request.json(empty={}).get("ResetType") in ("On", "ForceOn")


@quirk("dell_idrac10_if_match_on_action")
class IfMatchOnAction(Quirk):
    """If-Match on an action is 412."""

    def setup(self) -> None:
        self.bmc.options.etag_policy = (*self.bmc.options.etag_policy, "refused_on_post")


@quirk("dell_idrac10_media_under_systems")
class MediaUnderSystems(Quirk):
    """Virtual media below the system only, and no HttpBootUri."""

    def setup(self) -> None:
        store = self.bmc.store
        for path in [item for item in store.of_kind("VirtualMedia") + store.of_kind("VirtualMediaCollection") if "/Managers/" in item]:
            store.changed[path] = None
        for manager in store.of_kind("Manager"):
            store.edit(manager).pop("VirtualMedia", None)
        for system in self.bmc.systems:
            boot = store.edit(system).get("Boot", {})
            boot.pop("HttpBootUri", None)
            boot["BootSourceOverrideTarget@Redfish.AllowableValues"] = [
                item for item in boot.get("BootSourceOverrideTarget@Redfish.AllowableValues", []) if item != "UefiHttp"]


@quirk("dell_cd_is_physical")
class CdIsPhysical(Quirk):
    """Target Cd starts the physical drive; the vendor's attribute ServerBoot.1.FirstBootDevice chooses the virtual one."""

    FIRST, ONCE = "ServerBoot.1.FirstBootDevice", "ServerBoot.1.BootOnce"

    def setup(self) -> None:
        manager = self.bmc.manager
        found = [path for path in self.bmc.of_kind("DellAttributes") if self.FIRST in (self.bmc.store.get(path).get("Attributes") or {})]
        number = manager.rpartition("/")[2]
        self.path = found[0] if found else f"{manager}/Oem/Dell/DellAttributes/{number}"
        if not found:
            self.bmc.store.put(self.path, {"@odata.type": "#DellAttributes.v1_0_0.DellAttributes", "Id": number, "Name": "Attributes",
                                           "Attributes": {self.FIRST: "Normal", self.ONCE: "Disabled"}})
            self.bmc.store.merge(manager, {"Links": {"Oem": {"Dell": {"DellAttributes": [{"@odata.id": self.path}]}}}})
        self.bmc.power.on_boot.append(self._started)

    def _started(self, _system: str) -> None:
        boot, values = self.bmc.power.boots[-1], self.bmc.store.get(self.path)["Attributes"]
        if values.get(self.FIRST) == "VCD-DVD":
            boot["target"] = "VirtualCd"
            if values.get(self.ONCE) == "Enabled":
                self.bmc.store.merge(self.path, {"Attributes": {self.FIRST: "Normal"}})
        elif boot["target"] == "Cd":
            boot["target"] = "PhysicalCd"


@quirk("dell_media_listed_after_eject")
class MediaListedAfterEject(Quirk):
    """A slot ejected is still listed as inserted until ejected again, and an insert then fails once with 500."""

    def before(self, request):
        if self.is_action(request, "VirtualMedia.EjectMedia") and self.hits == 0:
            return self.hit(Response(204))
        if self.is_action(request, "VirtualMedia.InsertMedia") and self.hits == 1:
            return self.hit(error("VRM0012", status=500, registry="IDRAC.2.8", text="Unable to attach the virtual media."))
        return None


@quirk("dell_sys518")
class Sys518(Refuses):
    """Not ready, whatever the verb."""

    times, status, message, registry, text = 2, 503, "SYS518", "IDRAC.2.8", "iDRAC is not ready. The configuration values cannot be accessed."

    def wants(self, request) -> bool:
        return request.path.startswith("/redfish/v1/") and "Sessions" not in request.path


@quirk("dell_uefi_target_alone")
class UefiTargetAlone(Refuses):
    """UefiTargetBootSourceOverride is refused beside BootSourceOverrideEnabled."""

    message, args = "PropertyValueConflict", ("UefiTargetBootSourceOverride", "BootSourceOverrideEnabled")

    def wants(self, request) -> bool:
        boot = self.boot_of(request) or {}
        return boot.get("UefiTargetBootSourceOverride") is not None and "BootSourceOverrideEnabled" in boot


@quirk("dell_no_chunked")
class NoChunked(Refuses):
    """An upload must tell its length."""

    status, message = 411, "LengthRequired"

    def wants(self, request) -> bool:
        return request.method == "POST" and "chunked" in (request.headers.get("transfer-encoding") or "").lower()
