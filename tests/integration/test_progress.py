# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play that waits says what for."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import yaml


def test_a_long_task_is_named_while_it_runs(tmp_path):
    """With the hosts that are still at it; the hosts that are done are not named."""
    book = tmp_path / "play.yml"
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [
        {"name": "Work long", "ansible.builtin.command": "sleep {{ 3 if inventory_hostname == 'slow' else 0 }}"}]}]))
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "quick,slow,", "-c", "local",
         "-e", f"ansible_python_interpreter={sys.executable}", str(book)],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_CALLBACKS_ENABLED="typeone.metal.progress", TYPEONE_PROGRESS_SILENCE="0.2"))
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if "still at 'Work long'" in line]
    assert said and "slow for" in said[-1] and "quick" not in said[-1], done.stdout
