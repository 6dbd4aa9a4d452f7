# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One set of behaviours over every BMC there is: check, change, idempotence, diff, error, for power and boot device.

Servers: test BMCs with all trees at hand, sushy-tools' emulator (fake driver, libvirt's in-memory hypervisor), the tests' IPMI server, OpenIPMI's ipmi_sim.
"""

from __future__ import annotations

import pytest
import testbmc
from running import run
from servers import Emulator, Ipmi, Simulator, TestBmc, has_libvirt

from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

SERVERS = [*testbmc.names(), "sushy-tools fake", "sushy-tools libvirt", "ipmi", "ipmi_sim"]
WORDS = {"Pxe": "pxe", "Hdd": "disk", "Cd": "cd"}


@pytest.fixture(name="bmc", scope="module", params=SERVERS)
def fixture_bmc(request, tmp_path_factory):
    """Each BMC once, with its system off; tests leave it as they like and do not depend on each other's state."""
    if request.param.startswith("sushy-tools "):
        driver = request.param.partition(" ")[2]
        if driver == "libvirt" and not has_libvirt():
            pytest.skip("libvirt's Python bindings are not at hand (Debian: python3-libvirt)")
        subject = Emulator(driver, tmp_path_factory.mktemp(driver))
    else:
        others = {"ipmi": Ipmi, "ipmi_sim": lambda: Simulator(tmp_path_factory.mktemp("ipmi_sim"))}
        subject = others.get(request.param, lambda: TestBmc(request.param))()
    yield subject
    subject.stop()


def power(bmc, state, **params):
    """Run bmc_power."""
    return run(PowerResource, None, **{**bmc.options(), "state": state, **params})


def boot(bmc, **params):
    """Run bmc_boot_device."""
    return run(BootDeviceResource, None, **{**bmc.options(), **params})


def offered(bmc) -> list:
    """Boot devices that the BMC has, in neutral words."""
    found = [WORDS[word] for word in bmc.devices if word in WORDS]
    if not found:
        pytest.skip("this BMC has no boot override")
    return found


def test_all_servers_are_told():
    """One line for the log of a run."""
    print(f"the contract suite runs against {len(SERVERS)} servers: {', '.join(SERVERS)}")


def test_power_in_check_mode(bmc):
    """What would change is told with its diff; the BMC was asked to do nothing; no session is left."""
    assert power(bmc, "powered_off", force=True)["verified"] and bmc.power() == "off"
    bmc.writes()
    result = power(bmc, "powered_on", check_mode=True)
    assert result["changed"] and not result["verified"] and result["sent"] == []
    assert result["diff"] == {"before": {"state": "off"}, "after": {"state": "on"}} and result["power"] == {"state": "on"}
    assert bmc.power() == "off" and not bmc.writes() and not bmc.sessions()


@pytest.mark.parametrize("state, reached", [("powered_on", "on"), ("powered_off", "off")])
def test_power_changes_once(bmc, state, reached):
    """The power is as declared, seen from outside; the second run does nothing."""
    power(bmc, "powered_on" if state == "powered_off" else "powered_off", force=True)
    bmc.writes()
    result = power(bmc, state, force=True)
    assert result["changed"] and result["verified"] and result["power"] == {"state": reached} == result["observed"], result
    assert result["sent"] and result["requested"]["state"] == state and bmc.power() == reached and bmc.writes()
    again = power(bmc, state, force=True)
    assert not again["changed"] and again["verified"] and again["sent"] == []
    assert again["diff"] == {"before": {"state": reached}, "after": {"state": reached}}
    assert not bmc.writes() and not bmc.sessions()


def test_power_cycle(bmc):
    """Off and on again where it was on; just on where it was off."""
    power(bmc, "powered_on")
    bmc.writes()
    result = power(bmc, "power_cycled", force=True)
    assert result["changed"] and result["verified"] and bmc.power() == "on" and bmc.writes(), result


def test_boot_device(bmc):
    """Check, change, idempotence: as for power, for each of two devices in turn."""
    devices = offered(bmc)
    for device in (*devices[:2], devices[0]):
        wanted = {"device": device, "persistence": bmc.lasting}
        bmc.writes()
        planned = boot(bmc, check_mode=True, **wanted)
        assert planned["diff"]["after"]["device"] == device and not bmc.writes(), planned
        result = boot(bmc, **wanted)
        assert result["verified"] and result["boot_device"]["device"] == device and WORDS[bmc.device()] == device, result
        assert result["diff"]["before"] != result["diff"]["after"] or not result["changed"]
        bmc.writes()
        again = boot(bmc, **wanted)
        assert not again["changed"] and again["verified"] and not bmc.writes() and not bmc.sessions(), again


def test_an_override_is_ended(bmc):
    """And that holds."""
    devices = offered(bmc)
    if not bmc.can_end_an_override:
        pytest.skip("this BMC's override cannot be ended")
    boot(bmc, device=devices[0], persistence=bmc.lasting)
    assert boot(bmc, device="none")["verified"] and bmc.device() is None
    assert not boot(bmc, persistence="disabled")["changed"] and not bmc.sessions()


def test_a_device_that_is_not_there(bmc):
    """Refused with what there is, before anything is sent."""
    bmc.writes()
    result = boot(bmc, device="recovery")
    assert result["failed"] and result["error"]["kind"] in ("invalid_input", "unsupported") and not bmc.writes(), result


def test_a_wrong_password(bmc):
    """Told as that, without it; nothing was done."""
    bmc.writes()
    result = power(bmc, "powered_on", bmc_password="not-the-password")
    assert result["failed"] and result["error"]["kind"] == "authentication_failed" and "bmc_password" in result["msg"], result
    assert "not-the-password" not in repr(result) and not bmc.writes()


def test_options_that_are_missing_or_wrong(bmc):
    """Refused before the BMC is asked anything."""
    bmc.writes()
    for params in ({}, {"state": "on"}):
        with pytest.raises(AssertionError, match="state"):
            run(PowerResource, None, **bmc.options(), **params)
    with pytest.raises(AssertionError, match="device"):
        run(BootDeviceResource, None, **bmc.options())
    assert power(bmc, "powered_on", bmc_timeout=0)["error"]["kind"] == "invalid_input" and not bmc.writes()
