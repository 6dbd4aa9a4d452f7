# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of os_install: the module runs in the background of the node, its progress is told on the terminal."""

from __future__ import annotations

import json
import shlex
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.typeone.metal.plugins.module_utils._host.install_options import OS_INSTALL_SPEC
from ansible_collections.typeone.metal.plugins.plugin_utils._node import NodeShell, reason

MODULE = "typeone.metal.os_install"
POLL_SECONDS = 2.0
TELL_SECONDS = 8.0
LOST_SECONDS = 90.0
"""A node that does not answer for so long while it installs is given up."""
PROGRESS_FILE = "/run/typeone/install.json"
SWITCH_FILE = "/run/typeone/switch-root"
SEPARATOR = "--typeone--"


class ActionModule(ActionBase):
    """Run the module in the background, follow it, and have the ramdisk hand over when it is done."""

    _requires_connection = True
    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OS_INSTALL_SPEC)
        shell = NodeShell(self, label=(task_vars or {}).get("inventory_hostname", "node"), console=None)
        if self._task.check_mode:
            result.update(self._execute_module(module_name=MODULE, module_args=self._task.args, task_vars=task_vars))
            return result
        follower = _Follower(shell)
        with shell.talking(follower.still):
            results_file = self._start(task_vars, limit=options["timeout"])
            result.update(self._follow(follower, results_file, limit=options["timeout"]))
        if result.get("failed"):
            return result
        result["switched"] = options["switch_root"] and result["install"]["switch_possible"]
        if result["switched"]:
            shell.say("the root is switched into the installed system")
            shell.run(f"echo {shlex.quote(options['mount_point'])} > {SWITCH_FILE}.new && mv {SWITCH_FILE}.new {SWITCH_FILE}")
            shell.reset()
        return result

    def _start(self, task_vars: dict[str, t.Any] | None, *, limit: int) -> str:
        """Start the module as a background job; returns the file that its result will be in.

        It is given the task's own arguments: in validated ones what was not set is null, which it would refuse.
        """
        self._task.async_val = limit
        try:
            job = self._execute_module(module_name=MODULE, module_args=self._task.args, task_vars=task_vars, wrap_async=True)
        finally:
            self._task.async_val = 0
        if job.get("failed") or "results_file" not in job:
            raise AnsibleError(f"Cannot start the installation: {job.get('msg', 'no job was made')}")
        return job["results_file"]

    def _follow(self, follower: _Follower, results_file: str, *, limit: float) -> dict[str, t.Any]:
        """Poll until the job has ended; a connection that breaks for a moment does no harm."""
        shell = follower.shell
        script = f"cat {shlex.quote(results_file)}; echo; echo {SEPARATOR}; cat {PROGRESS_FILE} 2>/dev/null; true"
        start = heard = time.monotonic()
        while time.monotonic() - start < limit + 30:
            try:
                job, progress = shell.run(script).split(SEPARATOR, 1)
                heard = time.monotonic()
            except (AnsibleConnectionFailure, AnsibleError, ValueError) as error:
                if time.monotonic() - heard > LOST_SECONDS:
                    return _failure(f"the node has not answered for {LOST_SECONDS:.0f} s ({reason(error)})")
                shell.reset()
                time.sleep(POLL_SECONDS)
                continue
            done = _json(job)
            if done and ("changed" in done or done.get("failed")):
                return _clean(done)
            follower.tell(_json(progress))
            time.sleep(POLL_SECONDS)
        return _failure(f"the installation did not end within {limit:.0f} s")


class _Follower:
    """Turns the progress file into lines for a person: each step once, a long step again from time to time."""

    def __init__(self, shell: NodeShell) -> None:
        self.shell = shell
        self.step = "starting the installation in the ramdisk"
        self.told = 0.0
        self.start = time.monotonic()

    def still(self) -> str:
        """What it is at although nothing new came from the node."""
        return f"still at {self.step}, {time.monotonic() - self.start:.0f} s after the start"

    def tell(self, progress: dict[str, t.Any] | None) -> None:
        """Tell what is new."""
        if not progress:
            return
        now = time.monotonic()
        if progress["step"] == self.step and now - self.told < TELL_SECONDS:
            return
        self.step, self.told = progress["step"], now
        amount = ""
        if progress.get("total"):
            share = 100 * (progress["done"] or 0) // progress["total"]
            amount = f", {(progress['done'] or 0) >> 20} of {progress['total'] >> 20} MiB ({share} %)"
        self.shell.say(f"{self.step}{amount}")


def _json(text: str) -> dict[str, t.Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _clean(done: dict[str, t.Any]) -> dict[str, t.Any]:
    """The module's result without what the background job added."""
    return {name: value for name, value in done.items()
            if name not in ("ansible_job_id", "started", "finished", "results_file", "invocation", "cmd")}


def _failure(cause: str) -> dict[str, t.Any]:
    return {"failed": True, "msg": f"Cannot install the node via ssh: {cause}. Look at its console, then deploy again.",
            "error": {"kind": "timeout"}}
