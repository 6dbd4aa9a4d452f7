# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of Lenovo's XCC."""

from __future__ import annotations

from .base import Quirk, Refuses, quirk


@quirk("lenovo_monitor_deletes_task")
class MonitorDeletesTask(Quirk):
    """A GET of the monitor of a finished task deletes the task."""

    def after(self, request, _response) -> None:
        for task in [item for item in self.bmc.tasks.all if item.monitor == request.path and item.finished]:
            self.hits += 1
            self.bmc.tasks.all.remove(task)
            self.bmc.store.delete(task.path, collection=self.bmc.tasks.collection)


@quirk("lenovo_session_cap")
class SessionCap(Quirk):
    """So many sessions and no more."""

    sessions = 16

    def setup(self) -> None:
        self.bmc.options.session_cap = self.sessions


@quirk("lenovo_no_insert_media")
class NoInsertMedia(Quirk):
    """Virtual media without actions: PATCH Image and Inserted."""

    def setup(self) -> None:
        self.bmc.options.media_patch = True
        for path in self.bmc.of_kind("VirtualMedia"):
            for block in self.bmc.store.edit(path).pop("Actions", {}).values():
                self.bmc.store.actions.pop(block.get("target", ""), None)


@quirk("lenovo_no_continuous")
class NoContinuous(Refuses):
    """An override holds once; what shall last is the boot order."""

    message, args = "PropertyValueNotInList", ("Continuous", "BootSourceOverrideEnabled")

    def setup(self) -> None:
        for system in self.bmc.systems:
            self.bmc.store.merge(system, {"Boot": {"BootSourceOverrideEnabled@Redfish.AllowableValues": ["Once", "Disabled"]}})

    def wants(self, request) -> bool:
        return (self.boot_of(request) or {}).get("BootSourceOverrideEnabled") == "Continuous"


@quirk("lenovo_apply_time_unknown")
class ApplyTimeUnknown(Quirk):
    """@Redfish.SettingsApplyTime is an unknown property."""

    def setup(self) -> None:
        self.bmc.options.settings_apply_time = False


@quirk("lenovo_no_ethernet_interfaces")
class NoEthernetInterfaces(Quirk):
    """The system's EthernetInterfaces are empty; adapters' ports tell the MAC addresses."""

    def setup(self) -> None:
        for system in self.bmc.systems:
            path = self.bmc.store.link(system, "EthernetInterfaces")
            if path in self.bmc.store:
                listing = self.bmc.store.edit(path)
                listing["Members"], listing["Members@odata.count"] = [], 0
