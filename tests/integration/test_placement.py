# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter place_nodes and the test match_nodes by their names, over what an inspection has read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource


def test_nodes_are_chosen_from_an_inspection(test_bmc, tmp_path):
    """The one that is reserved, and those that are too small, are told with the reason; a query looks into the inspection."""
    bmc = test_bmc()
    hardware = run(HardwareResource, bmc)["hardware"]
    small = {**hardware, "system": {**hardware["system"], "memory_bytes": 1024 ** 3}}
    nodes = [{"name": "a", "rack": "r1", "hardware": hardware}, {"name": "b", "rack": "r1", "hardware": hardware},
             {"name": "c", "rack": "r2", "hardware": hardware}, {"name": "small", "rack": "r3", "hardware": small},
             {"name": "taken", "rack": "r4", "hardware": hardware, "reserved_for": "others"}]
    request = {"count": 2, "min_memory_gib": 2, "spread_by": "rack", "queries": [
        "length(hardware.disks) > `0`", "starts_with(name, 'b') || starts_with(name, 'a') || rack == 'r2'"]}
    tasks = [{"ansible.builtin.copy": {"content": "{{ nodes | typeone.metal.place_nodes(request) | to_json }}",
                                       "dest": str(tmp_path / "placed.json"), "mode": "0600"}},
             {"ansible.builtin.assert": {"that": [
                 "nodes[0] is typeone.metal.match_nodes(request)", "nodes[3] is not typeone.metal.match_nodes(request)",
                 "nodes is typeone.metal.match_nodes(request)"]}}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks,
                                                        "vars": {"nodes": nodes, "request": request}}]))
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(tmp_path / "play.yml")], capture_output=True, text=True,
                          timeout=120, check=False, stdin=subprocess.DEVNULL, env=dict(os.environ, ANSIBLE_NOCOLOR="1"))
    assert done.returncode == 0, done.stdout + done.stderr
    placed = json.loads((tmp_path / "placed.json").read_text())
    assert placed["satisfied"] and placed["chosen"] == ["a", "c"], placed
    assert "GiB" in str(placed["rejected"]["small"]) and "reserved" in str(placed["rejected"]["taken"]), placed
