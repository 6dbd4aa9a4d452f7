# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many BMCs from one process, counted at a server of many addresses."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import run
from testbmc.fleet import FleetProcess

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._resources import fleet_info
from ansible_collections.typeone.metal.plugins.module_utils._resources.fleet import Bounds, FleetReader, subnet_of
from ansible_collections.typeone.metal.plugins.module_utils._resources.fleet_info import FleetInfo, execute_fleet
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource


@pytest.fixture(name="fleet", scope="module")
def fixture_fleet():
    """Forty BMCs, two of them dead and two slow to begin."""
    with FleetProcess(count=40, dead=0.05, slow=0.05, slow_seconds=1.0) as fleet:
        yield fleet


@pytest.fixture(name="processes", params=[1, 3])
def fixture_processes(request, monkeypatch):
    """How many processes share the work, whatever number of CPUs there is."""
    monkeypatch.setattr(fleet_info, "_processes", lambda wanted, hosts: request.param)
    return request.param


def options(fleet, **more):
    """Return the options for a fleet; dead ones cost three seconds."""
    return {"hosts": [{"name": f"n-{address}", "bmc_address": address} for address in fleet.addresses],
            "bmc_port": fleet.port, "bmc_username": fleet.username, "bmc_password": fleet.password,
            "bmc_protocol": "redfish", "ca_path": fleet.ca_path, "bmc_timeout": 3, **more}


def read(given, *, check_mode=False, told=None):
    """Run ``bmc_fleet_info`` as a shell does."""
    validated = ArgumentSpecValidator(argument_spec(FleetInfo)).validate(given)
    assert not validated.error_messages, validated.error_messages
    return execute_fleet(FleetInfo, validated.validated_parameters, check_mode=check_mode,
                         tell=(told if told is not None else []).append)


@pytest.mark.usefixtures("processes")
def test_every_live_bmc_is_read_and_no_session_left(fleet):
    """The right state for each; the dead are told as such, and delay nobody."""
    told = []
    before = fleet.stats()
    result = read(options(fleet, gather=["health", "hardware"], hardware_sections=["system"],
                          health_sections=["summary"]), told=told)
    after = fleet.stats()
    expected = {f"n-{address}": facts for address, facts in fleet.expected.items()}
    live = {name for name, facts in expected.items() if facts["kind"] != "dead"}
    hosts = {record["name"]: record for record in result["fleet"]["hosts"]}
    assert set(hosts) == set(expected) and {name for name, record in hosts.items() if record["ok"]} == live
    for name in live:
        system = hosts[name]["results"]["hardware"]["hardware"]["system"]
        assert (system["serial_number"], system["power_state"]) == (expected[name]["serial"], expected[name]["power"].lower())
        assert hosts[name]["results"]["health"]["health"]["summary"]["health"] == expected[name]["health"].lower()
    assert after["logins"] - before["logins"] == len(live) and after["sessions_open"] == 0 and after["writes"] == before["writes"]
    assert result["fleet"]["failed"] == 2 == len(result["fleet"]["failures"]) and "2 of 40 BMCs" in result["warnings"][0]
    assert told[-1] == "40 of 40 BMCs read, 2 of them failed"


@pytest.mark.usefixtures("processes")
def test_the_same_as_the_module_alone(fleet):
    """Byte for byte."""
    address = next(address for address, facts in fleet.expected.items() if facts["kind"] == "live")
    alone = run(HardwareResource, None, bmc_address=address, bmc_port=fleet.port, bmc_username=fleet.username,
                bmc_password=fleet.password, bmc_protocol="redfish", ca_path=fleet.ca_path)
    result = read(options(fleet, hosts=[{"bmc_address": address}]))
    assert json.dumps(result["fleet"]["hosts"][0]["results"]["hardware"], sort_keys=True) == json.dumps(alone, sort_keys=True)


@pytest.mark.usefixtures("processes")
def test_limits_hold(fleet):
    """No more connections than the limit, in all or in a subnet (one that just ends is still counted for a moment)."""
    few = {"gather": ["health"], "health_sections": ["summary"]}
    with FleetProcess(count=20, latency=0.01) as slow:
        assert read(options(slow, limit=4, **few))["fleet"]["ok"] == 20
        assert slow.stats()["max_connections"] <= 4 + 2
    with FleetProcess(count=20, latency=0.01) as slow:
        assert read(options(slow, limit=20, subnet_limit=3, **few))["fleet"]["ok"] == 20
        assert slow.stats()["max_connections"] <= 3 + 2


def test_output_and_resume(tmp_path):
    """A line for each host as it comes; what was read well is kept, the rest is read again; its owner alone may read it."""
    path = tmp_path / "fleet.jsonl"
    with FleetProcess(count=40, dead=0.05, dead_mode="refuse") as fleet:
        given = options(fleet, gather=["health"], health_sections=["summary"], output=str(path))
        assert read(given, check_mode=True)["fleet"]["ok"] == 38 and not path.exists()
        result = read(given)
        assert result["fleet"]["hosts"] is None and path.stat().st_mode & 0o777 == 0o600
        lines = path.read_text().splitlines()
        assert len(lines) == 40 and all(json.loads(line)["name"] for line in lines)
        path.write_text("\n".join(lines[:30]) + "\n" + lines[30][:40])
        good = sum(json.loads(line)["ok"] for line in lines[:30])
        logins = fleet.stats()["logins"]
        again = read({**given, "resume": True})
        assert again["fleet"]["kept"] == good and again["fleet"]["ok"] == 38
        assert fleet.stats()["logins"] - logins == 38 - good
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted(record["name"] for record in records) == sorted(f"n-{address}" for address in fleet.addresses)


