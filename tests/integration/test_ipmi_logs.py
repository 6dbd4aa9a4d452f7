# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_log_info and bmc_log over IPMI: the system event log, newest first, cleared with proof."""

from __future__ import annotations

import subprocess

import pytest
from ipmi.programs import IpmiSim
from ipmi.records import FAN, RPM, compact_sensor, full_sensor
from running_ipmi import driver, over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Logs
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource

CLEAR = (0x0A, 0x47)
GET_ENTRY = (0x0A, 0x43)


@pytest.fixture(name="bmc")
def fixture_bmc(ipmi_bmc):
    """A BMC with a fan, a power supply, and four events."""
    bmc = ipmi_bmc()
    bmc.sensors.add(full_sensor(0x30, "FAN1", kind=FAN, unit=RPM, m=100))
    bmc.sensors.add(compact_sensor(0x40, "PSU1 Status", kind=0x08))
    bmc.log.event(0x0C, 0x60, 0x6F, (0x00, 0xFF, 0xFF), seconds=30)
    bmc.log.event(0x04, 0x30, 0x01, (0x52, 3, 5), seconds=1767225600)
    bmc.log.event(0x04, 0x30, 0x01, (0x52, 6, 5), seconds=1767225660, asserted=False)
    bmc.log.event(0x08, 0x40, 0x6F, (0x03, 0xFF, 0xFF), seconds=1767229200)
    return bmc


def info(bmc, **params):
    """Run bmc_log_info; return the only log."""
    result = over_ipmi(LogInfoResource, bmc, **params)
    assert not result.get("failed") and result["problems"] == [], result
    assert len(result["logs"]) == 1
    return result["logs"][0]


def test_entries_in_neutral_words(bmc):
    """Newest first; names come from the sensors' records, times are UTC, and unknown before the BMC had a clock."""
    log = info(bmc)
    assert {key: log[key] for key in ("id", "name", "owner", "clearable")} == {
        "id": "bmc/SEL", "name": "System Event Log", "owner": "bmc", "clearable": True}
    assert [(row["id"], row["created"], row["severity"], row["message_id"]) for row in log["entries"]] == [
        ("4", "2026-01-01T01:00:00Z", "critical", "ipmi.0x08.0x6f.3"),
        ("3", "2026-01-01T00:01:00Z", "ok", "ipmi.0x04.0x01.2"),
        ("2", "2026-01-01T00:00:00Z", "critical", "ipmi.0x04.0x01.2"),
        ("1", None, "warning", "ipmi.0x0c.0x6f.0")]
    messages = [row["message"] for row in log["entries"]]
    assert messages[0].startswith("PSU1 Status: ") and messages[2].startswith("FAN1: Lower Critical")
    assert messages[2].endswith("(reading 300 RPM, threshold 500 RPM)") and messages[3].startswith("Memory 96: ")
    assert not bmc.writes() and bmc.server.logins == 1


def test_filters(bmc):
    """By severity, age and count."""
    assert [row["id"] for row in info(bmc, severity="critical")["entries"]] == ["4", "2"]
    assert [row["id"] for row in info(bmc, since="2026-01-01T00:00:30Z")["entries"]] == ["4", "3"]
    assert [row["id"] for row in info(bmc, limit=2)["entries"]] == ["4", "3"]


def test_a_large_log_is_read_from_its_end(ipmi_bmc):
    """Where numbers follow each other only the newest entries are asked for; where they do not, all are."""
    bmc = ipmi_bmc()
    for number in range(300):
        bmc.log.event(0x04, 1, 0x01, (0x50, 1, 1), seconds=1767225600 + number)
    assert [row["id"] for row in info(bmc, limit=3)["entries"]] == ["300", "299", "298"]
    assert [entry[:2] for entry in bmc.server.log].count(GET_ENTRY) < 10
    bmc.log.event(0x04, 1, 0x01, (0x50, 1, 1), number=9000)
    assert [row["id"] for row in info(bmc, limit=3)["entries"]] == ["9000", "300", "299"]


def test_makers_own_entries(ipmi_bmc):
    """Those with and without a time, and the last words of a kernel."""
    bmc = ipmi_bmc()
    bmc.log.add(kind=0xC1, body=bytes((0x57, 1, 0)) + b"abcdef")
    bmc.log.add(kind=0xE2, body=b"0123456789abc")
    bmc.log.add(kind=0xF0, body=b"\x20\x00Fatal excep")
    rows = info(bmc)["entries"]
    assert rows[0]["message"] == "Linux kernel panic: Fatal excep" and rows[0]["severity"] == "critical"
    assert rows[1]["created"] is None and rows[1]["message"].startswith("Entry of type 0xE2: ")
    assert rows[2]["message"] == "Entry of maker 343: " + b"abcdef".hex() and rows[2]["created"] is not None


