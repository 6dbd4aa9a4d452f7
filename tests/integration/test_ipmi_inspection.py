# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_hardware_info and bmc_health_info over IPMI: sensors, FRUs, and what IPMI cannot tell."""

from __future__ import annotations

import collections
import subprocess

import pytest
from ipmi.programs import IpmiSim
from ipmi.records import FAN, OTHER, POWER_SUPPLY, RPM, VOLTAGE, VOLTS, WATTS, compact_sensor, fru, fru_locator, full_sensor
from running_ipmi import over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Hardware, Health
from ansible_collections.typeone.metal.plugins.module_utils._domain.inventory import KEYS, SINGLE
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource

SERVER = fru(chassis=("CH-PART", "CH-SERIAL"), board=("Board Maker", "X11DPU", "BO-SERIAL", "BO-PART"),
             product=("Maker Inc.", "Server X", "PR-PART", "1.0", "PR-SERIAL", "ASSET-7"))
SUPPLY = fru(product=("Delta", "PWS-1K62A", "PWS-PART", "1.0", "PSU-SERIAL-1", ""))
OK = b"\x00\x00"
LIMITS = bytes((0x3F, 5, 4, 3, 80, 90, 100))


def ddr4(size_code: int = 5) -> bytes:
    """Return the data of a DDR4 RDIMM (JEDEC 21-C, annex L): 8 Gb dies, x4, two ranks, 64 bits: 32 GiB."""
    data = bytearray(384)
    data[2:5] = bytes((12, 1, size_code))
    data[12:14], data[18] = bytes((0x08, 0x0B)), 6
    data[320:322] = b"\x80\xce"
    data[325:329] = bytes.fromhex("3a7b1c2d")
    data[329:349] = b"M393A4K40CB2-CTD    "
    return bytes(data)


@pytest.fixture(name="bmc")
def fixture_bmc(ipmi_bmc):
    """A server with sensors of all sorts, two power supplies of which one has no input, a DIMM and FRUs."""
    bmc = ipmi_bmc(power={"watts": 321})
    add = bmc.sensors.add
    add(full_sensor(1, "CPU1 Temp", entity=(3, 1)), bytes((42, 0xC0)) + OK, LIMITS)
    add(full_sensor(2, "Inlet Temp", entity=(0x37, 1), numbers=2), bytes((0xFB, 0xC0)) + OK, LIMITS)
    add(full_sensor(3, "CPU2 Temp", entity=(3, 2)), bytes((0, 0xE0)) + OK, LIMITS)
    add(full_sensor(4, "FAN1", kind=FAN, unit=RPM, m=100, entity=(0x1D, 1)), bytes((3, 0xC0, 0x02, 0)), bytes((2, 0, 5, 0, 0, 0, 0)))
    add(full_sensor(5, "FAN2", kind=FAN, unit=0, percent=True, entity=(0x1D, 2)), bytes((55, 0xC0)) + OK)
    add(full_sensor(6, "12V", kind=VOLTAGE, unit=VOLTS, m=63, exponent=-3), bytes((190, 0xC0)) + OK, LIMITS)
    add(compact_sensor(7, "PS1 Status", kind=POWER_SUPPLY, entity=(10, 1)), bytes((0, 0xC0, 0x01, 0x80)))
    add(compact_sensor(8, "PS2 Status", kind=POWER_SUPPLY, entity=(10, 2)), bytes((0, 0xC0, 0x09, 0x80)))
    add(compact_sensor(9, "PS3 Status", kind=POWER_SUPPLY, entity=(10, 3)), bytes((0, 0xC0, 0x00, 0x80)))
    add(compact_sensor(10, "PS Redundancy", kind=POWER_SUPPLY, reading=0x0B, entity=(10, 9)), bytes((0, 0xC0, 0x04, 0x80)))
    add(full_sensor(11, "PS1 Input Power", kind=OTHER, unit=WATTS, m=4, entity=(10, 1)), bytes((40, 0xC0)) + OK)
    add(full_sensor(12, "PS1 Output Power", kind=OTHER, unit=WATTS, m=4, entity=(10, 1)), bytes((38, 0xC0)) + OK)
    add(full_sensor(13, "PS1 Input Volts", kind=VOLTAGE, unit=VOLTS, entity=(10, 1)), bytes((231, 0xC0)) + OK)
    add(compact_sensor(14, "DIMM A1", kind=0x0C, entity=(0x20, 1)), bytes((0, 0xC0, 0x40, 0x80)))
    add(full_sensor(15, "other controller", owner=0x2C))
    add(fru_locator(1, "PSU1", entity=(10, 1)))
    add(fru_locator(2, "DIMM A1", entity=(0x20, 1), kind=(0x0C, 1)))
    add(fru_locator(3, "CPU1", entity=(3, 1)))
    bmc.frus.data.update({0: SERVER, 1: SUPPLY, 2: ddr4(), 3: fru(product=("Intel", "Xeon Gold 6226R", "", "", "", ""))})
    bmc.log.event(0x04, 4, 0x01, (0x52, 3, 5))
    bmc.log.event(0x04, 4, 0x01, (0x52, 6, 5), asserted=False)
    return bmc


