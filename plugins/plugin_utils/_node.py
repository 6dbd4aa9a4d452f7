# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a node that boots: short commands over the task's own connection, with patience and with words."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import threading
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

SAY_EVERY = 15.0
"""Seconds of silence after which a person is told what is waited for."""
WRONG_KEY = re.compile(r"host key verification failed|identification has changed", re.IGNORECASE)
CONNECTING = re.compile(r"^(Failed to connect to the host via ssh: )?(ssh: connect to host \S+ port \d+: )?")
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>c78])")

# One round trip, few processes: each costs a tenth of a second on an emulated machine.
PROBE = r"""
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id)"
echo "uptime=$(cut -d' ' -f1 /proc/uptime)"
echo "kernel=$(uname -r)"
echo "cmdline=$(cat /proc/cmdline)"
echo "uuid=$(cat /sys/class/dmi/id/product_uuid 2>/dev/null)"
echo "number=$(cat /sys/class/dmi/id/product_serial 2>/dev/null)"
echo "hypervisor=$(cat /sys/hypervisor/type 2>/dev/null)"
while read -r dev place kind rest; do
  if [ "$place" = / ]; then root_kind=$kind; root_device=$dev; fi
done < /proc/mounts
echo "root_kind=$root_kind"
echo "root_device=$root_device"
if [ -f /etc/typeone/deployed.json ]; then echo "stamp=$(cat /etc/typeone/deployed.json)"; fi
if [ -b "$root_device" ]; then
  echo "disk=$(lsblk -ndo PKNAME "$root_device" 2>/dev/null)"
  echo "serial=$(lsblk -sndo SERIAL "$root_device" 2>/dev/null | tr -s ' \n' ' ')"
  echo "booted=$(systemctl is-system-running 2>/dev/null)"
fi
"""


class NodeShell:
    """Runs commands on the node by the action's connection; says what it waits for, at most once in SAY_EVERY."""

    def __init__(self, action: ActionBase, *, label: str, console: str | None) -> None:
        self.action = action
        self.label = label
        self.console = pathlib.Path(console) if console else None
        self._said = time.monotonic()
        self._parent = os.getppid()

    def run(self, script: str) -> str:
        """The output of a shell script. Raises AnsibleConnectionFailure, or AnsibleError where it fails.

        Does no more for a play that was killed: the next one may be at work on the node already.
        """
        if os.getppid() != self._parent:
            raise SystemExit("the play has ended")
        # What Ansible appends to a command begins with "&&": no line break may stand before it.
        done = self.action._low_level_execute_command(script.strip(), sudoable=True)  # pylint: disable=protected-access
        if done["rc"]:
            if done["rc"] == 255:
                raise AnsibleConnectionFailure(done["stderr"].strip() or "the connection was lost")
            raise AnsibleError(f"exit status {done['rc']}: {(done['stderr'] or done['stdout']).strip()[-400:]}")
        return done["stdout"]

    def reset(self) -> None:
        """Forget the connection: what was at the other end may be gone without a word."""
        try:
            self.action._connection.reset()  # pylint: disable=protected-access
        except AnsibleError:
            pass

    def say(self, text: str) -> None:
        """Tell the person at the terminal, now."""
        self._said = time.monotonic()
        self.action._display.display(f"  [{self.label}] {text}")  # pylint: disable=protected-access

    @contextlib.contextmanager
    def talking(self, text: t.Callable[[], str]) -> t.Iterator[None]:
        """Tell it whenever nothing was told for SAY_EVERY, as long as the block runs: what is in it may hang."""
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(1.0):
                if time.monotonic() - self._said >= SAY_EVERY:
                    self.say(text())

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def console_tail(self, lines: int = 12) -> list[str]:
        """The console's last lines, as a terminal would show them; none where no log is known."""
        if not self.console or not self.console.is_file():
            return []
        with self.console.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 16384))
            text = ESCAPES.sub("", stream.read().decode(errors="replace")).replace("\x00", "")
        shown = [line.split("\r")[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
        return [line for line in shown if line.strip()][-lines:]

    def console_hint(self) -> str:
        """The console's last line, for a progress message."""
        tail = self.console_tail(1)
        return f"; console: {tail[-1].strip()[:100]}" if tail else ""


def parse_probe(output: str) -> dict[str, t.Any]:
    """What PROBE told, as plain data; C(kind) is ramdisk, installed or foreign."""
    told = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    try:
        stamp = json.loads(told.get("stamp") or "null")
    except ValueError:
        stamp = None
    if told.get("root_kind") in ("rootfs", "tmpfs", "ramfs"):
        kind = "ramdisk"
    else:
        kind = "installed" if stamp else "foreign"
    return {
        "reached": True,
        "kind": kind,
        "boot_id": told.get("boot_id", "").strip(),
        "uptime": float(told.get("uptime") or 0),
        "kernel": told.get("kernel", "").strip(),
        "command_line": told.get("cmdline", "").strip(),
        "hypervisor": told.get("hypervisor", "").strip() or None,
        "machine": {"uuid": told.get("uuid", "").strip().lower() or None, "serial_number": told.get("number", "").strip() or None},
        "disk": told.get("disk", "").strip() or None,
        "disk_serial": (told.get("serial") or "").strip() or None,
        "state": told.get("booted", "").strip() or None,
        "stamp": stamp,
    }


def reason(error: Exception) -> str:
    """The last line of a connection's complaint, without what is known anyway: who asked, how and where."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return CONNECTING.sub("", lines[-1] if lines else "no answer").rstrip(".")
