# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_power and bmc_boot_device over IPMI: against a BMC of our own, and OpenIPMI's simulator."""

from __future__ import annotations

import pytest
from ipmi.programs import FakeBmc, IpmiSim
from ipmi.records import full_sensor
from running_ipmi import driver, over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import (
    Bios, Certificates, Events, Firmware, SecureBoot, Storage, VirtualMedia,
)
from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import Unsupported
from ansible_collections.typeone.metal.plugins.module_utils._ipmi import boot as ipmi_boot
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

GET_OPTIONS, SET_OPTIONS = (0x00, 0x09), (0x00, 0x08)
NOT_SUPERMICRO = {"identity": {"maker": 674}}


@pytest.fixture(scope="module", name="simulator")
def fixture_simulator(tmp_path_factory):
    """OpenIPMI's simulator, for all tests of this file."""
    simulator = IpmiSim(tmp_path_factory.mktemp("sim"), sdr=full_sensor(1, "Inlet")).start()
    yield simulator
    simulator.stop()


def power(bmc, state, **params):
    """Run bmc_power over IPMI."""
    return over_ipmi(PowerResource, bmc, state=state, **params)


def boot(bmc, **params):
    """Run bmc_boot_device over IPMI."""
    return over_ipmi(BootDeviceResource, bmc, **params)


def flags(bmc):
    """Return valid, persistent, UEFI and the selector, as the BMC holds them."""
    held = bmc.chassis.flags
    return bool(held[0] & 0x80), bool(held[0] & 0x40), bool(held[0] & 0x20), held[1] >> 2 & 0x0F


def test_powers_on_and_is_idempotent(ipmi_bmc):
    """The system is on afterwards; a second run sends reads only."""
    bmc = ipmi_bmc(chassis={"lag": 0.2})
    result = power(bmc, "powered_on")
    assert result["changed"] and result["verified"] and result["power"] == {"state": "on"}
    assert result["bmc"] == {"address": "127.0.0.1", "protocol": "ipmi", "reason": "bmc_protocol is ipmi"}
    assert result["sent"] == [{"command": "netfn 0x00 cmd 0x02", "data": "01", "name": "Chassis Control",
                               "completion_code": 0}]
    assert bmc.chassis.controls == [1] and bmc.chassis.on
    again = power(bmc, "powered_on")
    assert not again["changed"] and again["verified"] and bmc.chassis.controls == [1] and len(bmc.writes()) == 1


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("state, force", [("powered_on", False), ("powered_off", False), ("powered_off", True),
                                          ("restarted", True), ("power_cycled", False), ("power_cycled", True)])
def test_check_mode_sends_only_reads(ipmi_bmc, state, force, on):
    """What would change is told; the BMC sees no write."""
    bmc = ipmi_bmc()
    bmc.chassis.on = on
    result = power(bmc, state, force=force, check_mode=True)
    assert not result.get("failed") and not bmc.writes() and bmc.chassis.on is on
    assert result["changed"] is (state in ("restarted", "power_cycled") or on is (state == "powered_off"))


def test_a_restart_by_the_operating_system_is_not_to_be_had(ipmi_bmc):
    """IPMI has none: the error says what there is; with force it is the hard one."""
    bmc = ipmi_bmc()
    bmc.chassis.on = True
    result = power(bmc, "restarted")
    assert result["error"]["kind"] == "unsupported" and "force: true" in result["msg"] and not bmc.writes()
    result = power(bmc, "restarted", force=True, wait_timeout=1)
    assert result["changed"] and bmc.chassis.controls == [3] and len(bmc.chassis.boots) == 1
    assert result["verified"] is False and "no trace" in result["warnings"][0]


def test_power_cycle_takes_the_power_away_and_gives_it_back(ipmi_bmc):
    """Each step is proven before the next."""
    bmc = ipmi_bmc()
    bmc.chassis.on = True
    assert power(bmc, "power_cycled")["verified"] and bmc.chassis.controls == [5, 1]
    assert power(bmc, "power_cycled", force=True)["verified"] and bmc.chassis.controls == [5, 1, 0, 1]


