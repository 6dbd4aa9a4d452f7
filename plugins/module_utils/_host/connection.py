# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection by which the running task came to this host."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._host.files import read_text


def _environment(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            pairs = (entry.partition(b"=") for entry in stream.read().split(b"\0"))
            return {key.decode(errors="replace"): value.decode(errors="replace") for key, _sign, value in pairs}
    except OSError:
        return {}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc(5))."""
    return (read_text(f"/proc/{pid}/stat", "") or "").rpartition(")")[2].split()


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


@dataclass(frozen=True)
class Connection:
    """A connection of SSH: its endpoints ("client port server port"), and the daemon's process that serves it.

    The process is the connection's own, however many sessions share the connection, and however the user was changed
    since: its start is when the connection began.
    """

    endpoints: str = ""
    pid: int = 0

    @classmethod
    def current(cls) -> Connection:
        """Look for it up the processes: what became another user (sudo) has lost the variable."""
        found, pid = cls(), os.getpid()
        while pid > 1:
            endpoints = _environment(pid).get("SSH_CONNECTION", "")
            parent = _parent(pid)
            if endpoints and endpoints == (found.endpoints or endpoints):
                found = cls(endpoints, parent)
            elif found.endpoints:
                break
            pid = parent
        return found

    @property
    def client(self) -> str | None:
        """The address of the controller."""
        return self.endpoints.split()[0] if self.endpoints else None

    @property
    def server(self) -> str | None:
        """The address of this host to which the controller came."""
        parts = self.endpoints.split()
        return parts[2] if len(parts) == 4 else None

    def began(self) -> float:
        """When the connection began, in seconds since the host started; 0 where that is unknown."""
        fields = _stat(self.pid)
        return int(fields[19]) / os.sysconf("SC_CLK_TCK") if len(fields) > 19 else 0.0
