# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of AMI, Cisco, NVIDIA, OpenBMC, Huawei, Fujitsu and the emulator of sushy-tools."""

from __future__ import annotations

from ..messages import Response, error
from .base import Quirk, Refuses, quirk


@quirk("ami_all_three")
class AllThree(Refuses):
    """Mode, enabled and target must be in every change of the override (AMI, ASRockRack)."""

    message, args = "PropertyMissing", ("BootSourceOverrideMode",)
    _needed = {"BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode"}

    def wants(self, request) -> bool:
        boot = self.boot_of(request)
        return bool(boot) and not self._needed <= set(boot)


@quirk("cisco_media_slots")
class MediaSlots(Refuses):
    """The first slot is for the KVM only and refuses images (`status` 400 or 405); the others are for DVD."""

    status, message = 405, "OperationNotAllowed"

    def setup(self) -> None:
        self.slots = sorted(self.bmc.of_kind("VirtualMedia"))
        self.bmc.store.merge(self.slots[0], {"Name": "KVM mapped", "MediaTypes": ["CD", "DVD"]})
        for path in self.slots[1:]:
            self.bmc.store.merge(path, {"MediaTypes": ["DVD"]})

    def wants(self, request) -> bool:
        return self.is_action(request, "VirtualMedia.InsertMedia") and self.bmc.store.actions[request.path][1] == self.slots[0]


@quirk("nvidia_media_credentials")
class MediaCredentials(Refuses):
    """InsertMedia wants a user and a password, whatever they are."""

    message, args = "ActionParameterMissing", ("VirtualMedia.InsertMedia", "UserName")

    def wants(self, request) -> bool:
        data = request.json(empty={}) if self.is_action(request, "VirtualMedia.InsertMedia") else {"UserName": 1, "Password": 1}
        return not data.get("UserName") or not data.get("Password")


@quirk("openbmc_task_monitor_suffix")
class TaskMonitorSuffix(Quirk):
    """Location of a task ends in /Monitor, where nothing of use is found; the task is above it."""

    def after(self, request, response):
        if request.path.endswith("/Monitor") and request.path[:-len("/Monitor")] in [task.path for task in self.bmc.tasks.all]:
            return self.hit(Response(204))
        if response.status == 202 and "/TaskMonitors/" in response.headers.get("Location", ""):
            task = next(item for item in self.bmc.tasks.all if item.monitor == response.headers["Location"])
            response.headers["Location"] = f"{task.path}/Monitor"
        return None


@quirk("huawei_no_managed_by")
class NoManagedBy(Quirk):
    """Systems do not link their manager."""

    def setup(self) -> None:
        for system in self.bmc.systems:
            self.bmc.store.edit(system).get("Links", {}).pop("ManagedBy", None)


@quirk("huawei_if_match_required")
class IfMatchRequired(Quirk):
    """PATCH needs If-Match."""

    def setup(self) -> None:
        self.bmc.options.etag_policy = (*self.bmc.options.etag_policy, "required")


@quirk("huawei_boot_type_order")
class BootTypeOrder(Refuses):
    """The attributes BootTypeOrder0 to 3 go together: all four, each type once."""

    message, args = "PropertyValueConflict", ("BootTypeOrder0", "BootTypeOrder1")
    types = ["HardDiskDrive", "DVDROMDrive", "PXE", "Others"]

    def setup(self) -> None:
        for path in self.bmc.of_kind("Bios"):
            if self.bmc.store.get(path).get("Attributes") and path not in self.bmc.store.settings:
                self.bmc.store.merge(path, {"Attributes": {f"BootTypeOrder{place}": kind for place, kind in enumerate(self.types)}})

    def wants(self, request) -> bool:
        if not self.is_patch(request, "Bios"):
            return False
        given = {name: value for name, value in (request.json(empty={}).get("Attributes") or {}).items() if name.startswith("BootTypeOrder")}
        return bool(given) and sorted(map(str, given.values())) != sorted(self.types)


@quirk("fujitsu_no_expand")
class NoExpand(Refuses):
    """$expand is advertised, and refused on anything but a collection."""

    message = "QueryNotSupportedOnResource"

    def wants(self, request) -> bool:
        return "$expand" in request.query and not self.bmc.store.kind(request.path).endswith("Collection")


@quirk("sushytools_storage_500")
class Storage500(Quirk):
    """The storage collection is an internal error where no storage is configured."""

    def before(self, request):
        kind = self.bmc.store.kind(request.path)
        return self.hit(error("InternalError")) if kind == "StorageCollection" and request.method == "GET" else None
