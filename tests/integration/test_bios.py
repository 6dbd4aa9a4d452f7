# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_bios against BMCs whose settings wait for a reset, each in its own way."""

from __future__ import annotations

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources import bios as module
from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

WANTED = {"SriovGlobalEnable": "Enabled", "BootRetry": 5}


def bios(bmc, attributes=None, **params):
    """Run bmc_bios."""
    return run(BiosResource, bmc, attributes=attributes or {}, **params)


def current(bmc, *names):
    """Return the attributes in effect at the server."""
    found = bmc.get(f"{bmc.system}/Bios")["Attributes"]
    return {name: found[name] for name in names}


def test_values_are_pending_then_current(test_bmc):
    """They are asked for once, count while they wait, and are in effect after a start."""
    bmc = test_bmc()
    result = bios(bmc, WANTED)
    assert result["changed"] and result["verified"]
    assert result["bios"] == {"attributes": {"SriovGlobalEnable": "Disabled", "BootRetry": 3}, "pending": WANTED, "reboot_required": True}
    assert bmc.bios.pending == {f"{bmc.system}/Bios": WANTED} and not bmc.power.resets
    assert [entry["body"] for entry in result["sent"]] == [{"Attributes": WANTED, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}]
    bmc.counters.reset()
    again = bios(bmc, WANTED)
    assert not again["changed"] and again["verified"] and again["bios"]["reboot_required"] and not bmc.counters.effective_writes()
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.counters.duplicates and not bmc.sessions.open()
    run(PowerResource, bmc, state="powered_on")
    result = bios(bmc, WANTED)
    assert not result["changed"] and result["bios"] == {"attributes": WANTED, "pending": {}, "reboot_required": False}


@pytest.mark.parametrize("state", ["Off", "On"])
def test_reboot_applies_and_verifies(test_bmc, state):
    """Written, restarted, in effect; a second run restarts nothing."""
    bmc = test_bmc()
    if state == "On":
        run(PowerResource, bmc, state="powered_on")
    result = bios(bmc, WANTED, reboot=True)
    assert result["changed"] and result["verified"] and result["bios"]["attributes"] == WANTED and current(bmc, *WANTED) == WANTED
    assert result["diff"]["after"] == {"attributes": WANTED, "pending": {}, "reboot_required": False}
    assert bmc.power.resets[-1][1] == {"Off": "On", "On": "GracefulRestart"}[state]
    bmc.counters.reset()
    assert not bios(bmc, WANTED, reboot=True)["changed"] and not bmc.counters.effective_writes()


def test_reboot_of_what_is_pending_already(test_bmc):
    """Nothing is written again; the restart alone is asked for, without the operating system."""
    bmc = test_bmc()
    run(PowerResource, bmc, state="powered_on")
    bios(bmc, WANTED)
    bmc.counters.reset()
    result = bios(bmc, WANTED, reboot=True, force=True)
    assert result["changed"] and result["verified"] and current(bmc, *WANTED) == WANTED
    assert [body for _method, _path, body in bmc.counters.effective_writes()] == [{"ResetType": "ForceRestart"}]


def test_a_pending_value_that_is_not_wanted_is_replaced(test_bmc):
    """A reset is about to change a value that is right now: that is no state as declared."""
    bmc = test_bmc()
    bios(bmc, {"BootRetry": 7})
    result = bios(bmc, {"BootRetry": 3})
    assert result["changed"] and result["verified"] and bmc.bios.pending[f"{bmc.system}/Bios"]["BootRetry"] == 3
    assert not bios(bmc, {"BootRetry": 3})["changed"]