def test_an_empty_log_and_one_without_sensors(ipmi_bmc):
    """No entries is no error; neither are no records of sensors."""
    bmc = ipmi_bmc()
    assert info(bmc)["entries"] == []
    bmc.commands.forget(0x0A, 0x23)
    bmc.log.event(0x04, 0x30, 0x01, (0x02, 3, 5))
    assert info(bmc)["entries"][0]["message"].startswith("Fan 48: ")


def test_a_chain_that_never_ends(ipmi_bmc):
    """An entry that names itself as the next ends the reading."""
    bmc = ipmi_bmc()
    bmc.log.event(0x04, 1, 0x01, (0x50, 1, 1))
    bmc.commands.add(*GET_ENTRY, lambda session, data: (0, b"\x01\x00" + bmc.log.records[0]), reads=True)
    assert len(info(bmc)["entries"]) == 2


def test_a_bmc_that_has_no_log(ipmi_bmc):
    """That is told as a problem of the log, or an error of its clearing."""
    bmc = ipmi_bmc()
    bmc.commands.forget(0x0A, 0x40)
    result = over_ipmi(LogInfoResource, bmc)
    assert result["error"]["kind"] == "unsupported" and "Get SEL Info" in result["msg"]


def test_clears_and_is_idempotent(bmc):
    """The log is cleared once; the note of that is not cleared again."""
    result = over_ipmi(LogResource, bmc, logs=["SEL"])
    assert result["changed"] and result["verified"] and bmc.log.clears == 1
    assert len(result["diff"]["before"]["logs"][0]["entries"]) == 4
    assert len(result["logs"][0]["entries"]) == 1 and "lear" in result["logs"][0]["entries"][0]["message"]
    assert {entry["name"] for entry in result["sent"]} == {"Reserve SEL", "Clear SEL"}
    again = over_ipmi(LogResource, bmc, logs=["SEL"])
    assert not again["changed"] and bmc.log.clears == 1


def test_check_mode_sends_only_reads(bmc):
    """What would be lost is told."""
    result = over_ipmi(LogResource, bmc, logs=["bmc/SEL"], check_mode=True)
    assert result["changed"] and result["diff"]["after"]["logs"][0]["entries"] == [] and not bmc.writes()
    assert len(bmc.log.records) == 4


def test_clearing_that_takes_a_while(ipmi_bmc):
    """A BMC that is erasing is waited for."""
    bmc = ipmi_bmc(log={"erase_time": 0.4})
    bmc.log.event(0x04, 1, 0x01, (0x50, 1, 1))
    assert over_ipmi(LogResource, bmc, logs=["SEL"])["verified"] and bmc.log.clears == 1


@pytest.mark.parametrize("fault, clears", [("lose_answer", 1), (0xC5, 1)])
def test_clearing_that_goes_wrong(bmc, fault, clears):
    """A lost answer is looked at; a reservation that was cancelled is made anew. The log is cleared once."""
    bmc.server.fail_next(fault, CLEAR)
    result = over_ipmi(LogResource, bmc, logs=["SEL"], bmc_timeout=1)
    assert result["verified"] and bmc.log.clears == clears


def test_a_log_that_is_not_there(bmc):
    """The error lists what there is."""
    result = over_ipmi(LogResource, bmc, logs=["Lifecycle"])
    assert result["error"]["kind"] == "invalid_input" and "bmc/SEL" in result["msg"] and not bmc.writes()


def test_the_simulators_log(tmp_path):
    """What ipmitool reads from OpenIPMI's simulator is what we read; cleared by us it is empty to ipmitool."""
    events = tuple(bytes(4) + bytes((0x20, 0, 4, 0x01, 1, 1, *data)) for data in ((0x57, 7, 8), (0x59, 9, 8), (0x50, 1, 2)))
    simulator = IpmiSim(tmp_path, sdr=full_sensor(1, "CPU1 Temp"), events=events).start()

    def tool():
        found = subprocess.run(["ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(simulator.port),
                                "-U", simulator.username, "-P", simulator.password, "sel", "list"],
                               capture_output=True, text=True, check=True, timeout=20)
        return [line for line in found.stdout.splitlines() if "no entries" not in line]

    try:
        lines = tool()
        with driver(simulator) as ipmi:
            rows = ipmi.get(Logs).entries("bmc/SEL", limit=50)
        assert len(rows) == len(lines) == 3
        assert [int(row["id"]) for row in rows] == [int(line.split("|")[0], 16) for line in reversed(lines)]
        assert [row["severity"] for row in rows] == ["warning", "critical", "warning"]
        assert rows[1]["message"] == "CPU1 Temp: Upper critical (reading 9 °C, threshold 8 °C)"
        result = over_ipmi(LogResource, simulator, logs=["SEL"])
        assert result["verified"] and not over_ipmi(LogResource, simulator, logs=["SEL"])["changed"] and not tool()
    finally:
        simulator.stop()
