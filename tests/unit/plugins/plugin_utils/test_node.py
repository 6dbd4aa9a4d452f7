# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's probe, its connection and its console tell."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
import typing as t

import pytest

from ansible_collections.typeone.metal.plugins.plugin_utils import _node

INSTALLED = "\r\n".join([
    "boot_id=b1", "uptime=12.5", "kernel=6.1.0", "cmdline=root=UUID=1 quiet", "uuid=ABC-1", "number=SN 1", "hypervisor=xen", "root_kind=ext4",
    'root_device=/dev/sda3', 'stamp={"node": "node1", "image_key": "k=1"}', "disk=sda", "serial= S1 ", "booted=running"])


class Action:
    """An action that runs commands on this machine and keeps what was displayed."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._display = self

    def display(self, text: str) -> None:
        self.shown.append(text)

    def _low_level_execute_command(self, script: str, sudoable: bool) -> dict[str, t.Any]:
        done = subprocess.run(["sh", "-c", script + " && sleep 0"], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def test_an_installed_system_is_known_by_its_stamp() -> None:
    seen = _node.parse_probe(INSTALLED)
    assert (seen["kind"], seen["boot_id"], seen["hypervisor"]) == ("installed", "b1", "xen")
    assert seen["stamp"] == {"node": "node1", "image_key": "k=1"} and seen["command_line"] == "root=UUID=1 quiet"
    assert (seen["disk"], seen["disk_serial"], seen["state"]) == ("sda", "S1", "running")
    assert seen["machine"] == {"uuid": "abc-1", "serial_number": "SN 1"}


@pytest.mark.parametrize("output, kind", [("root_kind=rootfs", "ramdisk"), ("root_kind=ext4", "foreign"), ("root_kind=ext4\nstamp={", "foreign")])
def test_other_systems(output: str, kind: str) -> None:
    assert _node.parse_probe(output)["kind"] == kind


def test_the_probe_is_a_script_that_runs_anywhere() -> None:
    """With what Ansible appends to it, under sh; this machine is no node of ours."""
    told = _node.parse_probe(_node.NodeShell(Action(), label="node1", console=None).run(_node.PROBE))
    assert told["boot_id"] == pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert told["kernel"] and told["kind"] in ("foreign", "ramdisk")


@pytest.mark.parametrize("text, short", [
    ("Failed to connect to the host via ssh: ssh: connect to host 192.0.2.11 port 22: No route to host", "No route to host"),
    ("debug1: a\nConnection timed out during banner exchange.", "Connection timed out during banner exchange"),
    ("", "no answer"),
])
def test_a_complaint_is_cut_to_its_cause(text: str, short: str) -> None:
    assert _node.reason(Exception(text)) == short


def test_the_console_is_shown_as_a_terminal_would(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"\x1b[2J\x1b[=3h\x1b[01;01Hfirst\r\n10 %\r50 %\r\nlast\x00\r\n\r\n")
    assert _node.NodeShell(Action(), label="n", console=str(log)).console_tail() == ["first", "50 %", "last"]
    assert _node.NodeShell(Action(), label="n", console=str(tmp_path / "none")).console_tail() == []


def test_a_block_that_hangs_is_talked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_node, "SAY_EVERY", 0.0)
    action = Action()
    with _node.NodeShell(action, label="node1", console=None).talking(lambda: "waiting"):
        deadline = time.monotonic() + 10
        while not action.shown and time.monotonic() < deadline:
            time.sleep(0.02)
    assert action.shown[0] == "  [node1] waiting"


def test_a_play_that_was_killed_does_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = _node.NodeShell(Action(), label="node1", console=None)
    monkeypatch.setattr(_node.os, "getppid", lambda: 1)
    shell._parent = 2
    with pytest.raises(SystemExit):
        shell.run("true")


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(_node.AnsibleError, match="exit status 3: it broke"):
        _node.NodeShell(Action(), label="node1", console=None).run("echo it broke >&2; exit 3")
    assert json.loads(_node.NodeShell(Action(), label="node1", console=None).run("echo '{}'")) == {}
