# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The habits of real BMCs that concern power, boot device, sessions and the way there, each replayed by the BMC that has it.

Habits of BIOS settings, virtual media, firmware, accounts and inventories are replayed with their modules.
"""

from __future__ import annotations

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._domain import deadline
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

IDENTITIES = {
    "dell": {"Manufacturer": "Dell Inc.", "Model": "PowerEdge R770"}, "hpe": {"Manufacturer": "HPE", "Model": "ProLiant DL360 Gen10"},
    "supermicro": {"Manufacturer": "Supermicro", "Model": "SYS-1029"}, "ami": {"Manufacturer": "American Megatrends", "Model": "X"},
    "lenovo": {"Manufacturer": "Lenovo", "Model": "SR670 V2"}, "huawei": {"Manufacturer": "Huawei", "Model": "1288H V5"},
}


@pytest.fixture(name="habit")
def fixture_habit(test_bmc):
    """habit(*quirks, maker=, **options): a BMC with habits, of a maker where its rules are to match (else the ladder must do)."""
    def start(*quirks, maker=None, tree="mini", **options):
        bmc = test_bmc(tree, quirks=list(quirks), **options)
        if maker:
            bmc.set(bmc.system, IDENTITIES[maker])
        return bmc
    return start


@pytest.fixture(name="naps", autouse=True)
def fixture_naps(monkeypatch):
    """The pauses between tries of one request, in seconds; nothing is slept."""
    taken: list = []

    class Clock:
        """Stands in for the module `time` in the connector."""
        sleep = taken.append

    monkeypatch.setattr(connector, "time", Clock)
    return taken


def boot(bmc, **params):
    """Run bmc_boot_device; it must work, hold, and send nothing the second time. Returns the first run's writes at the BMC."""
    bmc.counters.reset()
    result = run(BootDeviceResource, bmc, **params)
    assert result.get("verified") and result["changed"], result
    writes = bmc.counters.effective_writes()
    bmc.counters.reset()
    again = run(BootDeviceResource, bmc, **params)
    assert not again["changed"] and again["verified"] and not bmc.counters.effective_writes(), again
    assert not bmc.sessions.open()
    return writes


def start_of(bmc) -> dict:
    """Start the system; what it started from."""
    result = run(PowerResource, bmc, state="powered_on")
    assert result["verified"], result
    return bmc.power.boots[-1]


BOTH = pytest.mark.parametrize("known", [True, False], ids=["by rule", "by ladder"])


@BOTH
def test_boot_on_the_system_is_read_only(habit, known):
    """iDRAC10: the settings object takes it; known as such, it is written first."""
    bmc = habit("dell_idrac10_boot_readonly", maker="dell" if known else None)
    writes = boot(bmc, device="pxe", firmware_mode="uefi")
    assert writes[-1][1].endswith("/Settings") and (len(writes) == 1) is known
    assert start_of(bmc)["target"] == "Pxe"


def test_on_just_after_off(habit, naps):
    """iDRAC10 refuses it for a while: sent again."""
    bmc = habit(("dell_idrac10_on_after_off", {"seconds": 0.4}))
    start_of(bmc)
    result = run(PowerResource, bmc, state="power_cycled", force=True)
    assert result["verified"] and len(bmc.power.boots) == 2 and naps


def test_if_match_on_an_action(habit):
    """iDRAC10 refuses it: none is sent."""
    bmc = habit("dell_idrac10_if_match_on_action", maker="dell")
    start_of(bmc)
    assert len(bmc.counters.effective_writes()) == 1


@pytest.mark.parametrize("persistence", ["once", "continuous"])
def test_cd_is_the_physical_drive(habit, persistence):
    """iDRAC: the vendor's attribute chooses the virtual one; it is read back, ended, and gives way to another device."""
    bmc = habit("dell_cd_is_physical", maker="dell")
    writes = boot(bmc, device="cd", persistence=persistence)
    assert [path.split("/")[-2] for _method, path, _body in writes] == ["DellAttributes"]
    assert start_of(bmc)["target"] == "VirtualCd"
    if persistence == "continuous":
        boot(bmc, device="none")
        boot(bmc, device="cd", persistence=persistence)
    boot(bmc, device="pxe")
    run(PowerResource, bmc, state="power_cycled", force=True)
    assert bmc.power.boots[-1]["target"] == "Pxe"