def test_a_soft_power_off_that_never_ends(ipmi_bmc):
    """It fails at the deadline, or is forced where that was asked for."""
    bmc = ipmi_bmc(chassis={"graceful": None})
    bmc.chassis.on = True
    result = power(bmc, "powered_off", graceful_timeout=1)
    assert result["error"] == {"kind": "timeout", "last_seen": "on"} and bmc.chassis.controls == [5]
    forced = power(bmc, "powered_off", graceful_timeout=1, on_timeout="force")
    assert forced["verified"] and "forced off" in forced["warnings"][0] and bmc.chassis.controls == [5, 5, 0]


def test_powers_the_simulator(simulator):
    """OpenIPMI's simulator calls a program for each change: it was called once for each."""
    before = len(simulator.sets())
    assert power(simulator, "powered_off", force=True, check_mode=True)["changed"] is False
    assert power(simulator, "powered_on")["verified"] and simulator.state("power") == "1"
    assert not power(simulator, "powered_on")["changed"]
    assert power(simulator, "powered_off", check_mode=True)["changed"] and simulator.state("power") == "1"
    assert power(simulator, "powered_off")["verified"] and simulator.state("power") == "0"
    assert len(simulator.sets()) == before + 2


# What is asked for -> valid, persistent, UEFI, selector.
WRITES = [
    ({"device": "pxe"}, (True, False, False, 1)), ({"device": "disk", "persistence": "continuous"}, (True, True, False, 2)),
    ({"device": "cd", "firmware_mode": "uefi"}, (True, False, True, 5)),
    ({"device": "bios_setup", "firmware_mode": "uefi", "persistence": "once"}, (True, False, True, 6)),
    ({"device": "usb", "firmware_mode": "bios"}, (True, False, False, 15)),
    ({"device": "pxe", "firmware_mode": "uefi", "persistence": "continuous"}, (True, True, True, 1)),
]


@pytest.mark.parametrize("asked, held", WRITES)
def test_sets_the_boot_device_and_reads_it_back(ipmi_bmc, asked, held):
    """All of it is in the flags at once; a second run writes nothing; the flags do not expire."""
    bmc = ipmi_bmc(**NOT_SUPERMICRO)
    checked = boot(bmc, check_mode=True, **asked)
    assert checked["changed"] and not bmc.writes()
    result = boot(bmc, **asked)
    assert result["changed"] and result["verified"] and flags(bmc) == held
    assert {key: result["boot_device"][key] for key in asked} == asked == {
        key: checked["boot_device"][key] for key in asked}
    assert bmc.chassis.kept == 0x08 and bmc.chassis.setting == 0
    count = len(bmc.writes())
    assert not boot(bmc, **asked)["changed"] and len(bmc.writes()) == count


def test_what_is_not_asked_for_stays(ipmi_bmc):
    """Mode and persistence do not undo each other."""
    bmc = ipmi_bmc(**NOT_SUPERMICRO)
    boot(bmc, device="pxe", firmware_mode="uefi", persistence="continuous")
    assert boot(bmc, device="disk", persistence="continuous")["verified"] and flags(bmc) == (True, True, True, 2)
    assert boot(bmc, firmware_mode="bios")["verified"] and flags(bmc) == (True, True, False, 2)


def test_a_start_uses_the_flags_up(ipmi_bmc):
    """Afterwards there is no override, and setting it again is a change."""
    bmc = ipmi_bmc()
    boot(bmc, device="pxe")
    power(bmc, "powered_on")
    assert bmc.chassis.boots[0][1] >> 2 == 1
    result = boot(bmc, device="pxe", check_mode=True)
    assert result["changed"] and result["diff"]["before"]["device"] == "none"


@pytest.mark.parametrize("without", [{"parameter_3": False}, {"parameter_0": False},
                                     {"parameter_3": False, "parameter_0": False}])
def test_optional_parameters(ipmi_bmc, without):
    """BMCs without "set in progress", or without a say in the expiry of the flags, are written to all the same."""
    bmc = ipmi_bmc(chassis=without)
    assert boot(bmc, device="pxe")["verified"] and flags(bmc) == (True, False, False, 1)


def test_another_client_that_left_its_work_undone(ipmi_bmc, monkeypatch):
    """Its claim is overridden after a while, with a warning."""
    monkeypatch.setattr(ipmi_boot, "SET_PATIENCE", 0.2)
    bmc = ipmi_bmc()
    bmc.chassis.setting = 1
    result = boot(bmc, device="pxe")
    assert result["verified"] and "overridden" in result["warnings"][0] and bmc.chassis.setting == 0


