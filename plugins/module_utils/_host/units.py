# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units, drop-ins and scripts that a module owns, written as one and taken up by systemd where it runs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet, below, keep_folder, remove
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

UNITS = "/etc/systemd/system"
LIBEXEC = "/usr/local/libexec/typeone"


def escape_path(path: str) -> str:
    """A path as systemd writes it in unit names (systemd.unit(5), "String escaping")."""
    text = re.sub(r"/+", "/", path).strip("/")
    if not text:
        return "-"
    escaped = "".join(
        (
            "-"
            if char == "/"
            else char if re.match(r"[A-Za-z0-9:_.]", char) else "".join(f"\\x{b:02x}" for b in char.encode())
        )
        for char in text
    )
    return f"\\x2e{escaped[1:]}" if escaped.startswith(".") else escaped


@dataclass
class Units:
    """What a module wants of systemd. `start` are units that must run, and start again once something changed."""

    root: str
    programs: Programs
    files: FileSet = field(init=False)
    links: dict[str, str | None] = field(default_factory=dict)
    start: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    mounts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = FileSet(self.root)

    @property
    def running(self) -> bool:
        """True where systemd is PID 1 of the system below the root (sd_booted(3))."""
        return self.root == "/" and os.path.isdir("/run/systemd/system")

    def unit(self, name: str, text: str | None, *, wanted_by: str, start: bool = True) -> None:
        """A unit that is enabled and, unless it is left to the boot (`start`), runs; None takes it away."""
        self.files.want(f"{UNITS}/{name}", text)
        self.links[f"{UNITS}/{wanted_by}.wants/{name}"] = None if text is None else f"{UNITS}/{name}"
        if text is None:
            self.stop.append(name)
        elif start:
            self.start.append(name)

    def mount(self, path: str, text: str | None, *, wanted_by: str) -> None:
        """A mount unit at a folder. Where it becomes another one or goes away, the folder must not be in use."""
        name = f"{escape_path(path)}.mount"
        self.unit(name, text, wanted_by=wanted_by)
        self.mounts[name] = path

    def _active(self, name: str) -> bool:
        return self.running and not self.programs.run(["systemctl", "is-active", "--quiet", name], check=False).rc

    def _idle(self) -> list[str]:
        """Units that should run and do not: an earlier start failed, or somebody stopped them."""
        return [name for name in self.start if self.running and not self._active(name)]

    def _broken_links(self) -> list[str]:
        found = []
        for path, target in self.links.items():
            real = below(self.root, path)
            current = os.readlink(real) if os.path.islink(real) else None
            if current != target:
                found.append(path)
        return found

    def changed(self) -> bool:
        """Whether files, links or what runs differ from what is wanted."""
        return bool(self.files.changed() or self._broken_links() or self._idle())

    def diff(self) -> list[dict[str, str]]:
        """Files before and after, and units that will be started, in Ansible's shape."""
        written = set(self.files.changed())
        idle = [name for name in self._idle() if f"{UNITS}/{name}" not in written]
        return self.files.diff() + [
            {"before_header": name, "after_header": name, "before": "inactive\n", "after": "active\n"} for name in idle
        ]

    def apply(self) -> list[str]:
        """Write what differs and have systemd take it up; returns the changed paths. Raises HostError.

        Nothing is written where a mount that changes is in use.
        """
        self._unmount()
        names = [name for name in self.stop if name not in self.mounts] if self.changed() else []
        for name in names if self.running else ():
            self.programs.run(["systemctl", "stop", name], check=False)
        changed = self.files.write()
        for path in self._broken_links():
            self._link(path)
            changed.append(path)
        if changed and self.running:
            self.programs.run(["systemctl", "daemon-reload"])
        for name in self.start if changed and self.running else self._idle():
            # A mount that is in use cannot be restarted, and one that is there need not be.
            verb = "restart" if name.endswith(".service") else "start"
            self.programs.run(["systemctl", verb, name])
        return changed

    def _unmount(self) -> None:
        """Mounts whose unit changes: systemd would give a folder its new options at its next mount only.

        All of them or none. Raises HostError.
        """
        written, done = set(self.files.changed()), []
        for name, path in self.mounts.items():
            if f"{UNITS}/{name}" not in written or not self._active(name):
                continue
            # Not by systemd, which would stop the services that require the mount.
            if not self.programs.run(["umount", path], check=False).rc:
                done.append(name)
                continue
            for earlier in done:
                self.programs.run(["systemctl", "start", earlier])
            raise HostError(
                f"Cannot unmount {path} of this host, which is to be mounted otherwise or not any more: it is in use. "
                f"Nothing was changed. End what has files there (fuser --mount {path} tells it), and run again."
            )

    def _link(self, path: str) -> None:
        real, target = below(self.root, path), self.links[path]
        remove(real)
        if target is None:
            return
        try:
            os.makedirs(os.path.dirname(real), exist_ok=True)
            os.symlink(target, real)
            keep_folder(os.path.dirname(real))
        except OSError as error:
            raise HostError(f"Cannot write {path} on this host: {error.strerror}. Check the file system.") from error