def test_cd_by_attribute_on_a_recorded_bmc(habit):
    """The same with a real iDRAC's resources."""
    bmc = habit("dell_cd_is_physical", tree="dell-r750-idrac9_6.00")
    boot(bmc, device="cd")
    assert bmc.get("/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/DellAttributes/iDRAC.Embedded.1")["Attributes"]["ServerBoot.1.FirstBootDevice"] == "VCD-DVD"


def test_a_physical_cd_can_be_asked_for(habit):
    """By a rule of one's own that switches the behaviour off."""
    bmc = habit("dell_cd_is_physical", maker="dell")
    rule = {"id": "physical-cd", "behaviour": "boot_cd_by_attribute", "parameters": {"enabled": False}}
    assert run(BootDeviceResource, bmc, device="cd", bmc_quirks=[rule])["verified"] and start_of(bmc)["target"] == "PhysicalCd"


@pytest.mark.parametrize("resource, params", [(PowerResource, {"state": "powered_on"}), (BootDeviceResource, {"device": "pxe"})])
def test_not_ready(habit, naps, resource, params):
    """iDRAC's SYS518, whatever the verb: waited for."""
    bmc = habit(("dell_sys518", {"times": 3}), maker="dell")
    assert run(resource, bmc, **params)["verified"] and naps
    bmc.quirks[0].hits, bmc.quirks[0].wants = 0, lambda request: request.is_write and "Sessions" not in request.path
    assert run(PowerResource, bmc, state="powered_off" if bmc.power.is_on(bmc.system) else "powered_on")["verified"] and bmc.quirks[0].hits == 3


@BOTH
def test_the_uefi_target_goes_alone(habit, known):
    """Older iDRACs refuse it beside BootSourceOverrideEnabled."""
    bmc = habit("dell_uefi_target_alone", maker="dell" if known else None)
    bmc.set(bmc.manager, {"FirmwareVersion": "3.36.36.36"})
    writes = boot(bmc, device="uefi_target", uefi_target="PciRoot(0x0)/NVMe(1)")
    assert len(writes) == (2 if known else 3)
    assert start_of(bmc)["uefi_target"] == "PciRoot(0x0)/NVMe(1)"


def test_no_change_during_the_self_test(habit, naps):
    """iLO's UnableToModifyDuringSystemPOST: tried again, with pauses that grow."""
    bmc = habit(("hpe_post_in_progress", {"times": 3}), maker="hpe")
    boot(bmc, device="pxe")
    assert naps == [1, 2, 3]


@pytest.mark.parametrize("name, words, patience", [("hpe_post_in_progress", "POST", "SELF_TEST_PATIENCE"),
                                                   ("hpe_invalid_operation", "power state", "WRITE_PATIENCE")])
def test_patience_ends(habit, naps, monkeypatch, name, words, patience):
    """A self-test may last minutes, another state less long; in the end it is an error, in the BMC's words."""
    class Clock:
        """Time goes on by what was slept."""
        @staticmethod
        def monotonic() -> float:
            """Seconds."""
            return float(sum(naps))

    monkeypatch.setattr(deadline, "time", Clock)
    bmc = habit((name, {"times": None if name == "hpe_invalid_operation" else 10 ** 6}), maker="hpe")
    result = run(BootDeviceResource, bmc, device="pxe")
    assert result["error"]["kind"] == "timeout" and words in result["msg"] and not bmc.sessions.open()
    assert 0.9 * getattr(connector, patience) < sum(naps) <= getattr(connector, patience)


def test_invalid_operation_for_the_state(habit, naps):
    """iLO refuses for a while, with 400: tried again."""
    bmc = habit("hpe_invalid_operation", maker="hpe")
    start_of(bmc)
    assert len(naps) == 2 and len(bmc.power.resets) == 1