def health(bmc, *sections, problems=0):
    """Run bmc_health_info; return what it found."""
    result = over_ipmi(HealthResource, bmc, **({"sections": list(sections)} if sections else {}))
    assert not result.get("failed") and len(result["problems"]) == problems, result
    return result["health"]


def hardware(bmc, *sections):
    """Run bmc_hardware_info; return what it found, and the problems."""
    result = over_ipmi(HardwareResource, bmc, **({"sections": list(sections)} if sections else {}))
    assert not result.get("failed"), result
    return result["hardware"], result["problems"]


def rows_of(found):
    """Yield section and row of all that was found."""
    for section, rows in found.items():
        for row in [rows] if section in SINGLE else rows:
            yield section, row


def test_everything_costs_one_login_and_no_read_twice(bmc):
    """Sections share what they read; every row has all the keys; nothing is written."""
    found, problems = hardware(bmc)
    assert set(found) == set(Hardware.SECTIONS) and set(health(bmc)) == set(Health.SECTIONS)
    for section, row in list(rows_of(found)) + list(rows_of(health(bmc))):
        assert row is None or set(row) == set(KEYS[section])
    assert {problem["section"] for problem in problems} == {
        "network_interfaces", "storage_controllers", "volumes", "pcie_devices", "gpus"}
    assert all("redfish" in problem["cause"] for problem in problems) and not bmc.writes()
    bmc.server.log.clear()
    bmc.server.logins = 0
    health(bmc)
    assert bmc.server.logins == 1 and not bmc.server.sessions
    twice = [entry for entry, count in collections.Counter(bmc.server.log).items() if count > 1]
    assert [entry[:2] for entry in twice] in ([], [(0x0A, 0x40)]), twice


def test_temperatures(bmc):
    """Degrees Celsius with limits; below zero; one that cannot be read; not those of other controllers."""
    rows = {row["name"]: row for row in health(bmc, "temperatures")["temperatures"]}
    assert set(rows) == {"CPU1 Temp", "Inlet Temp", "CPU2 Temp"}
    cpu = rows["CPU1 Temp"]
    assert (cpu["reading_celsius"], cpu["health"], cpu["state"], cpu["context"]) == (42, "ok", "enabled", "cpu")
    assert [cpu[key] for key in ("lower_critical", "lower_warning", "upper_warning", "upper_critical", "upper_fatal")] == [
        4, 5, 80, 90, 100]
    assert rows["Inlet Temp"]["reading_celsius"] == -5 and rows["Inlet Temp"]["context"] == "intake"
    assert rows["CPU2 Temp"]["reading_celsius"] is None and rows["CPU2 Temp"]["health"] is None
    assert rows["CPU2 Temp"]["state"] == "unavailable_offline"


def test_fans(bmc):
    """Revolutions a minute or percent, whichever the sensor tells; a limit that was passed is a critical health."""
    slow, other = health(bmc, "fans")["fans"]
    assert (slow["reading_rpm"], slow["health"], slow["lower_critical"], slow["upper_warning"]) == (300, "critical", 500, None)
    assert (other["reading_percent"], other["reading_rpm"], other["health"]) == (55, None, "ok")


def test_power_supplies(bmc):
    """Those that are there, with what can be measured of them, and numbers from their FRU."""
    first, second = health(bmc, "power_supplies")["power_supplies"]
    assert (first["name"], first["health"], first["input_watts"], first["output_watts"], first["input_volts"]) == (
        "PS1 Status", "ok", 160, 152, 231)
    assert (first["manufacturer"], first["model"], first["part_number"], first["serial_number"]) == (
        "Delta", "PWS-1K62A", "PWS-PART", "PSU-SERIAL-1")
    assert (second["name"], second["health"], second["serial_number"]) == ("PS2 Status", "critical", None)


