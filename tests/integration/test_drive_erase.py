# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_drive_erase: by serial number only, said outright, seen to its end."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._redfish import storage
from ansible_collections.typeone.metal.plugins.module_utils._resources.drive_erase import DriveEraseResource


def erase(bmc, *serials, destroy_data=True, **params):
    """Run bmc_drive_erase."""
    return run(DriveEraseResource, bmc, serials=list(serials), destroy_data=destroy_data, **params)


def drive(bmc, name):
    """Return a drive's path."""
    return next(path for path in bmc.of_kind("Drive") if path.endswith(f"/{name}"))


def test_erases_the_drives_named_and_no_other(test_bmc):
    """Each by a task of its own that is waited for."""
    bmc = test_bmc(task_seconds=0.3)
    result = erase(bmc, "HDD0001", "nvme0001", method="cryptographic")
    assert result["changed"] and result["verified"], result
    assert bmc.storage.erased == [drive(bmc, "Disk1"), drive(bmc, "NVMe0")]
    assert [(row["serial"], row["erased"]) for row in result["drive_erase"]] == [("HDD0001", True), ("NVME0001", True)]
    assert [entry["body"] for entry in result["sent"]] == [{"SanitizationType": "CryptographicErase"}] * 2
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.sessions.open()


def test_not_without_saying_so(test_bmc):
    """The error tells what would be lost; check mode fails the same."""
    bmc = test_bmc()
    for check_mode in (False, True):
        result = erase(bmc, "HDD0001", destroy_data=False, check_mode=check_mode)
        assert result["failed"] and result["error"]["kind"] == "invalid_input" and "destroy_data: true" in result["msg"]
        assert "HDD0001 (TD-600, 600000000000 bytes)" in result["msg"]
    assert not bmc.counters.effective_writes()


def test_check_mode_sends_only_reads(test_bmc):
    """The drives are shown as they would be."""
    bmc = test_bmc()
    result = erase(bmc, "HDD0001", check_mode=True)
    assert result["changed"] and not result["verified"] and not bmc.counters.effective_writes() and not bmc.storage.erased
    assert [row["erased"] for row in result["diff"]["before"]["drive_erase"] + result["diff"]["after"]["drive_erase"]] == [None, True]
    assert not bmc.counters.duplicates


def test_missing_options(test_bmc):
    """There is no way to mean all drives."""
    checked = ArgumentSpecValidator(argument_spec(DriveEraseResource)).validate({**connect(test_bmc()), "destroy_data": True})
    assert "serials" in str(checked.error_messages)
    assert "serials is empty" in erase(test_bmc())["msg"]


@pytest.mark.parametrize(("serials", "words"), [(["HDD0001", "HDD0009"], "HDD0009"), (["Disk1"], "Disk1"), (["HDD0001", "HDD0001"], "named twice"),
                                                (["HDD0001", "HDD0000"], "HDD0000 (volume 1) is part of a volume")])
def test_one_wrong_drive_and_none_is_erased(test_bmc, serials, words):
    """A name or path is no serial number; a drive of a volume is refused."""
    bmc = test_bmc()
    result = erase(bmc, *serials)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and words in result["msg"]
    assert not bmc.counters.effective_writes() and not bmc.storage.erased


def test_methods_that_are_not_offered(test_bmc):
    """The BMC's own are told."""
    bmc = test_bmc()
    path = drive(bmc, "Disk1")
    bmc.set(path, {"Actions": {"#Drive.SecureErase": {"SanitizationType@Redfish.AllowableValues": ["BlockErase"]}}})
    result = erase(bmc, "HDD0001", method="overwrite")
    assert result["failed"] and "offers block" in result["msg"] and erase(bmc, "HDD0001", method="block")["verified"]
    bmc.set(path, {"Actions": None})
    assert erase(bmc, "HDD0001")["error"]["kind"] == "unsupported"


def test_another_drive_in_its_place(test_bmc):
    """A drive that was swapped in the meantime is not erased."""
    bmc = test_bmc()
    path = drive(bmc, "Disk1")
    bmc.faults.add("replaced", method="GET", path=f"{path}$", skip=1, times=None, change=lambda body: body.replace(b"HDD0001", b"HDD0777"))
    result = erase(bmc, "HDD0001")
    assert result["failed"] and "another drive is in the place of HDD0001" in result["msg"] and not bmc.counters.effective_writes()


def test_a_task_that_fails(test_bmc):
    """What the BMC says is told; the drives after it are left alone."""
    bmc = test_bmc()
    bmc.storage.fail = "The drive is frozen."
    result = erase(bmc, "HDD0001", "HDD0002")
    assert result["failed"] and "The drive is frozen" in result["msg"] and len(bmc.counters.effective_writes()) == 1


def test_an_answer_alone_is_no_erasure(test_bmc, monkeypatch):
    """204 without task or progress is not verified, and a warning; progress that ends is."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="SecureErase$", times=None, status=204, body=b"")
    result = erase(bmc, "HDD0001")
    assert not result.get("failed") and result["verified"] is False and "not known" in result["warnings"][0]
    assert result["drive_erase"][0]["erased"] is None
    monkeypatch.setattr(storage, "POLL", 0.1)
    progress = b'{"Operations": [{"OperationName": "Sanitize", "PercentageComplete": 10}], '
    bmc.faults.add("replaced", method="GET", path="Drives/Disk1$", skip=2, times=1, change=lambda body: progress + body.lstrip()[1:])
    assert erase(bmc, "HDD0001")["verified"] is True


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the task was started."""
    bmc = test_bmc(task_seconds=0.6)
    bmc.faults.add("reset_after", method="POST", path="SecureErase$", times=1)
    result = erase(bmc, "HDD0001")
    assert not result.get("failed") and result["verified"] and len(bmc.counters.effective_writes()) == 1, result
    assert bmc.storage.erased == [drive(bmc, "Disk1")]


@pytest.mark.parametrize("quirk", ["dell_task_vanishes", "openbmc_task_monitor_suffix", "any_retry_after_text", "any_trailing_slashes"])
def test_habits_of_bmcs(test_bmc, quirk):
    """Followed to the end."""
    bmc = test_bmc(quirks=[quirk], task_seconds=0.2)
    result = erase(bmc, "HDD0001")
    assert not result.get("failed") and result["verified"] and bmc.storage.erased == [drive(bmc, "Disk1")], result


def test_recorded_machine(test_bmc):
    """One that tells its ways of erasing by an action of each drive."""
    bmc = test_bmc("dell-r750-idrac9_6.00")
    serial = next(bmc.get(path)["SerialNumber"] for path in bmc.of_kind("Drive") if "#Drive.SecureErase" in bmc.get(path)["Actions"])
    result = erase(bmc, serial)
    assert not result.get("failed") and result["verified"] and len(bmc.storage.erased) == 1, result