def test_a_host_that_answers_slowly_for_ever_costs_its_own_time():
    """The deadline of a host holds although no single answer is late."""
    with FleetProcess(count=2, slow=0.5, slow_seconds=0.6, slow_scope="every") as fleet:
        result = read(options(fleet, host_timeout=1, bmc_timeout=30))
        failed = [record for record in result["fleet"]["hosts"] if fleet.expected[record["address"]]["kind"] == "slow"]
        hardware = failed[0]["results"]["hardware"]
        assert hardware.get("failed") or any("not done within" in problem["cause"] for problem in hardware["problems"])
        assert failed[0]["seconds"] < 15 and fleet.stats()["sessions_open"] == 0


@pytest.mark.parametrize("more, words", [
    ({"limit": 0}, "limit is 0"), ({"gather": []}, "gather is empty"), ({"resume": True}, "output is not"),
    ({"output": "/nowhere/at/all"}, "/nowhere/at/all"), ({"hosts": [{"name": "a"}]}, "'a' has no bmc_address"),
    ({"hosts": [{"bmc_address": "127.1.0.1"}, {"bmc_address": "127.1.0.1"}]}, "more than once"), ({"subnet_prefix": 40}, "Give 8 to 32"),
])
def test_wrong_options_are_named_before_anything_is_read(fleet, more, words):
    """The option, its value, and what is valid."""
    before = fleet.stats()["connections"]
    result = read(options(fleet, **more))
    assert result["failed"] and words in result["msg"] and fleet.stats()["connections"] == before


def test_all_dead_fails():
    """A fleet of which nothing answers is a failure, not an empty success."""
    with FleetProcess(count=3, dead=1.0, dead_mode="refuse") as fleet:
        result = read(options(fleet))
    assert result["failed"] and "any of the 3 BMCs" in result["msg"]


@pytest.mark.parametrize("wanted, hosts, cpus, expected", [(None, 1000, 2, 2), (None, 1000, 64, 8), (16, 1000, 64, 16), (16, 1000, 2, 2),
                                                           (1, 1000, 8, 1), (None, 60, 8, 2), (8, 10, 8, 1), (None, 0, 8, 1)])
def test_how_many_processes_share_the_work(monkeypatch, wanted, hosts, cpus, expected):
    """No more than asked for, than CPUs, and than the hosts are worth."""
    monkeypatch.setattr(fleet_info.os, "sched_getaffinity", lambda pid: range(cpus), raising=False)
    assert fleet_info._processes(wanted, hosts) == expected


@pytest.mark.parametrize("survivors", [1, 0])
def test_a_process_that_dies_is_told_for_its_hosts(survivors):
    """Those that it had begun fail with its end; the others are read, as long as there is a process that can."""
    with FleetProcess(count=40, latency=0.02) as fleet:
        given = options(fleet, gather=["health"], health_sections=["summary"])
        hosts = fleet_info._hosts(ArgumentSpecValidator(argument_spec(FleetInfo)).validate(given).validated_parameters)
        records = []
        for record in FleetReader(bounds=Bounds(6), processes=2).read(hosts):
            if not records:
                for process in multiprocessing.active_children()[survivors:]:
                    os.kill(process.pid, signal.SIGKILL)
            records.append(record)
    lost = [record for record in records if not record["ok"]]
    assert sorted(record["name"] for record in records) == sorted(host["name"] for host in hosts)
    assert 1 <= len(lost) <= 6 if survivors else len(lost) > 20
    for record in lost:
        result = record["results"]["health"]
        assert result["failed"] and result["error"]["kind"] == "defect" and "has ended (signal 9)" in result["msg"]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number, to_group", [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True)])
def test_a_signal_leaves_no_session(tmp_path, number, to_group):
    """Those under way log out; no further one is begun. A terminal sends the signal to all processes."""
    with FleetProcess(count=200, latency=0.05) as fleet:
        output = tmp_path / "out.jsonl"
        arguments = tmp_path / "arguments.json"
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options(
            fleet, limit=5, output=str(output), gather=["health"], health_sections=["summary"])}))
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "ansible_collections.typeone.metal.plugins.modules.bmc_fleet_info", str(arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), start_new_session=True)
        deadline = time.monotonic() + 60
        while (not output.exists() or len(output.read_text().splitlines()) < 5) and time.monotonic() < deadline:
            time.sleep(0.05)
        (os.killpg if to_group else os.kill)(process.pid, number)
        process.communicate(timeout=60)
        stats = fleet.stats()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    assert 5 <= stats["logins"] < 200 and stats["sessions_open"] == 0
    assert len(output.read_text().splitlines()) >= 5


def test_a_task_that_is_killed_leaves_no_process(tmp_path):
    """Its processes see that it is no more: they log out and end."""
    with FleetProcess(count=200, latency=0.05) as fleet:
        arguments = tmp_path / "arguments.json"
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options(fleet, limit=6, gather=["health"], health_sections=["summary"])}))
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "ansible_collections.typeone.metal.plugins.modules.bmc_fleet_info", str(arguments)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ), start_new_session=True)
        deadline = time.monotonic() + 60
        while fleet.stats()["logouts"] < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        while _alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        stats = fleet.stats()
    assert not _alive(process.pid) and 3 <= stats["logins"] < 200
    assert stats["sessions_open"] == 0 or len(os.sched_getaffinity(0)) == 1


def _alive(group) -> bool:
    """Tell whether a group has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("address, subnet", [("192.0.2.7", "192.0.2.0/24"), ("2001:db8::1", "2001:db8::/64"),
                                             ("bmc1.example.net", "bmc1.example.net")])
def test_subnets(address, subnet):
    """IPv4, IPv6, and a name."""
    assert subnet_of(address, 24) == subnet
