# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same resource as an action and as a module, by ansible-playbook: options, results, secrets."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml

NOT_COMPARED = {"ansible_job_id", "results_file", "started", "finished", "invocation", "stdout", "stdout_lines", "stderr",
                "stderr_lines", "_ansible_no_log", "ansible_facts"}


def play(folder, tasks, *, hosts, arguments=(), environment=None):
    """Run tasks over hosts (name: variables) and return exit code and output; `save` tasks write results to folder."""
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    book = folder / "play.yml"
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(book), *arguments],
        capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL, check=False,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0", ANSIBLE_ASYNC_DIR=str(folder / "async"), **(environment or {})))
    return done.returncode, done.stdout + done.stderr


def save(folder, name):
    """Return a task that writes the registered result `name` to a file on the controller."""
    return {"ansible.builtin.copy": {"content": "{{ %s | to_json }}" % name, "dest": str(folder / f"{name}.json"),
                                     "mode": "0600"}, "delegate_to": "localhost"}


def load(folder, name):
    """Return a saved result without what belongs to the way it was run."""
    saved = json.loads((folder / f"{name}.json").read_text())
    return {key: value for key, value in saved.items() if key not in NOT_COMPARED}


def variables(bmc, **more):
    """Return the host variables that lead to a test BMC."""
    return {"bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path,
            "ansible_python_interpreter": sys.executable, **more}


def test_action_and_module_return_the_same(test_bmc, tmp_path):
    """Byte for byte, over the same BMC; the action runs on the controller though its host has no such connection."""
    bmc = test_bmc()
    tasks = []
    for name, task in (("info", {"typeone.metal.bmc_power": {"state": "powered_on"}, "check_mode": True}),
                       ("boot", {"typeone.metal.bmc_boot_device": {"device": "pxe"}, "check_mode": True})):
        tasks += [{**task, "register": f"{name}_action"}, save(tmp_path, f"{name}_action"),
                  {**task, "register": f"{name}_module", "async": 60, "poll": 1, "delegate_to": "localhost"},
                  save(tmp_path, f"{name}_module")]
    code, output = play(tmp_path, tasks, hosts={"node": variables(bmc, ansible_host="192.0.2.99")})
    assert code == 0, output
    for name in ("info", "boot"):
        action, module = load(tmp_path, f"{name}_action"), load(tmp_path, f"{name}_module")
        assert json.dumps(action, sort_keys=True) == json.dumps(module, sort_keys=True)
        assert action["changed"]
    assert not bmc.counters.effective_writes() and not bmc.sessions.open()


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


def test_no_secret_at_the_highest_verbosity(test_bmc, tmp_path):
    """Neither where it works nor where it fails."""
    bmc = test_bmc()
    tasks = [{"typeone.metal.bmc_power": {"state": "powered_on"}},
             {"typeone.metal.bmc_power": {"state": "powered_on", "bmc_password": "{{ other_secret }}"}, "ignore_errors": True},
             {"typeone.metal.bmc_power": {"state": "powered_on", "bmc_port": 1}, "ignore_errors": True}]
    code, output = play(tmp_path, tasks, arguments=("-vvvv", "--diff"),
                        hosts={"node": variables(bmc, ansible_connection="local", other_secret="Another-Secret-9")})
    assert code == 0, output
    assert bmc.password not in output and "Another-Secret-9" not in output


def test_wrong_options_fail_as_for_a_module(test_bmc, tmp_path):
    """An option that is not known, and a value that is not valid, are told with the valid ones."""
    bmc = test_bmc()
    tasks = [{"typeone.metal.bmc_power": {"state": "on"}, "ignore_errors": True},
             {"typeone.metal.bmc_power": {"state": "powered_on", "colour": "red"}, "ignore_errors": True}]
    code, output = play(tmp_path, tasks, hosts={"node": variables(bmc, ansible_connection="local")})
    assert code == 0 and "powered_on, powered_off" in output and "colour" in output
    assert bmc.counters.connections == 0
