# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_secure_boot against BMCs on which it takes effect at the next start."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._resources import secure_boot as module
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource


def secure_boot(bmc, **params):
    """Run bmc_secure_boot."""
    return run(SecureBootResource, bmc, **params)


def kept(bmc):
    """Return what the server shows."""
    found = bmc.get(f"{bmc.system}/SecureBoot")
    return found["SecureBootEnable"], found["SecureBootCurrentBoot"], found["SecureBootMode"]


def test_is_asked_for_once_and_in_effect_after_a_start(test_bmc):
    """It counts while it waits; a start brings it into effect."""
    bmc = test_bmc()
    result = secure_boot(bmc, enabled=True)
    assert result["changed"] and result["verified"] and not bmc.power.resets
    assert result["secure_boot"] == {"enabled": True, "current": False, "mode": "user", "reboot_required": True}
    assert result["diff"]["before"] == {"enabled": False, "current": False, "mode": "user", "reboot_required": False}
    bmc.counters.reset()
    again = secure_boot(bmc, enabled=True)
    assert not again["changed"] and again["secure_boot"]["reboot_required"] and not bmc.counters.effective_writes()
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.counters.duplicates and not bmc.sessions.open()
    run(PowerResource, bmc, state="powered_on")
    assert kept(bmc) == (True, "Enabled", "UserMode") and not secure_boot(bmc, enabled=True)["secure_boot"]["reboot_required"]


def test_reboot_brings_it_into_effect(test_bmc):
    """Whether it was just written or waits already; then nothing more is done."""
    bmc = test_bmc()
    run(PowerResource, bmc, state="powered_on")
    result = secure_boot(bmc, enabled=True, reboot=True)
    assert result["verified"] and kept(bmc)[1] == "Enabled" and bmc.power.resets[-1][1] == "GracefulRestart"
    secure_boot(bmc, enabled=False)
    bmc.counters.reset()
    result = secure_boot(bmc, enabled=False, reboot=True, force=True)
    assert result["verified"] and kept(bmc)[:2] == (False, "Disabled")
    assert [body for _method, _path, body in bmc.counters.effective_writes()] == [{"ResetType": "ForceRestart"}]
    bmc.counters.reset()
    assert not secure_boot(bmc, enabled=False, reboot=True)["changed"] and not bmc.counters.effective_writes()


def test_keys(test_bmc):
    """Deleted where there are any, enrolled where there are none, before it is enabled."""
    bmc = test_bmc()
    result = secure_boot(bmc, keys="deleted")
    assert result["verified"] and kept(bmc)[2] == "SetupMode" and not secure_boot(bmc, keys="no_platform_key")["changed"]
    result = secure_boot(bmc, keys="default", enabled=True)
    assert result["verified"] and kept(bmc)[::2] == (True, "UserMode")
    assert [list(entry["body"].values())[0] for entry in result["sent"]] == ["ResetAllKeysToDefault", True]
    assert not secure_boot(bmc, keys="default", enabled=True)["changed"]


@pytest.mark.parametrize("params", [{"enabled": True}, {"enabled": True, "reboot": True}, {"keys": "deleted"}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    result = secure_boot(bmc, check_mode=True, **params)
    assert result["changed"] and not result["verified"] and not bmc.counters.effective_writes()
    after = result["diff"]["after"]
    assert after["mode"] == "setup" if "keys" in params else after["enabled"] and after["current"] is params.get("reboot", False)


def test_missing_options(test_bmc):
    """One of the two is needed."""
    checked = ArgumentSpecValidator(argument_spec(SecureBootResource), **SecureBootResource.CONSTRAINTS).validate(connect(test_bmc()))
    assert "one of the following is required: enabled, keys" in str(checked.error_messages)


def test_not_licensed_is_unknown(test_bmc):
    """A state that the licence hides is a warning in check mode; the write's refusal is an error."""
    bmc = test_bmc(quirks=["supermicro_secure_boot_license"])
    result = secure_boot(bmc, enabled=True, check_mode=True)
    assert not result.get("failed") and "licence" in result["warnings"][0]
    assert result["diff"]["before"] == {"enabled": None, "current": None, "mode": None, "reboot_required": False}
    result = secure_boot(bmc, enabled=True)
    assert result["failed"] and result["error"]["kind"] == "authentication_failed" and "licence" in result["msg"]


@pytest.mark.parametrize(("quirk", "maker"), [("huawei_if_match_required", "Huawei"), ("hpe_post_in_progress", "HPE"),
                                              ("any_trailing_slashes", "Any")])
def test_habits_of_bmcs(test_bmc, quirk, maker):
    """Written, in effect, idempotent."""
    bmc = test_bmc(quirks=[quirk])
    bmc.set(bmc.system, {"Manufacturer": maker})
    result = secure_boot(bmc, enabled=True, reboot=True)
    assert not result.get("failed") and result["verified"] and kept(bmc)[:2] == (True, "Enabled")
    assert not secure_boot(bmc, enabled=True, reboot=True)["changed"]


def test_no_secure_boot(test_bmc):
    """A null link is a system without it."""
    bmc = test_bmc(quirks=["any_null_links"])
    result = secure_boot(bmc, enabled=True)
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "bmc_bios" in result["msg"]


def test_a_bmc_that_takes_and_forgets_is_no_success(test_bmc, monkeypatch):
    """Its answer is 204, and nothing has changed."""
    monkeypatch.setattr(module, "RECORDED", 0.4)
    bmc = test_bmc()
    bmc.faults.add("status", method="PATCH", path="SecureBoot$", times=None, status=204, body=b"")
    result = secure_boot(bmc, enabled=True)
    assert result["failed"] and result["error"]["kind"] == "rejected" and len(bmc.counters.effective_writes()) == 1
    bmc.faults.add("status", method="POST", path="ResetKeys$", times=None, status=204, body=b"")
    result = secure_boot(bmc, keys="deleted")
    assert not result.get("failed") and result["verified"] is False and "reset may be needed" in result["warnings"][0]


def test_a_restart_that_does_not_come_is_no_success(test_bmc):
    """The deadline passes; the error tells what was seen."""
    bmc = test_bmc(graceful="never")
    run(PowerResource, bmc, state="powered_on")
    result = secure_boot(bmc, enabled=True, reboot=True, wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "timeout" and result["error"]["last_seen"]["current"] is False


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the setting was kept."""
    bmc = test_bmc()
    bmc.faults.add("reset_after", method="PATCH", path="SecureBoot$", times=1)
    result = secure_boot(bmc, enabled=True)
    assert not result.get("failed") and result["verified"] and len(bmc.counters.effective_writes()) == 1


@pytest.mark.parametrize("name", ["dell-r750-idrac9_6.00", "hpe-dl380agen11-ilo6_1.66", "lenovo-sr670v2-xcc_1.40",
                                  "gigabyte-h262_ami-12.84", "dmtf-public_rackmount1"])
def test_recorded_machines(test_bmc, name):
    """On each it is turned on and in effect after a restart."""
    bmc = test_bmc(name)
    options = {"enabled": True, "reboot": True, "force": True, "bmc_system": bmc.system.rpartition("/")[2]}
    result = secure_boot(bmc, **options)
    assert not result.get("failed") and result["verified"] and kept(bmc)[:2] == (True, "Enabled"), result
    assert not secure_boot(bmc, **options)["changed"]