def test_no_uri_to_boot_from(habit):
    """iDRAC10 has no HttpBootUri: told before anything is sent."""
    bmc = habit("dell_idrac10_media_under_systems", maker="dell")
    bmc.store.edit(bmc.system)["Boot"]["BootSourceOverrideTarget@Redfish.AllowableValues"] += ["UefiHttp"]
    result = run(BootDeviceResource, bmc, device="http", http_uri="http://192.0.2.1/boot.efi")
    assert result["failed"] and result["error"]["kind"] == "unsupported" and not bmc.counters.effective_writes()
    assert len(boot(bmc, device="http")) == 1


def test_target_none_is_no_way_to_clear(habit):
    """iLO: the target is kept, the override disabled."""
    bmc = habit("hpe_target_none_refused", maker="hpe")
    boot(bmc, device="pxe", persistence="continuous")
    assert len(boot(bmc, device="none")) == 1
    assert start_of(bmc)["target"] == "None"


def test_the_mode_is_read_only(habit):
    """iLO: left out where it is right already; where it is not, that is an error and nothing was changed half."""
    bmc = habit("hpe_mode_readonly", maker="hpe")
    boot(bmc, device="pxe", firmware_mode="uefi")
    result = run(BootDeviceResource, bmc, device="cd", firmware_mode="bios")
    assert result["failed"] and result["error"]["kind"] == "rejected" and "BootSourceOverrideMode" in result["msg"]
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideTarget"] == "Pxe"


def test_a_minimal_boot_object(habit):
    """DL160 Gen10: target and enabled, no more."""
    bmc = habit("hpe_minimal_boot", maker="hpe")
    boot(bmc, device="pxe", firmware_mode="uefi")
    assert start_of(bmc)["target"] == "Pxe"


@BOTH
def test_enabled_every_time_and_a_mode_that_resets_itself(habit, known):
    """Supermicro: always sent; the mode is aligned afterwards, asked for or not."""
    bmc = habit("supermicro_override_enabled_every_time", maker="supermicro" if known else None)
    boot(bmc, device="pxe")
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideMode"] == "UEFI"
    boot(bmc, device="disk", firmware_mode="uefi")
    assert start_of(bmc)["mode"] == "UEFI"
    boot(bmc, firmware_mode="bios")
    boot(bmc, device="pxe")
    boot(bmc, device="none")


def test_the_virtual_cd_is_usb_cd(habit):
    """Supermicro: sent where it is offered, shown as cd."""
    bmc = habit("supermicro_cd_is_usbcd", maker="supermicro")
    boot(bmc, device="cd")
    assert start_of(bmc)["target"] == "VirtualCd"


def test_words_from_before_the_standard(habit):
    """An old Supermicro has UsbCd and CD/DVD; the virtual drive is the former."""
    bmc = habit(tree="supermicro-x10sdv-4.00")
    boot(bmc, device="cd")
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideTarget"] == "UsbCd"


def test_a_failed_login_with_200(habit):
    """Old Supermicros: the body says that it failed."""
    bmc = habit("supermicro_login_200")
    result = run(PowerResource, bmc, state="powered_on", bmc_password="wrong-password")
    assert result["error"]["kind"] == "authentication_failed" and "bmc_password" in result["msg"] and not bmc.power.resets
    assert "wrong-password" not in repr(result) and start_of(bmc)


def test_few_sessions(habit):
    """XCC has 16: ours is always deleted, so that the seventeenth task works too; where others hold all of them, we do without."""
    bmc = habit(("lenovo_session_cap", {"sessions": 1}), maker="lenovo")
    for _unused in range(3):
        assert "warnings" not in run(PowerResource, bmc, state="powered_on")
    bmc.options.session_cap = 0
    assert "Basic authentication" in run(PowerResource, bmc, state="powered_off")["warnings"][0]


def test_what_lasts_is_the_boot_order(habit):
    """XCC has no Continuous: the device's entries come first in the boot order, and count as what lasts."""
    bmc = habit("lenovo_no_continuous", maker="lenovo")
    writes = boot(bmc, device="disk", persistence="continuous")
    assert [body for _method, _path, body in writes] == [{"Boot": {"BootOrder": ["Boot0002", "Boot0001"]}}]
    boot(bmc, device="pxe", persistence="continuous")
    assert bmc.get(bmc.system)["Boot"]["BootOrder"] == ["Boot0001", "Boot0002"]
    boot(bmc, device="cd")
    result = run(BootDeviceResource, bmc, device="usb", persistence="continuous")
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "persistence: once" in result["msg"]


