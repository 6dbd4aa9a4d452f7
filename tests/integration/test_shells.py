# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same resource as an action and as a module, by ansible-playbook: options, results, secrets."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

import yaml

NOT_COMPARED = {"ansible_job_id", "results_file", "started", "finished", "stdout", "stdout_lines", "stderr", "stderr_lines"}


def play(folder, tasks, *, hosts, arguments=(), environment=None):
    """Run tasks over hosts (name: variables) and return exit code and output."""
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    book = folder / "play.yml"
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(book), *arguments],
        capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL, check=False,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0", ANSIBLE_ASYNC_DIR=str(folder / "async"), **(environment or {})))
    return done.returncode, done.stdout + done.stderr


def variables(bmc, **more):
    """Return the host variables that lead to a test BMC."""
    return {"bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path,
            "ansible_python_interpreter": sys.executable, **more}


ELSEWHERE = """
from ansible.plugins.connection.local import Connection as Local
DOCUMENTATION = "name: elsewhere\\nshort_description: This machine as another\\ndescription: [For tests.]\\nauthor: [tests]"
class Connection(Local):
    transport = "elsewhere"
"""
# Where a task runs: as an action on the controller, as a module where it is delegated to.
WAYS = {"action": {}, "module": {"delegate_to": "jump"}}
POWER = "typeone.metal.bmc_power"
ON, OFF = {POWER: {"state": "powered_on"}}, {POWER: {"state": "powered_off", "force": True}}
BEHAVIOURS = {
    "a_value_that_is_not_valid": {POWER: {"state": "on"}},
    "an_option_that_is_not_known": {POWER: {"state": "powered_on", "colour": "red"}},
    "an_option_that_is_missing": {POWER: {"wait_timeout": 1}},
    "check_mode": {**ON, "check_mode": True, "diff": True},
    "a_change": {**ON, "diff": True},
    "a_default_of_the_group": {**ON, "module_defaults": {"group/typeone.metal.bmc": {"bmc_system": "nowhere"}}},
    "an_account_from_the_environment": {**ON, "vars": {"bmc_username": None}, "environment": {"TYPEONE_BMC_USERNAME": "{{ account }}"}},
    "a_wrong_password": {POWER: {"state": "powered_on", "bmc_password": "{{ other_secret }}"}},
    "become": {**ON, "become": True, "become_user": "nobody", "vars": {"ansible_become_exe": "/nonexistent/sudo"}},
    "a_loop": {POWER: {"state": "{{ item }}", "force": True}, "loop": ["powered_off", "powered_on"]},
    "in_the_background": {**OFF, "async": 60, "poll": 1},
    "without_a_log": {**ON, "check_mode": True, "no_log": True},
}


def behave(folder, way, bmc):
    """Run all behaviours in one of the ways; return the results by name, and what was shown."""
    (folder / "plugins").mkdir(parents=True)
    (folder / "plugins" / "elsewhere.py").write_text(ELSEWHERE)
    tasks = [{**task, **WAYS[way], "register": name, "ignore_errors": True} for name, task in BEHAVIOURS.items()]
    every = "{{ {%s} | to_json }}" % ", ".join(f"'{name}': {name}" for name in BEHAVIOURS)
    tasks.append({"ansible.builtin.copy": {"content": every, "dest": str(folder / "results.json"), "mode": "0600"}, "no_log": True})
    tasks.append({**OFF, **WAYS[way], "timeout": 1, "vars": {"bmc_address": "{{ slow }}"}, "register": "late", "ignore_errors": True})
    tasks.append({"ansible.builtin.assert": {"that": ["late is failed", "late.timedout is defined"]}})
    hosts = {"node": variables(bmc, ansible_connection="local", account=bmc.username, other_secret="Another-Secret-9", slow=bmc.slow_url,
                               bmc_protocol="redfish"),
             "jump": {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable, "bmc_address": "192.0.2.99"}}
    code, output = play(folder, tasks, hosts=hosts, arguments=("-vvv", "--diff", "--limit", "node"),
                        environment={"ANSIBLE_CONNECTION_PLUGINS": str(folder / "plugins"), "ANSIBLE_PIPELINING": "1"})
    assert code == 0, output
    return json.loads((folder / "results.json").read_text()), output


def test_action_and_module_behave_the_same(test_bmc, tmp_path):
    """Each behaviour of a task gives the same result, byte for byte, both ways; none shows a secret."""
    found = {}
    bmc, slow = test_bmc(), test_bmc(latency=0.4)
    bmc.slow_url = slow.url
    for way in WAYS:
        results, output = behave(tmp_path / way, way, bmc)
        assert bmc.password not in output and "Another-Secret-9" not in output and ("<jump>" in output) is (way == "module")
        assert "become is ignored" in output and bmc.power.state(bmc.system) == "Off"
        assert not bmc.sessions.open() and not any(item.get("failed") for item in results["a_loop"]["results"])
        _until(lambda: not slow.sessions.open())
        found[way] = {name: comparable(result) for name, result in results.items()}
    for name, result in found["action"].items():
        assert json.dumps(result, sort_keys=True) == json.dumps(found["module"][name], sort_keys=True), name
    result = found["action"]
    assert {name for name in result if result[name].get("failed")} == {
        "a_value_that_is_not_valid", "an_option_that_is_not_known", "an_option_that_is_missing", "a_default_of_the_group",
        "a_wrong_password"}
    assert {name for name in result if result[name]["changed"]} == {"check_mode", "a_change", "a_loop", "in_the_background", "without_a_log"}
    assert result["check_mode"]["diff"] == result["a_change"]["diff"] and result["a_change"]["verified"] and not result["check_mode"]["verified"]
    assert "nowhere" in result["a_default_of_the_group"]["msg"] and result["an_account_from_the_environment"]["verified"]


def comparable(value):
    """Return a result without what belongs to the way it was run."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in NOT_COMPARED}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def _until(done, seconds=60):
    """Wait until done() or so long."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    assert done()


def test_async_over_a_remote_connection_is_refused(test_bmc, tmp_path):
    """It would start on the managed host, which cannot reach the BMC; delegated to the controller it runs, though the host has no connection."""
    bmc = test_bmc()
    task = {**ON, "check_mode": True, "async": 60, "poll": 1}
    code, output = play(tmp_path, [{**task, "ignore_errors": True}, {**task, "delegate_to": "localhost"}, {**ON, "check_mode": True}],
                        hosts={"node": variables(bmc, ansible_host="192.0.2.99")})
    assert code == 0 and "Add delegate_to: localhost" in output and bmc.counters.logins == 2 and not bmc.sessions.open(), output


def test_options_from_environment_and_module_defaults(test_bmc, tmp_path):
    """The task's environment and the action group's defaults are taken; two hosts at once."""
    bmc, other = test_bmc(), test_bmc()
    tasks = [{"block": [{"typeone.metal.bmc_power": {"state": "powered_on"},
                         "environment": {"TYPEONE_BMC_PASSWORD": "{{ secret }}"}, "register": "power"}],
              "module_defaults": {"group/typeone.metal.bmc": {"bmc_timeout": 30, "bmc_username": "{{ account }}"}}}]
    hosts = {}
    for name, server in (("one", bmc), ("two", other)):
        hosts[name] = variables(server, account=server.username, secret=server.password, ansible_connection="local")
        del hosts[name]["bmc_password"], hosts[name]["bmc_username"]
    code, output = play(tmp_path, tasks, hosts=hosts)
    assert code == 0, output
    assert bmc.power.state(bmc.system) == "On" and other.power.state(other.system) == "On"
