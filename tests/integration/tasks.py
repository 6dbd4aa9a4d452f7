# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of all modules, for tests that run every one of them: resource, options, and how to see at a test BMC that it is so."""

from __future__ import annotations

from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.certificate import CertificateResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.drive_erase import DriveEraseResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.events import EventSubscriptionResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource

NOW = {"wait_timeout": 0, "bmc_timeout": 20}
TASKS = (
    (PowerResource, {"state": "powered_on", **NOW}), (PowerResource, {"state": "powered_off", "graceful_timeout": 0, **NOW}),
    (PowerResource, {"state": "powered_off", "force": True, **NOW}), (PowerResource, {"state": "restarted", "force": True, **NOW}),
    (PowerResource, {"state": "power_cycled", "force": True, **NOW}), (PowerResource, {"state": "powered_on", "check_mode": True, **NOW}),
    (BootDeviceResource, {"device": "pxe", **NOW}), (BootDeviceResource, {"device": "cd", "persistence": "continuous", **NOW}),
    (BootDeviceResource, {"device": "none", **NOW}), (BootDeviceResource, {"device": "pxe", "firmware_mode": "uefi", **NOW}),
    (BootDeviceResource, {"device": "disk", "check_mode": True, **NOW}),
    (HardwareResource, {"bmc_timeout": 20}), (HealthResource, {"bmc_timeout": 20}),
)
SYSTEM, MANAGER = "/redfish/v1/Systems/1", "/redfish/v1/Managers/1"
IMAGE, NAME, LISTENER = "http://192.0.2.1/x.iso", "mutant", "http://192.0.2.9/events"
WORDS = {"pxe": {"Pxe"}, "cd": {"Cd", "UsbCd"}, "disk": {"Hdd"}}


def holds(bmc, resource, params) -> bool:
    """Whether what a task was to reach is so at the BMC."""
    system = bmc.system
    if resource is PowerResource:
        return bmc.power.state(system) == ("Off" if params["state"] == "powered_off" else "On")
    boot = bmc.get(system)["Boot"]
    if params["device"] == "none":
        return boot["BootSourceOverrideEnabled"] == "Disabled" or boot["BootSourceOverrideTarget"] == "None"
    lasting = "Continuous" if params.get("persistence") == "continuous" else "Once"
    by_order = lasting == "Continuous" and "Continuous" not in boot.get("BootSourceOverrideEnabled@Redfish.AllowableValues", ["Continuous"])
    return by_order or (boot["BootSourceOverrideTarget"] in WORDS[params["device"]] and boot["BootSourceOverrideEnabled"] == lasting)


def _bios(bmc, params) -> bool:
    wanted = params["attributes"]
    seen = {**bmc.get(f"{SYSTEM}/Bios")["Attributes"], **bmc.bios.pending.get(f"{SYSTEM}/Bios", {})}
    return all(seen[name] == value for name, value in wanted.items())


def _subscribed(bmc, params) -> bool:
    found = [path for path in bmc.of_kind("EventDestination") if bmc.get(path)["Destination"] == LISTENER]
    return bool(found) is (params.get("state") != "absent")


def _mirrored(bmc, params) -> bool:
    found = [path for path in bmc.of_kind("Volume") if bmc.get(path)["RAIDType"] == "RAID1"]
    return bool(found) is (params["state"] == "present")


# Resource, options, and whether that is so at the BMC.
MORE = (
    (VirtualMediaResource, {"image_url": IMAGE, **NOW}, lambda bmc, params: IMAGE in bmc.inserted_media()),
    (VirtualMediaResource, {"state": "ejected", **NOW}, lambda bmc, params: not bmc.inserted_media()),
    (BiosResource, {"attributes": {"NumLock": False, "BootRetry": 5}, **NOW}, _bios),
    (BiosResource, {"attributes": {"NumLock": True, "BootRetry": 4}, **NOW}, _bios),
    (UserResource, {"name": NAME, "password": "A-Long-Passw0rd", "role": "operator", **NOW}, lambda bmc, params: bool(bmc.accounts.find(NAME))),
    (UserResource, {"name": NAME, "state": "absent", **NOW}, lambda bmc, params: not bmc.accounts.find(NAME)),
    (SecureBootResource, {"enabled": True, **NOW}, lambda bmc, params: bmc.get(f"{SYSTEM}/SecureBoot")["SecureBootEnable"] is True),
    (SecureBootResource, {"enabled": False, **NOW}, lambda bmc, params: bmc.get(f"{SYSTEM}/SecureBoot")["SecureBootEnable"] is False),
    (NetworkResource, {"ntp": ["192.0.2.7"], **NOW}, lambda bmc, params: bmc.get(f"{MANAGER}/NetworkProtocol")["NTP"]["NTPServers"] == ["192.0.2.7"]),
    (NetworkResource, {"ntp": ["192.0.2.8"], **NOW}, lambda bmc, params: bmc.get(f"{MANAGER}/NetworkProtocol")["NTP"]["NTPServers"] == ["192.0.2.8"]),
    (EventSubscriptionResource, {"destination": LISTENER, **NOW}, _subscribed),
    (EventSubscriptionResource, {"destination": LISTENER, "state": "absent", **NOW}, _subscribed),
    (StorageVolumeResource, {"state": "present", "name": "m", "level": "raid1", "drives": ["HDD0001", "HDD0002"], **NOW}, _mirrored),
    (StorageVolumeResource, {"state": "absent", "name": "m", "drives": ["HDD0001", "HDD0002"], **NOW}, _mirrored),
    (LogResource, {"logs": ["SEL"], **NOW}, lambda bmc, params: not bmc.store.members(f"{SYSTEM}/LogServices/SEL/Entries")),
    (LogInfoResource, {"bmc_timeout": 20}, None),
    (CapabilitiesResource, {"bmc_timeout": 20}, None),
)
# What only a test with files and certificates can carry out.
PLANNED = (
    (FirmwareResource, {"component": "BIOS", "version": "9.9.9", "image_url": "http://192.0.2.1/bios.bin", **NOW}),
    (DriveEraseResource, {"serials": ["HDD0001"], "destroy_data": True, **NOW}),
    (CertificateResource, {"state": "requested", "subject": {"common_name": "bmc", "organization": "o", "organizational_unit": "u", "city": "c",
                                                             "state": "s", "country": "CH"}, **NOW}),
)
EVERY = (*TASKS, *((resource, params) for resource, params, _truth in MORE), *PLANNED)