def test_the_boot_order_of_a_recorded_bmc(habit):
    """A real XCC takes it at its settings object, by entries that are told apart by their names."""
    bmc = habit("lenovo_no_continuous", tree="lenovo-sr670v2-xcc_1.40")
    writes = boot(bmc, device="pxe", persistence="continuous")
    assert [(path, body["Boot"]["BootOrder"][0]) for _method, path, body in writes] == [("/redfish/v1/Systems/1/Pending", "Boot0003")]


@BOTH
def test_all_three_every_time(habit, known):
    """AMI: mode, enabled and target."""
    bmc = habit("ami_all_three", maker="ami" if known else None)
    writes = boot(bmc, device="pxe")
    assert (len(writes) == 1) is known
    boot(bmc, device="none")
    boot(bmc, device="cd", persistence="continuous", firmware_mode="uefi")
    assert start_of(bmc)["target"] == "Cd"


def test_managed_by_is_missing(habit):
    """Huawei: all managers there are; the maker's rules are found all the same."""
    bmc = habit("huawei_no_managed_by", "dell_cd_is_physical", maker="dell")
    boot(bmc, device="cd")
    assert start_of(bmc)["target"] == "VirtualCd"


@pytest.mark.parametrize("style", ["weak", "strong"])
def test_if_match_is_required(habit, style):
    """Huawei: the ETag that was read goes along."""
    bmc = habit("huawei_if_match_required", maker="huawei", etag=style)
    assert len(boot(bmc, device="pxe")) == 1


@pytest.mark.parametrize("name", ["fujitsu_no_expand", "sushytools_storage_500", ("any_slow_resource", {"path": "/redfish/v1$", "seconds": 0.2}),
                                  "dell_idrac10_media_under_systems", "lenovo_no_ethernet_interfaces"])
def test_habits_that_power_and_boot_do_not_notice(habit, name):
    """They work, over one login."""
    bmc = habit(name)
    boot(bmc, device="pxe")
    assert start_of(bmc)["target"] == "Pxe"


def test_storage_that_is_an_internal_error(habit):
    """sushy-tools answers 500 where no storage is configured: those sections are problems, the rest is there."""
    result = run(HardwareResource, habit("sushytools_storage_500"))
    assert not result.get("failed") and {entry["section"] for entry in result["problems"]} <= {"storage_controllers", "disks", "volumes"}
    assert result["problems"] and len(result["hardware"]["processors"]) == 2 and result["hardware"]["disks"] == []


def test_macs_of_adapters(habit):
    """XCC lists no Ethernet interfaces of the system: the adapters' ports tell."""
    result = run(HardwareResource, habit("lenovo_no_ethernet_interfaces"), sections=["network_interfaces"])
    assert [port["mac_address"] for port in result["hardware"]["network_interfaces"]] == ["02:00:00:00:a0:01", "02:00:00:00:a0:02"]


@pytest.mark.parametrize("name", ["fujitsu_no_expand", "huawei_no_managed_by", "any_messy_collections", "any_paged_collections", "any_relative_links",
                                  "any_trailing_slashes", "any_absolute_links"])
def test_habits_that_an_inspection_does_not_notice(habit, name):
    """It finds the same as without them, and reads nothing twice."""
    plain = run(HardwareResource, habit())
    bmc = habit(name)
    result = run(HardwareResource, bmc)
    assert result["hardware"] == plain["hardware"] and result["problems"] == plain["problems"] and not bmc.sessions.open()
    assert name in ("any_trailing_slashes", "any_paged_collections") or not bmc.counters.duplicates


def test_identity_encoding_is_refused(habit):
    """HPE Gen10+: what comes compressed or not at all is asked for compressed."""
    bmc = habit("hpe_registry_gzip")
    link = "/redfish/v1/Registries/BiosAttributeRegistryMini.v1_0_0/registry"
    bmc.store.edit(bmc.system)["Actions"]["#ComputerSystem.Reset"] = {"target": f"{bmc.system}/Actions/ComputerSystem.Reset", "@Redfish.ActionInfo": link}
    assert start_of(bmc) and bmc.quirks[0].hits == 1
