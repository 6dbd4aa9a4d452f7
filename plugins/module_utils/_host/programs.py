# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one home for how modules run programs on a server, and for what they say when a program is missing or fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

SEARCH_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")
"""Folders with administrators' programs; PATH of a login without them is common (Debian's su, cron)."""

# Said in the remedy of a missing program: program -> package on Debian and Ubuntu (None: none), package on the Red Hat family.
PACKAGES: dict[str, tuple[str | None, str]] = {
    "chroot": ("coreutils", "coreutils"),
    "grub-mkconfig": ("grub-common", "grub2-tools"),
    "update-grub": ("grub2-common", "grub2-tools"),
    "grubby": ("grubby", "grubby"),
    "iscsiadm": ("open-iscsi", "iscsi-initiator-utils"),
    "modprobe": ("kmod", "kmod"),
    "multipath": ("multipath-tools", "device-mapper-multipath"),
    "netplan": ("netplan.io", "netplan"),
    "nmcli": ("network-manager", "NetworkManager"),
    "nmstatectl": (None, "nmstate"),
    "nvme": ("nvme-cli", "nvme-cli"),
    "ovs-vsctl": ("openvswitch-switch", "openvswitch"),
    "systemctl": ("systemd", "systemd"),
    "targetcli": ("targetcli-fb", "targetcli"),
    "virsh": ("libvirt-clients", "libvirt-client"),
    "xl": ("xen-utils", "xen-runtime"),
}


class HostError(Exception):
    """Something on the server could not be done; the text is fit for the user."""


class MissingProgram(HostError):
    """A program that is needed is not installed."""


class ProgramFailed(HostError):
    """A program ended with another status than zero, or not in time; `outcome` is what it left (None on a timeout)."""

    def __init__(self, message: str, outcome: Outcome | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True)
class Outcome:
    """How a program ended, with its text decoded as UTF-8 (what is not is replaced)."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The last lines that say why it failed."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or f"exit status {self.rc}"


class Programs:
    """Runs programs of the system below `root` (chroot where that is not the running system)."""

    def __init__(self, *, root: str = "/", timeout: float = 300.0) -> None:
        self.root = root.rstrip("/") or "/"
        self.timeout = timeout

    def find(self, name: str) -> str | None:
        """Path of a program as seen inside the root, or None."""
        if os.path.isabs(name):
            return name if self._runnable(name) else None
        folders = SEARCH_PATH
        if self.root == "/":
            folders = tuple(os.environ.get("PATH", "").split(os.pathsep)) + SEARCH_PATH
        return next((path for folder in folders if folder and self._runnable(path := os.path.join(folder, name))), None)

    def _runnable(self, path: str) -> bool:
        return shutil.which(path if self.root == "/" else self.root + path) is not None

    def need(self, name: str) -> str:
        """Path of a program. Raises MissingProgram with the package that has it."""
        path = self.find(name)
        if path:
            return path
        debian, red_hat = PACKAGES.get(os.path.basename(name), (None, None))
        remedy = "Install it."
        if red_hat:
            remedy = f"Install the package {debian} (Red Hat family: {red_hat})." if debian else f"Only the Red Hat family has it: {red_hat}."
        raise MissingProgram(f"Cannot run {name} on this host: the program is not installed. {remedy}")

    def run(
        self,
        argv: list[str],
        *,
        check: bool = True,
        stdin: str | None = None,
        timeout: float | None = None,
        env: dict[str, str] | None = None,
    ) -> Outcome:
        """Run a program to its end, in the C locale.

        `timeout` is in seconds. Raises MissingProgram; ProgramFailed on a timeout, and on a status that is not zero
        unless `check` is off. Secrets belong in `stdin`, never in `argv`: arguments are in every process table.
        """
        command = [self.need(argv[0]), *argv[1:]]
        if self.root != "/":
            command = [Programs().need("chroot"), self.root, *command]
        limit = self.timeout if timeout is None else timeout
        try:
            done = subprocess.run(
                command,
                input=stdin,
                stdin=None if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=limit,
                check=False,
                env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C", **(env or {})},
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(
                f"Cannot finish {argv[0]} on this host: it did not end within {limit:g} s. Run it by hand to see why."
            ) from error
        except OSError as error:
            raise ProgramFailed(f"Cannot start {argv[0]} on this host: {error.strerror}. Check the program.") from error
        outcome = Outcome(argv=tuple(argv), rc=done.returncode, stdout=done.stdout, stderr=done.stderr)
        if check and outcome.rc != 0:
            raise ProgramFailed(
                f"Cannot run {' '.join(argv[:3])} on this host: {outcome.complaint}. Run it by hand to see why.",
                outcome,
            )
        return outcome
