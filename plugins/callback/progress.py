# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback: say what a play waits for when it has been silent for a while."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Say what a play waits for when it has been silent for a while
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Deployments have long tasks. Where nothing has come to the terminal for some seconds, this plugin tells which task
    runs, for how long, and on which hosts.
  - Tasks that tell their progress themselves are left alone.
requirements:
  - It is enabled by C(ANSIBLE_CALLBACKS_ENABLED=typeone.metal.progress) or by V(callbacks_enabled) in the configuration.
options:
  silence:
    description: After how many seconds of silence it speaks.
    type: float
    default: 20
    env:
      - name: TYPEONE_PROGRESS_SILENCE
    ini:
      - section: callback_typeone_progress
        key: silence
"""

import threading
import time
import typing as t

from ansible.plugins.callback import CallbackBase

SPEAK_THEMSELVES = ("typeone.metal.node_boot_info", "typeone.metal.os_install", "typeone.metal.bmc_power",
                    "typeone.metal.bmc_firmware")


class CallbackModule(CallbackBase):
    """Watches from a thread of its own: the strategy waits for results in the meantime."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "typeone.metal.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._running: dict[str, tuple[str, float]] = {}
        self._heard = time.monotonic()

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, daemon=True).start()

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Watch no more."""
        self._ended.set()

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """A headline was shown."""
        self._heard = time.monotonic()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """A host has begun with a task."""
        with self._lock:
            if (task.resolved_action or task.action) not in SPEAK_THEMSELVES:
                self._running[host.get_name()] = (task.get_name(), time.monotonic())

    def _done(self, result: t.Any) -> None:
        with self._lock:
            self._running.pop(result._host.get_name(), None)  # pylint: disable=protected-access
            self._heard = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A host is done with a task."""
        self._done(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A host has failed."""
        self._done(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A host has skipped a task."""
        self._done(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host is not reachable."""
        self._done(result)

    def _watch(self) -> None:
        silence = float(self.get_option("silence"))
        while not self._ended.wait(1.0):
            with self._lock:
                text = self._text() if time.monotonic() - self._heard >= silence else ""
                if text:
                    self._heard = time.monotonic()
            if text:
                self._display.display(text)

    def _text(self) -> str:
        """What the hosts are at: those of one task together."""
        tasks: dict[str, list[str]] = {}
        for name, (task, start) in self._running.items():
            tasks.setdefault(task, []).append(f"{name} for {time.monotonic() - start:.0f} s")
        return "\n".join(f"  still at '{task.split(' : ')[-1]}': {', '.join(names)}" for task, names in tasks.items())
