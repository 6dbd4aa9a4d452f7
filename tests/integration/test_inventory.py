# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, by ansible-inventory, against a server of many addresses."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

import pytest
import testbmc
import yaml
from ipmi.programs import IpmiSim, free_port
from ipmi.records import full_sensor
from testbmc.fleet import FleetProcess


@pytest.fixture(name="fleet", scope="module")
def fixture_fleet():
    """Thirty BMCs, some dead, some slow to begin."""
    with FleetProcess(count=30, dead=0.1, slow=0.1, slow_seconds=1.0) as fleet:
        yield fleet


def listing(folder, config, *, environment=None):
    """Return what ansible-inventory makes of a configuration, and what it warns of."""
    source = folder / "fleet.bmc.yml"
    source.write_text(yaml.safe_dump({"plugin": "typeone.metal.bmc", **config}))
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-inventory"), "-i", str(source), "--list"],
                          capture_output=True, text=True, timeout=120, check=False,
                          env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1", COLUMNS="1000",
                                   **(environment or {})))
    found = json.loads(done.stdout, object_hook=lambda data: data.get("__ansible_unsafe", data)) if done.returncode == 0 else {}
    return done.returncode, found, done.stderr


def config(fleet, addresses, **more):
    """Return a configuration that reaches the fleet."""
    return {"addresses": addresses, "probe_timeout": 1.0, "sections": ["system", "bmc"], "credentials": [
        {"bmc_port": fleet.port, "bmc_username": fleet.username, "bmc_password": "{{ lookup('ansible.builtin.env', 'FLEET_PASSWORD') }}",
         "bmc_protocol": "redfish", "ca_path": fleet.ca_path, "bmc_timeout": 4}], **more}


def test_a_range_is_searched_and_grouped(fleet, tmp_path):
    """Live ones become hosts with variables and groups; addresses that refuse are left out; the dead are counted."""
    code, found, errors = listing(tmp_path, config(
        fleet, ["127.1.0.1-30"], exclude=["127.1.0.1"],
        keyed_groups=[{"key": "typeone_bmc.power_state", "prefix": "power"}], compose={"serial": "typeone_bmc.serial_number"},
        groups={"critical": "typeone_bmc.health == 'critical'"}), environment={"FLEET_PASSWORD": fleet.password})
    assert code == 0, errors
    live = {address: facts for address, facts in fleet.expected.items() if facts["kind"] != "dead" and address != "127.1.0.1"}
    hosts = found["_meta"]["hostvars"]
    assert set(hosts) == set(live)
    for address, facts in live.items():
        assert hosts[address]["serial"] == facts["serial"] and hosts[address]["bmc_protocol"] == "redfish"
        assert hosts[address]["bmc_port"] == fleet.port
    assert set(found["power_on"]["hosts"]) == {address for address, facts in live.items() if facts["power"] == "On"}
    assert set(found.get("critical", {}).get("hosts", [])) == {address for address, facts in live.items() if facts["health"] == "Critical"}
    assert "3 of 29 BMCs could not be read" in errors
    assert fleet.password not in json.dumps(found) + errors and fleet.stats()["sessions_open"] == 0


def test_the_cache_is_used(fleet, tmp_path):
    """The second listing asks no BMC, and the cache holds no password."""
    given = config(fleet, ["127.1.0.2"], cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(tmp_path / "cache"))
    assert listing(tmp_path, given, environment={"FLEET_PASSWORD": fleet.password})[0] == 0
    before = fleet.stats()
    code, found, errors = listing(tmp_path, given, environment={"FLEET_PASSWORD": fleet.password})
    assert code == 0 and "127.1.0.2" in found["_meta"]["hostvars"], errors
    after = fleet.stats()
    assert (after["connections"], after["requests"]) == (before["connections"], before["requests"])
    assert all(fleet.password not in path.read_text() for path in (tmp_path / "cache").iterdir())


def with_two_systems(tree):
    """Return the tree with a second system beside its first."""
    first = tree.of_kind("ComputerSystem")[0]
    second, collection = f"{first}-B", first.rsplit("/", 1)[0]
    listed = tree.json(collection)
    listed["Members"].append({"@odata.id": second})
    system = {**tree.json(first), "@odata.id": second, "Id": "B", "UUID": None}
    return testbmc.trees.Tree("two", {**tree.files, second: json.dumps(system).encode(), collection: json.dumps(listed).encode()})


def test_several_systems_behind_one_bmc_are_several_hosts(test_bmc, tree, tmp_path):
    """Each with its bmc_system."""
    bmc = test_bmc(with_two_systems(tree("mini")))
    code, found, errors = listing(tmp_path, {"addresses": [bmc.url], "sections": ["system"], "credentials": [
        {"bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path, "bmc_protocol": "redfish"}]})
    assert code == 0, errors
    systems = sorted(variables["bmc_system"] for variables in found["_meta"]["hostvars"].values())
    assert systems == sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in bmc.systems) and len(systems) == 2
    assert not bmc.sessions.open()


def test_a_bmc_without_redfish_is_found_by_a_presence_ping(tmp_path):
    """OpenIPMI's simulator answers the ping; of the range nobody else does, and nothing listens for Redfish."""
    simulator = IpmiSim(tmp_path, sdr=full_sensor(1, "CPU1 Temp")).start()
    try:
        code, found, errors = listing(tmp_path, {
            "addresses": ["127.0.0.1-4"], "probe_timeout": 2.0, "sections": ["bmc"],
            "credentials": [{"bmc_port": free_port(socket.SOCK_STREAM), "ipmi_port": simulator.port, "bmc_protocol": "ipmi",
                             "bmc_username": simulator.username, "bmc_password": simulator.password, "bmc_timeout": 10}]})
    finally:
        simulator.stop()
    assert code == 0, errors
    assert set(found["_meta"]["hostvars"]) == {"127.0.0.1"} and found["_meta"]["hostvars"]["127.0.0.1"]["bmc_protocol"] == "ipmi"


def test_ssdp(test_bmc, tmp_path):
    """Who answers the search becomes a host; who names another place does not."""
    bmc = test_bmc()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def answer():
            data, sender = sock.recvfrom(2048)
            assert b"urn:dmtf-org:service:redfish-rest:1" in data
            for where in (bmc.url, "https://192.0.2.66"):
                sock.sendto(f"HTTP/1.1 200 OK\r\nST: urn:dmtf-org:service:redfish-rest:1:0\r\nAL: {where}/redfish/v1/\r\n\r\n".encode(), sender)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        code, found, errors = listing(tmp_path, {
            "ssdp": True, "ssdp_target": "127.0.0.1:%d" % sock.getsockname()[1], "ssdp_timeout": 1.0, "hostnames": ["serial_number"],
            "credentials": [{"match": "127.0.0.0/8", "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path}]})
        thread.join(5)
    assert code == 0, errors
    assert list(found["_meta"]["hostvars"]) == [bmc.get(bmc.system)["SerialNumber"]]


@pytest.mark.parametrize("given, words", [({"addresses": ["10.0.0.0/8"]}, "at most 65536"), ({"addresses": ["192.0.2.9-1"]}, "no valid range"),
                                          ({"addresses": ["192.0.2.1"], "credentials": [{"bmc_user": "x"}]}, "bmc_user")])
def test_a_wrong_configuration_is_named(given, words, tmp_path):
    """Before anything is asked."""
    code, _unused, errors = listing(tmp_path, given)
    assert code != 0 and words in errors
