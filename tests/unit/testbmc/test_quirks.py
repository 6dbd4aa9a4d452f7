# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Habits of the test BMC: each is replayed with a module in the contract tier; here, that they are what their names say."""

from __future__ import annotations

import pathlib

import pytest

from testbmc.quirks import QUIRKS

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
MEDIA = "/redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia"
BIOS = f"{SYSTEM}/Bios/Settings"
INTEGRATION = pathlib.Path(__file__).resolve().parents[2] / "integration"
# Habits that no module meets, and why.
UNUSED = {"hpe_manager_reset_bare": "no module restarts a BMC by its Reset action"}
ONCE = {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
ALL = {**ONCE, "BootSourceOverrideMode": "UEFI"}
IMAGE = {"Image": "http://192.0.2.1/x.iso"}


@pytest.mark.parametrize("name", sorted(QUIRKS))
def test_each_habit_is_replayed_with_a_module(name):
    """By its name, in a test of the contract tier."""
    users = [path.name for path in INTEGRATION.glob("test_*.py") if f'"{name}"' in path.read_text(encoding="utf-8")]
    assert users or name in UNUSED, f"no test in {INTEGRATION.name}/ replays {name}"


@pytest.mark.parametrize("quirk, method, path, refused, taken", [
    ("dell_idrac10_boot_readonly", "PATCH", SYSTEM, {"Boot": ONCE}, {"AssetTag": "x"}),
    ("dell_uefi_target_alone", "PATCH", SYSTEM, {"Boot": {"UefiTargetBootSourceOverride": "x", "BootSourceOverrideEnabled": "Once"}},
     {"Boot": {"UefiTargetBootSourceOverride": "x"}}),
    ("hpe_target_none_refused", "PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "None"}}, {"Boot": {"BootSourceOverrideEnabled": "Disabled"}}),
    ("hpe_mode_readonly", "PATCH", SYSTEM, {"Boot": ALL}, {"Boot": ONCE}),
    ("hpe_minimal_boot", "PATCH", SYSTEM, {"Boot": ALL}, {"Boot": ONCE}),
    ("supermicro_override_enabled_every_time", "PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "Pxe"}}, {"Boot": ONCE}),
    ("ami_all_three", "PATCH", SYSTEM, {"Boot": ONCE}, {"Boot": ALL}),
    ("lenovo_no_continuous", "PATCH", SYSTEM, {"Boot": {**ONCE, "BootSourceOverrideEnabled": "Continuous"}}, {"Boot": ONCE}),
    ("huawei_if_match_required", "PATCH", SYSTEM, {"AssetTag": "x"}, None),
    ("supermicro_insert_defaults_refused", "POST", f"{MEDIA}.InsertMedia", {**IMAGE, "Inserted": True}, IMAGE),
    ("nvidia_media_credentials", "POST", f"{MEDIA}.InsertMedia", IMAGE, {**IMAGE, "UserName": "x", "Password": "x"}),
    ("lenovo_no_insert_media", "POST", f"{MEDIA}.InsertMedia", IMAGE, None),
    ("cisco_media_slots", "POST", f"{MEDIA}.InsertMedia", IMAGE, None),
    ("lenovo_apply_time_unknown", "PATCH", BIOS, {"Attributes": {"NumLock": False}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}},
     {"Attributes": {"NumLock": False}}),
    ("huawei_boot_type_order", "PATCH", BIOS, {"Attributes": {"BootTypeOrder0": "PXE"}},
     {"Attributes": {"BootTypeOrder0": "PXE", "BootTypeOrder1": "HardDiskDrive", "BootTypeOrder2": "DVDROMDrive", "BootTypeOrder3": "Others"}}),
    ("hpe_manager_reset_bare", "POST", "/redfish/v1/Managers/1/Actions/Manager.Reset", {"ResetType": "ForceRestart"}, {}),
    ("supermicro_secure_boot_license", "PATCH", f"{SYSTEM}/SecureBoot", {"SecureBootEnable": True}, None),
])
def test_what_is_refused_and_what_is_taken(start, quirk, method, path, refused, taken):
    """The habit refuses one form and takes another; without the habit both are taken."""
    bmc, client = start(quirks=[quirk])
    answer = client(method, path, refused)
    assert 400 <= answer.status < 500, answer.raw
    assert taken is None or client(method, path, taken).status < 300
    if quirk != "huawei_boot_type_order":  # adds the attributes that it is about
        bmc, client = start(restart_seconds=0.0)
        assert client(method, path, refused).status < 300 and not bmc.quirks


def test_a_while_and_then_no_more(start):
    """Habits that pass: not ready, in the self-test, just switched off."""
    bmc, client = start(quirks=[("dell_sys518", {"times": 2})])
    assert [client("GET", SYSTEM).status for _unused in range(3)] == [503, 503, 200]
    bmc, client = start(quirks=[("hpe_post_in_progress", {"seconds": 30})])
    client("POST", RESET, {"ResetType": "On"})
    assert client("PATCH", SYSTEM, {"AssetTag": "x"}).message == "UnableToModifyDuringSystemPOST"
    bmc.clock.advance(31)
    assert client("PATCH", SYSTEM, {"AssetTag": "x"}).status == 200
    bmc, client = start(quirks=[("dell_idrac10_on_after_off", {"seconds": 30})])
    assert [client("POST", RESET, {"ResetType": kind}).status for kind in ("On", "ForceOff", "On")] == [204, 204, 409]
    bmc.clock.advance(31)
    assert client("POST", RESET, {"ResetType": "On"}).status == 204


def test_a_quirk_that_is_not_known(start):
    """Neither a name nor a parameter is made up."""
    with pytest.raises(ValueError, match="unknown quirk"):
        start(quirks=["no_such_habit"])
    with pytest.raises(ValueError, match="no parameter"):
        start(quirks=[("dell_sys518", {"colour": 1})])
