# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of node_boot_info: wait on the controller, look at the node in one round trip."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.typeone.metal.plugins.plugin_utils._node import (
    PROBE,
    WRONG_KEY,
    NodeShell,
    parse_probe,
    reason,
)

POLL_SECONDS = 2.0
WRONG_KEY_LIMIT = 5
"""So many answers with another host key are no accident of a system that is just going down."""


class ActionModule(ActionBase):
    """Look at what a node has booted, now or as soon as it is what is expected."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec={
            "expect": {"type": "str", "choices": ["any", "ramdisk", "installed"], "default": "any"},
            "not_boot_id": {"type": "str"},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "float", "default": 900.0},
            "console_log": {"type": "path"},
        })
        label = (task_vars or {}).get("inventory_hostname", "node")
        shell = NodeShell(self, label=label, console=options["console_log"])
        result.update(changed=False, **_Wait(shell, options).run())
        return result


class _Wait:
    """One wait for one node."""

    def __init__(self, shell: NodeShell, options: dict[str, t.Any]) -> None:
        self.shell = shell
        self.options = options
        self.start = time.monotonic()
        self.wrong_keys = 0
        self.last = "no answer yet"

    @property
    def passed(self) -> float:
        """Seconds since the wait began."""
        return time.monotonic() - self.start

    def run(self) -> dict[str, t.Any]:
        """Look until it is as expected or the time is up."""
        if not self.options["wait"]:
            return {"node_boot": self._look() or {"reached": False, "kind": "unreachable", "cause": self.last}}
        with self.shell.talking(self._progress):
            return self._wait()

    def _wait(self) -> dict[str, t.Any]:
        while True:
            seen = self._look()
            if seen and self._fits(seen):
                return {"node_boot": seen, "seconds": round(self.passed, 1)}
            if self.wrong_keys >= WRONG_KEY_LIMIT:
                return self._failure("another system answers there, its host key is not the pinned one",
                                     "Check that no other machine uses the address and that the node booted from its network.")
            if self.passed > self.options["wait_timeout"]:
                return self._failure(f"it did not come up within {self.options['wait_timeout']:.0f} s ({self.last})",
                                     "Look at the console, the boot order, the boot MAC address and the DHCP log of the provisioner.")
            time.sleep(POLL_SECONDS)

    def _look(self) -> dict[str, t.Any] | None:
        try:
            seen = parse_probe(self.shell.run(PROBE))
        except AnsibleConnectionFailure as error:
            self.last = reason(error)
            self.wrong_keys = self.wrong_keys + 1 if WRONG_KEY.search(str(error)) else 0
            self.shell.reset()
            return None
        except AnsibleError as error:
            self.last = reason(error)
            self.shell.reset()
            return None
        self.wrong_keys = 0
        return seen

    def _fits(self, seen: dict[str, t.Any]) -> bool:
        if self.options["not_boot_id"] and seen["boot_id"] == self.options["not_boot_id"]:
            self.last = "the boot of before is still up"
        elif self.options["expect"] in ("any", seen["kind"]):
            return True
        else:
            self.last = f"a system of kind '{seen['kind']}' answers"
        self.shell.reset()
        return False

    @property
    def _awaited(self) -> str:
        return {"ramdisk": "ramdisk", "installed": "installed system"}.get(self.options["expect"], "node")

    def _progress(self) -> str:
        limit = self.options["wait_timeout"]
        return f"waiting for the {self._awaited}, {self.passed:.0f} of at most {limit:.0f} s ({self.last}{self.shell.console_hint()})"

    def _failure(self, cause: str, remedy: str) -> dict[str, t.Any]:
        tail = self.shell.console_tail()
        shown = "\nThe console's last lines:\n  " + "\n  ".join(tail) if tail else ""
        return {
            "failed": True,
            "msg": f"Cannot reach the {self._awaited} of {self.shell.label} via ssh: {cause}. {remedy}{shown}",
            "error": {"kind": "timeout", "waited_for": self._awaited},
            "console": tail,
        }
