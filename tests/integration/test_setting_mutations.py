# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken answers to changes of media, BIOS, Secure Boot, firmware and storage: no traceback, no success that is none, no hang.

TYPEONE_MUTATIONS sets how many tasks are run (150); a failure names its seed, TYPEONE_MUTATIONS_FIRST starts there.
"""

from __future__ import annotations

import os
import time

import pytest
from mutations import Mutations
from running import run
from test_management_mutations import check, fixture_naps  # noqa: F401  pylint: disable=unused-import

from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.drive_erase import DriveEraseResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource

COUNT = int(os.environ.get("TYPEONE_MUTATIONS", "150"))
FIRST = int(os.environ.get("TYPEONE_MUTATIONS_FIRST", "0"))
ISO, OTHER, NEW = "https://192.0.2.1/a.iso", "https://192.0.2.1/b.iso", "9.99.1"
ATTRIBUTES = {"SriovGlobalEnable": "Enabled", "BootRetry": 5}
REBOOT = {"reboot": True, "force": True}
MIRROR = {"name": "system", "level": "raid1", "drives": ["HDD0001", "HDD0002"]}


def media(bmc):
    """Return the images in all slots."""
    return [slot["Image"] for slot in map(bmc.get, bmc.of_kind("VirtualMedia")) if slot["Inserted"]]


def fill(bmc):
    """Have an image in a slot."""
    bmc.set("/redfish/v1/Systems/1/VirtualMedia/CD1", {"Image": OTHER, "ImageName": "b.iso", "Inserted": True, "ConnectedVia": "URI"})


def current(bmc):
    """Return the attributes in effect, and over them those that wait."""
    return {**bmc.get("/redfish/v1/Systems/1/Bios")["Attributes"], **bmc.bios.pending.get("/redfish/v1/Systems/1/Bios", {})}


def applied(bmc):
    """Tell whether the attributes are in effect."""
    return not bmc.bios.pending and ATTRIBUTES.items() <= current(bmc).items()


def secure(bmc, name="SecureBootEnable"):
    """Return what Secure Boot shows."""
    return bmc.get("/redfish/v1/Systems/1/SecureBoot")[name]


def version(bmc):
    """Return the BMC's version."""
    return bmc.get("/redfish/v1/UpdateService/FirmwareInventory/BMC")["Version"]


def levels(bmc):
    """Return the levels of the volumes by their names."""
    return {found["Name"]: found["RAIDType"] for found in map(bmc.get, bmc.store.members("/redfish/v1/Systems/1/Storage/RAID1/Volumes"))}


# Resource, options, and what is so at the BMC where the result says that it is verified; what is so before.
TASKS = (
    (VirtualMediaResource, {"image_url": ISO}, lambda bmc: ISO in media(bmc), None),
    (VirtualMediaResource, {"image_url": ISO, "slot": "CD1"}, lambda bmc: ISO in media(bmc), fill),
    (VirtualMediaResource, {"state": "ejected"}, lambda bmc: not media(bmc), fill),
    (BiosResource, {"attributes": ATTRIBUTES}, lambda bmc: ATTRIBUTES.items() <= current(bmc).items(), None),
    (BiosResource, {"attributes": ATTRIBUTES, **REBOOT}, applied, None),
    (BiosResource, {"attributes": ATTRIBUTES, "reset_to_defaults": True, **REBOOT}, applied, None),
    (SecureBootResource, {"enabled": True}, secure, None),
    (SecureBootResource, {"enabled": True, **REBOOT}, lambda bmc: secure(bmc, "SecureBootCurrentBoot") == "Enabled", None),
    (SecureBootResource, {"keys": "deleted"}, lambda bmc: secure(bmc, "SecureBootMode") == "SetupMode", None),
    (FirmwareResource, {"component": "BMC", "version": NEW, "image_path": __file__}, lambda bmc: version(bmc) == NEW, None),
    (FirmwareResource, {"component": "bmc", "version": NEW, "image_url": ISO, **REBOOT}, lambda bmc: version(bmc) == NEW, None),
    (StorageVolumeResource, MIRROR, lambda bmc: levels(bmc).get("system") == "RAID1", None),
    (StorageVolumeResource, {"level": "raid5", "drives": ["HDD0000", "HDD0001", "HDD0002"], "replace": ["1"]},
     lambda bmc: list(levels(bmc).values()) == ["RAID5"], None),
    (StorageVolumeResource, {"state": "absent", "name": "1"}, lambda bmc: not levels(bmc), None),
    (DriveEraseResource, {"serials": ["HDD0001"], "destroy_data": True, "bmc_timeout": 2},
     lambda bmc: set(bmc.storage.erased) == {"/redfish/v1/Systems/1/Storage/RAID1/Drives/Disk1"}, None),
    (VirtualMediaResource, {"image_url": ISO, "check_mode": True}, None, fill), (BiosResource, {"attributes": ATTRIBUTES, "check_mode": True}, None, None),
    (SecureBootResource, {"enabled": True, "keys": "deleted", "check_mode": True}, None, None),
    (FirmwareResource, {"component": "B*", "version": NEW, "image_path": __file__, "check_mode": True}, None, None),
    (StorageVolumeResource, {**MIRROR, "check_mode": True}, None, None),
    (DriveEraseResource, {"serials": ["HDD0001"], "destroy_data": True, "check_mode": True}, None, None),
)


def data_are_kept(bmc, resource, params) -> bool:
    """Tell whether nothing was lost that was not named."""
    only = ["/redfish/v1/Systems/1/Storage/RAID1/Drives/Disk1"] if resource is DriveEraseResource else []
    may_go = "1" in params.get("replace", []) or params.get("state") == "absent"
    return set(bmc.storage.erased) <= set(only) and (may_go or levels(bmc).get("1") == "RAID0")


@pytest.mark.usefixtures("naps")
def test_broken_answers(test_bmc):
    """Each task meets answers that are broken in a way of its seed's own, at a BMC as it came from the factory."""
    outcomes = {"failed": 0, "verified": 0, "other": 0}
    mutations, bmc = Mutations(), None
    for seed in range(FIRST, FIRST + COUNT):
        resource, params, holds, before = TASKS[seed % len(TASKS)]
        if bmc is None or bmc.counters.effective_writes() or before:
            if bmc is not None:
                bmc.stop()
            mutations = Mutations()
            bmc = test_bmc(tls=False, quirks=[mutations])
        if before:
            before(bmc)
        mutations.begin(seed)
        begin = time.monotonic()
        try:
            result = run(resource, bmc, **{"wait_timeout": 5, "bmc_timeout": 2, **params})
            mutations.chance = 0.0
            # What an answer leaves out is not there, as far as anybody can tell: then nothing is done, and that holds.
            silent = params.get("state") in ("absent", "ejected") and not result["changed"]
            check(bmc, resource, params, (lambda bmc: True) if silent else holds, result)
            assert data_are_kept(bmc, resource, params)
        except Exception as problem:
            raise AssertionError(f"seed {seed}, {resource.__name__} {params}: {mutations.log}") from problem
        assert time.monotonic() - begin < 30, f"seed {seed} hangs: {mutations.log}"
        outcomes["failed" if result.get("failed") else "verified" if result["verified"] else "other"] += 1
        bmc.sessions.expire(everyone=True)
    print(f"{COUNT} tasks from seed {FIRST}: {outcomes}")
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"