def test_ends_an_override(ipmi_bmc):
    """Afterwards the flags are not valid; a second run writes nothing."""
    bmc = ipmi_bmc()
    boot(bmc, device="pxe", persistence="continuous")
    result = boot(bmc, device="none")
    assert result["verified"] and result["boot_device"]["persistence"] == "disabled" and not flags(bmc)[0]
    count = len(bmc.writes())
    assert not boot(bmc, persistence="disabled")["changed"] and len(bmc.writes()) == count


def test_a_device_that_ipmi_has_not(ipmi_bmc):
    """HTTP boot has no selector: nothing is sent, the error lists what there is."""
    bmc = ipmi_bmc()
    result = boot(bmc, device="http", http_uri="http://192.0.2.1/boot.efi")
    assert result["error"]["kind"] == "invalid_input" and "pxe" in result["msg"] and not bmc.writes()


def test_the_disk_in_uefi_mode_of_a_bmc_with_a_selector_of_its_own(ipmi_bmc):
    """Written and read back as the disk; elsewhere it is the ordinary selector."""
    bmc = ipmi_bmc(identity={"maker": 10876})
    assert boot(bmc, device="disk", firmware_mode="uefi")["verified"] and bmc.chassis.flags[1] == 0x24
    assert not boot(bmc, device="disk", firmware_mode="uefi")["changed"]
    assert boot(bmc, device="disk", firmware_mode="bios")["verified"] and bmc.chassis.flags[1] == 0x08
    other = ipmi_bmc(**NOT_SUPERMICRO)
    assert boot(other, device="disk", firmware_mode="uefi")["verified"] and other.chassis.flags[1] == 0x08


def test_flags_that_are_locked_do_not_count(ipmi_bmc):
    """A BMC that reads them back as invalid has no override; that nothing came of the write is told."""
    bmc = ipmi_bmc(chassis={"invalid_flags": True})
    result = boot(bmc, device="pxe", wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "reads back" in result["msg"]


def test_a_lost_answer_to_the_flags_is_read_back(ipmi_bmc):
    """Every answer to the write is lost: what it came to is read."""
    bmc = ipmi_bmc(chassis={"parameter_0": False, "parameter_3": False})
    bmc.server.fail_next("lose_answer", SET_OPTIONS, times=1)
    assert boot(bmc, device="pxe", bmc_timeout=2)["verified"] and flags(bmc) == (True, False, False, 1)


def test_the_simulator_loses_the_valid_bit(simulator):
    """Its flags read back as not valid: that is told, and a rule of quirks tells otherwise."""
    result = boot(simulator, device="pxe", wait_timeout=1)
    assert result["error"]["kind"] == "rejected" and "reads back" in result["msg"]
    rule = {"id": "simulator", "behaviour": "ipmi_boot_valid_bit_lost", "match": {"protocol": "ipmi"}}
    result = boot(simulator, device="cd", bmc_quirks=[rule])
    assert result["verified"] and simulator.state("boot") in ("cdrom", "cd")
    assert not boot(simulator, device="cd", bmc_quirks=[rule])["changed"]


def test_pyghmis_server():
    """pyghmi's fakebmc keeps power and boot device; cipher suite 3 only."""
    bmc = FakeBmc().start()
    try:
        checked = boot(bmc, device="pxe", check_mode=True)
        assert checked["changed"] and boot(bmc, device="pxe")["verified"] and not boot(bmc, device="pxe")["changed"]
        assert boot(bmc, device="cd")["boot_device"]["device"] == "cd"
        assert power(bmc, "powered_on")["verified"] and power(bmc, "power_cycled", force=True)["verified"]
        assert power(bmc, "powered_off")["verified"] and not power(bmc, "powered_off")["changed"]
    finally:
        bmc.stop()


@pytest.mark.parametrize("capability", [VirtualMedia, Bios, Storage, Firmware, SecureBoot, Certificates, Events])
def test_what_ipmi_cannot_do_names_the_alternative(ipmi_bmc, capability):
    """The error names protocol, capability and another way."""
    with driver(ipmi_bmc()) as ipmi, pytest.raises(Unsupported, match=capability.title) as refused:
        ipmi.get(capability)
    assert "bmc_protocol: redfish" in refused.value.remedy and refused.value.details["protocol"] == "ipmi"
