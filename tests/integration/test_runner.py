# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner's three phases: a play is sent, run by a worker that has the collection, and its events are taken back."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml

RUNNER = str(pathlib.Path(sys.executable).parent / "ansible-runner")


def runner(folder, *arguments, given=b""):
    """Run ansible-runner and return what it says; tests' own paths stay out of what is sent."""
    done = subprocess.run([RUNNER, *arguments], input=given, capture_output=True, timeout=120, check=False, cwd=folder,
                          env=dict(os.environ, PATH=os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_transmit_worker_process(test_bmc, tmp_path):
    """The worker speaks to the BMC and logs out; the result is there after the last phase, and no secret in its artifacts."""
    bmc = test_bmc()
    sent, taken, work = (tmp_path / name for name in ("sent", "taken", "work"))
    for folder in (sent / "project", sent / "inventory", taken, work):
        folder.mkdir(parents=True)
    (sent / "inventory" / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"node": {
        "bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path}}}}))
    (sent / "project" / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [
        {"name": "Power on", "typeone.metal.bmc_power": {"state": "powered_on"}}]}]))
    stream = runner(tmp_path, "transmit", str(sent), "-p", "play.yml", "--ident", "one")
    assert bmc.counters.connections == 0
    events = runner(tmp_path, "worker", "--private-data-dir", str(work), given=stream)
    assert bmc.power.state(bmc.system) == "On" and bmc.counters.logins == 1 and not bmc.sessions.open()
    runner(tmp_path, "process", str(taken), "--ident", "one", given=events)
    artifacts = taken / "artifacts" / "one"
    assert (artifacts / "rc").read_text() == "0" and (artifacts / "status").read_text() == "successful"
    results = [event["event_data"]["res"] for event in map(lambda path: json.loads(path.read_text()), (artifacts / "job_events").iterdir())
               if event["event"] == "runner_on_ok"]
    assert len(results) == 1 and results[0]["changed"] and results[0]["verified"] and results[0]["power"]["state"] == "on"
    assert bmc.password.encode() not in events and bmc.counters.effective_writes()