@pytest.mark.parametrize("params", [{"attributes": WANTED}, {"attributes": WANTED, "reboot": True}, {"reset_to_defaults": True}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    bmc.set(f"{bmc.system}/Bios", {"Attributes": {"NumLock": False}})
    result = bios(bmc, check_mode=True, **params)
    assert result["changed"] and not result["verified"] and not bmc.counters.effective_writes() and not bmc.bios.pending
    after = result["diff"]["after"]
    shown = after["attributes"] if params.get("reboot") else after["pending"]
    assert WANTED.items() <= shown.items() or shown["NumLock"] is True


@pytest.mark.parametrize(("attributes", "words"), [
    ({"SriovGlobalEnabled": "Enabled"}, ["does not exist", "Did you mean SriovGlobalEnable?"]),
    ({"BootRetry": 11}, ["out of range", "0 to 10"]),
    ({"BootRetry": "many"}, ["not a whole number"]),
    ({"BootMode": "UEFI"}, ["not an allowed value", "Uefi, Bios", "Did you mean Uefi?"]),
    ({"BootMode": True}, ["quotation marks"]),
    ({"SystemMemorySize": "128 GB"}, ["read-only"]),
    ({"AssetTag": "x" * 33}, ["33 characters", "0 to 32"]),
    ({"NumLock": "perhaps", "Nonsense": 1}, ["NumLock", "Nonsense", "true or false"]),
])
def test_wrong_values_are_refused_before_anything_is_sent(test_bmc, attributes, words):
    """One error names all that is wrong, and what would be right."""
    bmc = test_bmc()
    result = bios(bmc, {**attributes, "ProcVirtualization": "Disabled"})
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and not result["changed"]
    assert all(word in result["msg"] for word in words), result["msg"]
    assert result["error"]["attributes"] == sorted(attributes) and not bmc.counters.effective_writes()


def test_values_that_a_template_made_texts_of(test_bmc):
    """They are sent in the registry's types."""
    bmc = test_bmc()
    result = bios(bmc, {"BootRetry": "5", "NumLock": "false"})
    assert result["verified"] and bmc.bios.pending[f"{bmc.system}/Bios"] == {"BootRetry": 5, "NumLock": False}


def test_nothing_asked_for(test_bmc):
    """It is refused before the BMC is asked anything."""
    bmc = test_bmc()
    result = bios(bmc)
    assert result["failed"] and "nothing is asked for" in result["msg"] and bmc.counters.connections == 0


def test_defaults(test_bmc):
    """What differs from the registry is reset, with our own values on top; then nothing more is to be done."""
    bmc = test_bmc()
    bmc.set(f"{bmc.system}/Bios", {"Attributes": {"NumLock": False, "BootMode": "Bios"}})
    result = bios(bmc, {"BootRetry": 5}, reset_to_defaults=True, reboot=True)
    assert result["changed"] and result["verified"] and current(bmc, "NumLock", "BootMode", "BootRetry") == {
        "NumLock": True, "BootMode": "Uefi", "BootRetry": 5}
    assert not bios(bmc, {"BootRetry": 5}, reset_to_defaults=True)["changed"]


@pytest.mark.parametrize(("quirk", "maker"), [
    ("dell_bios_apply_time", "Dell Inc."), ("dell_pending_shown_as_current", "Dell Inc."), ("lenovo_apply_time_unknown", "Lenovo"),
    ("hpe_registry_gzip", "HPE"), ("huawei_if_match_required", "Huawei"), ("hpe_post_in_progress", "HPE"),
    ("any_trailing_slashes", "Any"), ("any_messy_collections", "Any"), ("any_paged_collections", "Any")])
def test_habits_of_bmcs(test_bmc, quirk, maker):
    """Pending counts once; a reboot brings it into effect; both are idempotent."""
    bmc = test_bmc(quirks=[quirk])
    bmc.set(bmc.system, {"Manufacturer": maker})
    result = bios(bmc, WANTED)
    assert not result.get("failed") and result["changed"] and result["verified"] and result["bios"]["reboot_required"], result
    again = bios(bmc, WANTED)
    assert not again["changed"] and again["bios"]["reboot_required"]
    result = bios(bmc, WANTED, reboot=True)
    assert not result.get("failed") and result["verified"] and current(bmc, *WANTED) == WANTED, result
    assert not result["bios"]["reboot_required"] and not bios(bmc, WANTED, reboot=True)["changed"]


def test_attributes_that_go_together(test_bmc):
    """A boot order of four attributes is sent whole, though one is named."""
    bmc = test_bmc(quirks=["huawei_boot_type_order"])
    bmc.set(bmc.system, {"Manufacturer": "Huawei"})
    result = bios(bmc, {"BootTypeOrder0": "PXE"})
    assert not result.get("failed") and result["verified"], result
    assert bmc.bios.pending[f"{bmc.system}/Bios"] == {
        "BootTypeOrder0": "PXE", "BootTypeOrder1": "HardDiskDrive", "BootTypeOrder2": "DVDROMDrive", "BootTypeOrder3": "Others"}


def test_a_bmc_that_takes_and_forgets_is_no_success(test_bmc, monkeypatch):
    """Its answer is 200, and nothing is pending: the task fails."""
    monkeypatch.setattr(module, "RECORDED", 0.5)
    bmc = test_bmc()
    bmc.faults.add("status", method="PATCH", path="Bios/Settings$", times=None, status=200, body={})
    result = bios(bmc, WANTED)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "neither pending nor current" in result["msg"]
    assert len(bmc.counters.effective_writes()) == 1


def test_a_restart_that_applies_nothing_is_no_success(test_bmc):
    """The deadline passes; the error tells what is late and what was seen."""
    bmc = test_bmc(graceful="never")
    run(PowerResource, bmc, state="powered_on")
    result = bios(bmc, {"BootRetry": 5}, reboot=True, wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "timeout" and "BootRetry=5" in result["msg"]
    assert result["error"]["last_seen"]["pending"] == {"BootRetry": 5} and result["changed"]


def test_a_restart_that_is_not_offered_fails_before_anything_is_sent(test_bmc):
    """A soft restart is never swapped for a hard one."""
    bmc = test_bmc()
    run(PowerResource, bmc, state="powered_on")
    bmc.set(bmc.system, {"Actions": {"#ComputerSystem.Reset": {"ResetType@Redfish.AllowableValues": ["On", "ForceRestart"]}}})
    bmc.counters.reset()
    result = bios(bmc, WANTED, reboot=True)
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "force: true" in result["msg"]
    assert not bmc.counters.effective_writes()


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the settings were taken."""
    bmc = test_bmc()
    bmc.faults.add("reset_after", method="PATCH", path="Bios/Settings$", times=1)
    result = bios(bmc, WANTED)
    assert not result.get("failed") and result["verified"] and len(bmc.counters.effective_writes()) == 1


def test_no_registry(test_bmc):
    """Names and types are checked against what is current, with a warning."""
    bmc = test_bmc()
    bmc.set("/redfish/v1", {"Registries": None})
    result = bios(bmc, {"BootRetry": 5})
    assert result["verified"] and "no registry" in result["warnings"][0]
    assert "not a whole number" in bios(bmc, {"BootRetry": "x"})["msg"]


def test_defaults_that_are_not_told(test_bmc):
    """They are asked for, and not taken as proven."""
    bmc = test_bmc()
    bmc.set("/redfish/v1", {"Registries": None})
    result = bios(bmc, reset_to_defaults=True)
    assert result["changed"] and result["verified"] is False and "does not tell its defaults" in result["warnings"][0]
    assert [method for method, _path, _body in bmc.counters.effective_writes()] == ["POST"]


def test_no_bios(test_bmc):
    """A system without BIOS settings is told as that."""
    bmc = test_bmc()
    bmc.set(bmc.system, {"Bios": None})
    assert bios(bmc, WANTED)["error"]["kind"] == "unsupported"


@pytest.mark.parametrize(("name", "attribute", "value"), [
    ("dell-r750-idrac9_6.00", "SriovGlobalEnable", None), ("hpe-dl360gen10plus-ilo5_3.11", "Sriov", None),
    ("hpe-dl380agen11-ilo6_1.66", "Sriov", None), ("lenovo-sr670v2-xcc_1.40", "Memory_MirrorMode", "Full")])
def test_recorded_machines(test_bmc, name, attribute, value):
    """An attribute is changed, counted while it waits, and applied."""
    bmc = test_bmc(name)
    path = bmc.store.link(bmc.system, "Bios")
    entry, have = bmc.bios.registry(path).get(attribute), bmc.get(path)["Attributes"][attribute]
    value = value or next(item["ValueName"] for item in entry["Value"] if item["ValueName"] != have)
    options = {"attributes": {attribute: value}, "bmc_system": bmc.system.rpartition("/")[2]}
    result = bios(bmc, **options)
    assert not result.get("failed") and result["changed"] and result["verified"], result
    assert result["bios"]["pending"] == {attribute: value}
    assert not bios(bmc, **options)["changed"]
    result = bios(bmc, reboot=True, force=True, **options)
    assert not result.get("failed") and result["verified"] and bmc.get(path)["Attributes"][attribute] == value, result


def test_a_long_queue_of_jobs_is_read_at_once(test_bmc):
    """Two hundred jobs that have ended cost one request a look, and none of their own."""
    bmc = test_bmc(quirks=["dell_pending_shown_as_current"])
    bmc.set(bmc.system, {"Manufacturer": "Dell Inc."})
    for number in range(200):
        bmc.quirks[0].write(f"JID_{number}", "Completed", text="Configure: BIOS.Setup.1-1", percent=100)
    assert bios(bmc, WANTED)["bios"]["reboot_required"]
    bmc.counters.reset()
    result = bios(bmc, WANTED, reboot=True)
    assert result["verified"] and current(bmc, *WANTED) == WANTED and not [path for path in bmc.counters.gets if "JID_" in path]
