# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_storage_volume against a BMC whose controller makes and removes volumes, now or at the next start."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._resources import storage_volume as module
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource

MIRROR = {"name": "system", "level": "raid1", "drives": ["HDD0001", "HDD0002"]}
ALL = {"name": "data", "level": "raid5", "drives": ["HDD0000", "HDD0001", "HDD0002"]}


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch):
    """Wait for an effect for a moment only."""
    monkeypatch.setattr(module, "SHOWN", 0.6)


def volume(bmc, **params):
    """Run bmc_storage_volume."""
    return run(StorageVolumeResource, bmc, **params)


def volumes(bmc):
    """Return the volumes at the server: their name, level and number of drives."""
    return sorted((found["Name"], found["RAIDType"], len(found["Links"]["Drives"]))
                  for found in map(bmc.get, bmc.of_kind("Volume")) if found.get("RAIDType"))


def test_creates_reads_back_and_is_idempotent(test_bmc):
    """The volume is there after the BMC's task; a second run sends nothing."""
    bmc = test_bmc(task_seconds=0.3)
    result = volume(bmc, **MIRROR)
    assert result["changed"] and result["verified"] and not result["reboot_required"], result
    assert volumes(bmc) == [("1", "RAID0", 1), ("system", "RAID1", 2)]
    made = next(row for row in result["storage_volume"] if row["name"] == "system")
    assert made["drives"] == ["HDD0001", "HDD0002"] and made["level"] == "raid1" and made["size_bytes"] == 600 * 10**9
    assert [entry["method"] for entry in result["sent"]] == ["POST"] and result["sent"][0]["body"]["RAIDType"] == "RAID1"
    bmc.counters.reset()
    again = volume(bmc, **{**MIRROR, "drives": ["hdd0002", "HDD0001"]})
    assert not again["changed"] and again["verified"] and not bmc.counters.effective_writes() and not bmc.counters.duplicates
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.sessions.open()
    assert not volume(bmc, level="raid1", drives=MIRROR["drives"])["changed"]


def test_removes(test_bmc):
    """By name, by id, or by drives; then nothing more is to be done."""
    bmc = test_bmc(task_seconds=0.2)
    volume(bmc, **MIRROR)
    result = volume(bmc, state="absent", name="system")
    assert result["changed"] and result["verified"] and volumes(bmc) == [("1", "RAID0", 1)]
    assert volume(bmc, state="absent", drives=["HDD0000"])["verified"] and not volumes(bmc)
    bmc.counters.reset()
    assert not volume(bmc, state="absent", name="system")["changed"] and not bmc.counters.effective_writes()


def test_data_are_lost_only_where_that_is_said(test_bmc):
    """A volume in the way is an error that names it, and is removed where it is listed."""
    bmc = test_bmc()
    result = volume(bmc, **ALL)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and not bmc.counters.effective_writes()
    assert "volume 1 (raid0 on HDD0000) is in the way" in result["msg"] and "replace: [1]" in result["msg"]
    result = volume(bmc, replace=["1"], **ALL)
    assert result["verified"] and volumes(bmc) == [("data", "RAID5", 3)]
    assert [entry["method"] for entry in result["sent"]] == ["DELETE", "POST"]


def test_another_size_is_another_volume(test_bmc):
    """Rounding is none."""
    bmc = test_bmc()
    volume(bmc, **MIRROR)
    assert not volume(bmc, size_bytes=599 * 10**9, **MIRROR)["changed"]
    assert "in the way" in volume(bmc, size_bytes=300 * 10**9, **MIRROR)["msg"]
    result = volume(bmc, size_bytes=300 * 10**9, replace=["system"], **MIRROR)
    assert result["verified"] and [row["size_bytes"] for row in result["storage_volume"] if row["name"] == "system"] == [300 * 10**9]


def test_another_name_is_a_new_name(test_bmc):
    """No data are lost for it."""
    bmc = test_bmc()
    volume(bmc, **MIRROR)
    result = volume(bmc, **{**MIRROR, "name": "boot"})
    assert result["verified"] and volumes(bmc)[1][0] == "boot" and [entry["method"] for entry in result["sent"]] == ["PATCH"]


