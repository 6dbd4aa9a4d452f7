# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_boot_device against a BMC that keeps, refuses and uses up overrides."""

from __future__ import annotations

from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource


def boot(bmc, **params):
    """Run bmc_boot_device."""
    return run(BootDeviceResource, bmc, **params)


def test_sets_reads_back_and_is_idempotent(test_bmc):
    """The override is at the BMC; a second run sends nothing; the start uses it up."""
    bmc = test_bmc()
    result = boot(bmc, device="pxe", firmware_mode="uefi")
    assert result["changed"] and result["verified"]
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    assert result["boot_device"]["persistence"] == "once"
    bmc.counters.reset()
    assert not boot(bmc, device="pxe", firmware_mode="uefi")["changed"] and not bmc.counters.effective_writes()
    run(PowerResource, bmc, state="powered_on")
    assert bmc.power.boots[-1]["target"] == "Pxe"
    assert boot(bmc, device="pxe", check_mode=True)["changed"]


def test_check_mode_sends_only_reads(test_bmc):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    result = boot(bmc, device="pxe", check_mode=True)
    assert result["changed"] and result["diff"]["after"]["device"] == "pxe" and not bmc.counters.effective_writes()


def test_ends_an_override(test_bmc):
    """Device none disables, and then holds."""
    bmc = test_bmc()
    boot(bmc, device="cd", persistence="continuous")
    assert boot(bmc, device="none")["verified"]
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideEnabled"] == "Disabled"
    assert not boot(bmc, persistence="disabled")["changed"]


def test_a_device_that_is_not_offered_is_refused_before_anything_is_sent(test_bmc):
    """The error lists what the BMC offers."""
    bmc = test_bmc()
    result = boot(bmc, device="sd_card")
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "pxe" in result["msg"]
    assert not bmc.counters.effective_writes()


def test_options_that_contradict_each_other(test_bmc):
    """They are refused before the BMC is asked anything."""
    bmc = test_bmc()
    result = boot(bmc, device="pxe", http_uri="http://192.0.2.1/x.efi")
    assert result["failed"] and "http_uri" in result["msg"] and bmc.counters.connections == 0
