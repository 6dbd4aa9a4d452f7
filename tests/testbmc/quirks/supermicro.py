# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of Supermicro's BMCs."""

from __future__ import annotations

from .base import Quirk, Refuses, quirk


@quirk("supermicro_override_enabled_every_time")
class OverrideEnabledEveryTime(Refuses):
    """BootSourceOverrideEnabled must be in every change; a change of the target resets the mode to Legacy."""

    message, args = "PropertyMissing", ("BootSourceOverrideEnabled",)
    mode = "Legacy"

    def wants(self, request) -> bool:
        boot = self.boot_of(request)
        return bool(boot) and "BootSourceOverrideEnabled" not in boot

    def after(self, request, response) -> None:
        if response.status < 300 and "BootSourceOverrideTarget" in (self.boot_of(request) or {}):
            if "BootSourceOverrideMode" in self.bmc.boot.now(request.path):
                self.bmc.store.merge(request.path, {"Boot": {"BootSourceOverrideMode": self.mode}})


@quirk("supermicro_cd_is_usbcd")
class CdIsUsbCd(Quirk):
    """The virtual CD is UsbCd; Cd is a drive that is not there (the start falls through to the disk)."""

    def setup(self) -> None:
        name = "BootSourceOverrideTarget@Redfish.AllowableValues"
        for system in self.bmc.systems:
            boot = self.bmc.store.edit(system).setdefault("Boot", {})
            boot[name] = list(dict.fromkeys([*(boot.get(name) or ["None", "Pxe", "Hdd", "Cd"]), "UsbCd"]))
        self.bmc.power.on_boot.append(self._started)

    def _started(self, _system: str) -> None:
        boot = self.bmc.power.boots[-1]
        boot["target"] = {"UsbCd": "VirtualCd", "Cd": "Hdd"}.get(boot["target"], boot["target"])


@quirk("supermicro_insert_defaults_refused")
class InsertDefaultsRefused(Refuses):
    """InsertMedia takes neither Inserted nor WriteProtected."""

    message, args = "ActionParameterUnknown", ("VirtualMedia.InsertMedia", "Inserted")

    def wants(self, request) -> bool:
        return self.is_action(request, "VirtualMedia.InsertMedia") and bool({"Inserted", "WriteProtected"} & set(request.json(empty={})))


@quirk("supermicro_image_name_stays")
class ImageNameStays(Quirk):
    """ImageName is still there after an eject; ConnectedVia tells the truth, Inserted is not told."""

    def setup(self) -> None:
        self._names: dict = {}
        for path in self.bmc.of_kind("VirtualMedia"):
            self.bmc.store.edit(path).setdefault("ConnectedVia", "NotConnected")

    def after(self, request, response) -> None:
        path = self.bmc.store.real(request.path)
        if self.bmc.store.kind(path) != "VirtualMedia" or request.method != "GET":
            return
        name = self.bmc.store.get(path).get("ImageName")
        self._names[path] = name or self._names.get(path)

        def change(data: dict) -> None:
            data["ImageName"] = self._names[path]
            data.pop("Inserted", None)

        self.change_json(response, change)

    def before(self, request):
        if self.is_action(request, "VirtualMedia.EjectMedia"):
            owner = self.bmc.store.actions[request.path][1]
            self._names[owner] = self.bmc.store.get(owner).get("ImageName")


@quirk("supermicro_secure_boot_license")
class SecureBootLicense(Refuses):
    """Secure boot costs a licence, even to read."""

    status, message, registry, text = 403, "OemLicenseNotPassed", "SMC.1.0", "Not licensed to perform this request."

    def wants(self, request) -> bool:
        return self.bmc.store.kind(request.path) == "SecureBoot" or "/SecureBoot/" in request.path


@quirk("supermicro_login_200")
class Login200(Quirk):
    """A failed login is answered with 200 and an error in the body."""

    def setup(self) -> None:
        self.bmc.options.failed_login_status = 200