def test_redundancy_summary_and_log(bmc):
    """The worst counts; chassis faults and an intrusion are told; power is what DCMI says."""
    bmc.chassis.on, bmc.chassis.faults = True, (0x08, 0x01)
    found = health(bmc, "redundancy", "summary", "log_summary")
    assert [(row["kind"], row["name"], row["health"]) for row in found["redundancy"]] == [
        ("power_supplies", "PS Redundancy", "warning")]
    summary = found["summary"]
    assert (summary["health"], summary["system"], summary["chassis"], summary["memory"]) == ("critical", "critical", "critical", "ok")
    assert (summary["power_state"], summary["power_watts"], summary["intrusion"]) == ("on", 321, "hardware_intrusion")
    log = found["log_summary"]
    assert (log["log"], log["total"], log["ok"], log["critical"]) == ("bmc/SEL", 2, 1, 1)


def test_power_without_dcmi(ipmi_bmc):
    """Where DCMI is not known the inputs of the supplies are added up."""
    bmc = ipmi_bmc()
    for number, watts in ((1, 40), (2, 50)):
        bmc.sensors.add(full_sensor(number, f"PS{number} Pin", kind=OTHER, unit=WATTS, m=4, entity=(10, number)),
                        bytes((watts, 0xC0)) + OK)
    assert health(bmc, "summary")["summary"]["power_watts"] == 360
    assert health(bmc, "summary")["summary"]["health"] == "ok"


def test_system_and_bmc(bmc):
    """From FRU, GUID, chassis and LAN parameters."""
    bmc.chassis.flags = bytes((0xE0, 0x04, 0, 0, 0))
    found, problems = hardware(bmc, "system", "bmc", "firmware")
    system, own = found["system"], found["bmc"]
    assert not problems and (system["manufacturer"], system["model"], system["serial_number"], system["part_number"],
                             system["asset_tag"]) == ("Maker Inc.", "Server X", "PR-SERIAL", "PR-PART", "ASSET-7")
    assert system["uuid"] == "03020100-0504-0706-0809-0a0b0c0d0e0f" and system["power_state"] == "off"
    assert system["boot"] == {"device": "pxe", "persistence": "continuous", "firmware_mode": "uefi", "order": []}
    assert (own["manufacturer"], own["firmware_version"], own["hostname"], own["mac_addresses"], own["ip_addresses"]) == (
        "Supermicro", "1.74", "bmc-17", ["52:54:00:aa:bb:cc"], ["192.0.2.10"])
    assert [(row["name"], row["version"]) for row in found["firmware"]] == [("BMC", "1.74")]


def test_memory_and_processors(bmc):
    """DIMMs by the data that they hold themselves, processors by their FRU."""
    found, problems = hardware(bmc, "memory", "processors", "disks")
    assert not problems and found["disks"] == []
    [dimm] = found["memory"]
    assert (dimm["slot"], dimm["size_bytes"], dimm["speed_mhz"], dimm["type"], dimm["model"], dimm["serial_number"],
            dimm["manufacturer"], dimm["ecc"]) == (
        "DIMM A1", 32 * 1024 ** 3, 2666, "DDR4 SDRAM", "M393A4K40CB2-CTD", "3A7B1C2D", "Samsung", "multi_bit_ecc")
    assert [(row["manufacturer"], row["model"]) for row in found["processors"]] == [("Intel", "Xeon Gold 6226R")]


@pytest.mark.parametrize("options", [{"frus": {"most": 16}, "sensors": {"most": 16}}, {"frus": {"words": True}}])
def test_bmcs_that_give_little_at_once(ipmi_bmc, options):
    """Parts become smaller until they are taken; a FRU may be counted in words."""
    bmc = ipmi_bmc(**options)
    bmc.frus.data[0] = SERVER
    bmc.sensors.add(full_sensor(1, "A temperature"), bytes((42, 0xC0)) + OK)
    bmc.sensors.add(full_sensor(2, "Another one"), bytes((43, 0xC0)) + OK)
    assert hardware(bmc, "system")[0]["system"]["serial_number"] == "PR-SERIAL"
    rows = health(bmc, "temperatures")["temperatures"]
    assert [(row["name"], row["reading_celsius"]) for row in rows] == [("A temperature", 42), ("Another one", 43)]


def test_a_reservation_that_is_cancelled(ipmi_bmc):
    """Another client's work costs a reservation; the record is read all the same."""
    bmc = ipmi_bmc()
    bmc.sensors.add(full_sensor(1, "A temperature with a name"[:16]), bytes((42, 0xC0)) + OK)
    bmc.sensors.cancel = 2
    assert len(health(bmc, "temperatures")["temperatures"]) == 1