@pytest.mark.parametrize("params", [MIRROR, {**ALL, "replace": ["1"]}, {"state": "absent", "name": "1"}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    before = volumes(bmc)
    result = volume(bmc, check_mode=True, **params)
    assert result["changed"] and not result["verified"] and not bmc.counters.effective_writes() and volumes(bmc) == before
    names = [row["name"] for row in result["diff"]["after"]["storage_volume"]]
    assert [row["name"] for row in result["diff"]["before"]["storage_volume"]] == ["1"]
    assert names == {"present": [*([] if "replace" in params else ["1"]), params["name"]], "absent": []}[params.get("state", "present")]


@pytest.mark.parametrize(("params", "words"), [
    ({"level": "raid1", "drives": ["HDD0001", "HDD0009"]}, "no drive of serial number HDD0009 is there"),
    ({"level": "raid1", "drives": ["HDD0001", "hdd0001"]}, "named twice"),
    ({"level": "raid5", "drives": ["HDD0001", "HDD0002"]}, "raid5 needs 3 drives"),
    ({"level": "raid10", "drives": ["HDD0000", "HDD0001", "HDD0002", "NVME0001"]}, "different controllers"),
    ({"level": "raid1", "drives": []}, "drives is empty"), ({"state": "absent"}, "neither name nor drives")])
def test_what_cannot_be_is_refused_before_anything_is_sent(test_bmc, params, words):
    """The error tells what there is."""
    bmc = test_bmc()
    result = volume(bmc, **params)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and words in result["msg"] and not bmc.counters.effective_writes()


def test_a_level_that_is_not_offered(test_bmc):
    """The controller's own levels are told."""
    bmc = test_bmc()
    bmc.set(f"{bmc.system}/Storage/RAID1/Controllers/0", {"SupportedRAIDTypes": ["RAID0"]})
    assert "does not offer raid1. It offers raid0." in volume(bmc, **MIRROR)["msg"]


def test_missing_options(test_bmc):
    """A volume needs its level."""
    checked = ArgumentSpecValidator(argument_spec(StorageVolumeResource), **StorageVolumeResource.CONSTRAINTS).validate(
        {**connect(test_bmc()), "drives": ["HDD0001"]})
    assert "level" in str(checked.error_messages)


def test_what_waits_for_a_reset_counts_once(test_bmc):
    """It is asked for once; a restart brings it, and it is verified."""
    bmc = test_bmc()
    bmc.storage.apply = "on_reset"
    result = volume(bmc, **MIRROR)
    assert result["changed"] and result["verified"] is False and result["reboot_required"] and "waits for a reset" in result["warnings"][0]
    bmc.counters.reset()
    again = volume(bmc, **MIRROR)
    assert not again["changed"] and again["verified"] is False and again["reboot_required"] and not bmc.counters.effective_writes()
    result = volume(bmc, reboot=True, force=True, **MIRROR)
    assert result["changed"] and result["verified"] and not result["reboot_required"] and ("system", "RAID1", 2) in volumes(bmc)
    assert [entry["body"] for entry in result["sent"]] == [{"ResetType": "On"}]
    assert not volume(bmc, **MIRROR)["changed"]


def test_deletes_and_creates_over_restarts(test_bmc):
    """Where each needs one, each gets one."""
    bmc = test_bmc()
    bmc.storage.apply = "on_reset"
    result = volume(bmc, reboot=True, force=True, replace=["1"], **ALL)
    assert result["verified"] and volumes(bmc) == [("data", "RAID5", 3)] and len(bmc.power.resets) == 2


def test_a_task_that_fails(test_bmc):
    """What the BMC says is told."""
    bmc = test_bmc()
    bmc.storage.fail = "Drive 2 is foreign."
    result = volume(bmc, **MIRROR)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "Drive 2 is foreign" in result["msg"] and not bmc.sessions.open()


def test_a_bmc_that_takes_and_does_nothing_is_no_success(test_bmc):
    """Its answer is 204, and there is no volume."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="Volumes$", times=None, status=204, body=b"")
    result = volume(bmc, **MIRROR)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "no volume system" in result["msg"]


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the task was started."""
    bmc = test_bmc(task_seconds=0.5)
    bmc.faults.add("reset_after", method="POST", path="Volumes$", times=1)
    result = volume(bmc, **MIRROR)
    assert not result.get("failed") and result["verified"] and len(bmc.counters.effective_writes()) == 1, result


def test_storage_that_cannot_be_read(test_bmc):
    """Nothing is changed where it is not known what is there."""
    result = volume(test_bmc(quirks=["sushytools_storage_500"]), **MIRROR)
    assert result["failed"] and "cannot be read as a whole" in result["msg"]
    bmc = test_bmc()
    bmc.faults.add("status", method="GET", path="RAID1/Volumes$", times=None, status=500)
    assert "cannot be read as a whole" in volume(bmc, **MIRROR)["msg"] and not bmc.counters.effective_writes()


@pytest.mark.parametrize(("quirk", "maker"), [
    ("dell_task_vanishes", "Dell Inc."), ("openbmc_task_monitor_suffix", "OpenBMC"), ("lenovo_monitor_deletes_task", "Lenovo"),
    ("any_trailing_slashes", "Any"), ("any_messy_collections", "Any"), ("any_paged_collections", "Any"), ("huawei_if_match_required", "Huawei")])
def test_habits_of_bmcs(test_bmc, quirk, maker):
    """Created, idempotent, removed."""
    bmc = test_bmc(quirks=[quirk], task_seconds=0.2)
    bmc.set(bmc.system, {"Manufacturer": maker})
    result = volume(bmc, **MIRROR)
    assert not result.get("failed") and result["verified"] and ("system", "RAID1", 2) in volumes(bmc), result
    assert not volume(bmc, **MIRROR)["changed"]
    result = volume(bmc, state="absent", **MIRROR)
    assert not result.get("failed") and result["verified"] and ("system", "RAID1", 2) not in volumes(bmc), result


@pytest.mark.parametrize("kind", ["Name", "RAIDType"])
def test_other_forms(test_bmc, kind):
    """A BMC that knows no Name takes DisplayName, one that knows no RAIDType takes VolumeType."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="Volumes$", times=None, status=400, message="PropertyUnknown", args=(kind,),
                   match=lambda request: kind in request.json())
    result = volume(bmc, **MIRROR)
    assert not result.get("failed") and result["verified"] and ("system", "RAID1", 2) in volumes(bmc)


@pytest.mark.parametrize("name", ["hpe-dl365gen10plus-ilo5_3.14", "hpe-dl380agen11-ilo6_1.66"])
def test_recorded_machines(test_bmc, name):
    """A volume that is there is found by its drives and level, and nothing is sent."""
    bmc = test_bmc(name)
    found = next(item for item in map(bmc.get, bmc.of_kind("Volume")) if item.get("RAIDType"))
    serials = [bmc.get(item["@odata.id"])["SerialNumber"] for item in found["Links"]["Drives"]]
    result = volume(bmc, level=found["RAIDType"].lower(), drives=serials, name=found["Name"])
    assert not result.get("failed") and not result["changed"] and result["verified"], result
    result = volume(bmc, level="raid0", drives=serials, check_mode=True)
    assert result["failed"] and f"volume {found['Name']}" in result["msg"] and not bmc.counters.effective_writes()
