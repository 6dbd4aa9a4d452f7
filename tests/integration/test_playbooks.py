# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks inspect, health and power by their names, over an inventory whose hosts say where their BMCs are."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

NOWHERE = "https://127.0.0.1:1"


def playbook(folder, name, hosts, *arguments):
    """Run a playbook of the collection over hosts (name: variables); return its exit code and output."""
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"nodes": {"hosts": hosts}}))
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory),
                           f"typeone.metal.{name}", *arguments], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0"))
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(name="site")
def fixture_site(test_bmc):
    """Two BMCs, and the variables of their hosts."""
    bmcs = {"node1": test_bmc(), "node2": test_bmc()}
    return bmcs, {name: {"bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path,
                         "bmc_protocol": "redfish", "bmc_timeout": 20} for name, bmc in bmcs.items()}


def test_inspect_writes_what_it_reads(site, tmp_path):
    """One login at each, by the variables of each; in check mode no file."""
    bmcs, hosts = site
    output = tmp_path / "fleet.jsonl"
    code, told = playbook(tmp_path, "inspect", hosts, "-e", f"output={output}", "--check")
    assert code == 0 and not output.exists(), told
    code, told = playbook(tmp_path, "inspect", hosts, "-e", f"output={output}")
    assert code == 0 and "2 of 2 BMCs read" in told, told
    records = {record["name"]: record for record in map(json.loads, output.read_text().splitlines())}
    for name, bmc in bmcs.items():
        assert records[name]["results"]["hardware"]["hardware"]["system"]["serial_number"] == bmc.get(bmc.system)["SerialNumber"]
        assert bmc.counters.logins == 2 and not bmc.sessions.open() and not bmc.counters.effective_writes()
        assert bmc.password not in told + output.read_text()


def test_health_fails_where_one_is_critical_or_silent(site, tmp_path):
    """It names which."""
    bmcs, hosts = site
    code, told = playbook(tmp_path, "health", hosts)
    assert code == 0 and "None of 2 is critical" in told, told
    status = bmcs["node2"].get(bmcs["node2"].system)["Status"]
    bmcs["node2"].set(bmcs["node2"].system, {"Status": {**status, "Health": "Critical", "HealthRollup": "Critical"}})
    hosts["node1"]["bmc_address"] = NOWHERE
    code, told = playbook(tmp_path, "health", hosts)
    assert code != 0 and "Critical: node2" in told and "Could not be read: node1" in told, told


def test_power_needs_a_state_and_brings_it(site, tmp_path):
    """Without one nothing is asked of any BMC."""
    bmcs, hosts = site
    code, told = playbook(tmp_path, "power", hosts)
    assert code != 0 and "powered_on, powered_off" in told and not any(bmc.counters.connections for bmc in bmcs.values()), told
    code, told = playbook(tmp_path, "power", hosts, "-e", "state=powered_on", "-e", "target=node2")
    assert code == 0, told
    assert [bmc.power.state(bmc.system) for bmc in bmcs.values()] == ["Off", "On"]