@pytest.mark.parametrize("command, sections", [((0x0A, 0x23), ("temperatures", "fans", "power_supplies", "redundancy", "summary")),
                                               ((0x0A, 0x40), ("log_summary",)), ((0x00, 0x01), ("summary",))])
def test_a_section_that_fails_costs_itself_only(bmc, command, sections):
    """A command that the BMC does not know: its sections are problems, the others are there."""
    bmc.commands.forget(*command)
    result = over_ipmi(HealthResource, bmc)
    assert tuple(sorted(problem["section"] for problem in result["problems"])) == tuple(sorted(sections)), result
    assert any(result["health"][section] for section in Health.SECTIONS if section not in sections)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 64, SERVER[:20], bytes(64), SERVER[:8] + b"\x01\xff\xff" * 20])
def test_broken_frus(ipmi_bmc, data):
    """What cannot be read is null; no error."""
    bmc = ipmi_bmc()
    bmc.frus.data[0] = data
    system = hardware(bmc, "system")[0]["system"]
    assert system["power_state"] == "off"


@pytest.mark.parametrize("record", [b"\x01\x00\x51\x01\x00", full_sensor(1, "x")[:20], b"\x01\x00\x51\xc0\x05abcde",
                                    full_sensor(1, "x", unit=250, linearization=7), full_sensor(1, "x", linearization=0x71)])
def test_broken_records(ipmi_bmc, record):
    """A record that is cut off, unknown, or has a formula without a value costs itself only."""
    bmc = ipmi_bmc()
    bmc.sensors.add(record if len(record) > 7 else record.ljust(8, b"\0"), bytes((0, 0xC0)) + OK)
    bmc.sensors.add(full_sensor(2, "Inlet"), bytes((21, 0xC0)) + OK)
    rows = health(bmc, "temperatures")["temperatures"]
    assert rows[-1]["name"] == "Inlet" and rows[-1]["reading_celsius"] == 21


def tool(bmc, *command, suite="3"):
    """Return the lines of ipmitool."""
    found = subprocess.run(["ipmitool", "-I", "lanplus", "-C", suite, "-H", "127.0.0.1", "-p", str(bmc.port), "-U",
                            bmc.username, "-P", bmc.password, *command], capture_output=True, text=True, check=False, timeout=30)
    return found.stdout.splitlines()


def test_ipmitool_reads_the_same(bmc):
    """Names and values of sensors, and the FRU, as ipmitool reads them from the same server with cipher suite 17."""
    theirs = {line.split("|")[0].strip(): line.split("|")[4].strip() for line in tool(bmc, "sdr", "elist", suite="17")}
    found = health(bmc, "temperatures", "fans")
    ours = {row["name"]: row for row in found["temperatures"] + found["fans"]}
    assert theirs["CPU1 Temp"] == f"{ours['CPU1 Temp']['reading_celsius']:.0f} degrees C"
    assert theirs["Inlet Temp"] == f"{ours['Inlet Temp']['reading_celsius']:.0f} degrees C"
    assert theirs["FAN1"] == f"{ours['FAN1']['reading_rpm']:.0f} RPM"
    lines = "\n".join(tool(bmc, "fru", "print", "0", suite="17"))
    system = hardware(bmc, "system")[0]["system"]
    assert f": {system['serial_number']}\n" in lines and f": {system['manufacturer']}\n" in lines
    log = tool(bmc, "sel", "list", suite="17")
    assert len(log) == 2 and "Lower Critical" in log[0]


def test_the_simulator(tmp_path):
    """OpenIPMI's simulator: its sensor, its limits and its FRU, as ipmitool reads them."""
    simulator = IpmiSim(tmp_path, sdr=full_sensor(1, "CPU1 Temp"), fru=SERVER).start()
    try:
        [sensor] = [line.split("|") for line in tool(simulator, "sensor")]
        [row] = health(simulator, "temperatures")["temperatures"]
        assert row["name"] == sensor[0].strip() and row["reading_celsius"] == float(sensor[1]) == 42
        assert [row[key] for key in ("upper_warning", "upper_critical", "upper_fatal")] == [float(cell) for cell in sensor[7:10]]
        assert hardware(simulator, "system")[0]["system"]["serial_number"] == "PR-SERIAL"
        assert health(simulator, "summary")["summary"]["health"] == "ok"
    finally:
        simulator.stop()
