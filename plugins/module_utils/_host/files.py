# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading small files of /sys and /proc, and writing configuration so that a crash leaves the old or the new file."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field

from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError


def below(root: str, path: str) -> str:
    """A path of the system whose root folder is `root`."""
    return path if root in ("", "/") else root.rstrip("/") + path


def read_text(path: str, default: str | None = None) -> str | None:
    """A file's text without surrounding blanks; `default` where it cannot be read (sysfs says EINVAL for "unknown")."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except (OSError, ValueError):
        return default


def read_int(path: str, default: int | None = None) -> int | None:
    """A number in a file (decimal, or 0x...); `default` where there is none."""
    text = read_text(path)
    try:
        return int(text, 0) if text else default
    except ValueError:
        return default


def entries(path: str) -> list[str]:
    """Names in a folder, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def link_name(path: str) -> str | None:
    """Last part of what a symbolic link points at (how sysfs names drivers, groups and buses)."""
    try:
        return os.path.basename(os.readlink(path))
    except OSError:
        return None


def keep_folder(path: str) -> None:
    """Have what a folder lists outlive a power cut (fsync(2), of the folder too). Unlike sync(2) it waits for no other file system."""
    with suppress(OSError):  # some file systems cannot
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomic(path: str, text: str, *, mode: int = 0o644) -> None:
    """Replace a file in one step, so that it outlives a power cut; missing folders are made. Raises HostError."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".typeone-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        keep_folder(folder)
    except OSError as error:
        raise HostError(f"Cannot write {path} on this host: {error.strerror}. Check the file system.") from error


def remove(path: str) -> None:
    """Remove a file; one that is not there is fine. Raises HostError."""
    try:
        os.unlink(path)
        keep_folder(os.path.dirname(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostError(f"Cannot remove {path} on this host: {error.strerror}. Check the file system.") from error


@dataclass
class FileSet:
    """Files that a module owns: path -> (text or None for absent, mode). Compares, shows and writes them as one."""

    root: str = "/"
    wanted: dict[str, tuple[str | None, int]] = field(default_factory=dict)

    def want(self, path: str, text: str | None, *, mode: int = 0o644) -> None:
        """Declare a file; None means that it must not exist."""
        self.wanted[path] = (text, mode)

    def _current(self, path: str) -> str | None:
        try:
            with open(below(self.root, path), encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except OSError:
            return None

    def changed(self) -> list[str]:
        """Paths whose text or permissions differ from what is wanted."""
        different = []
        for path, (text, mode) in self.wanted.items():
            if self._current(path) != text:
                different.append(path)
            elif text is not None and os.stat(below(self.root, path)).st_mode & 0o7777 != mode:
                different.append(path)
        return different

    def diff(self) -> list[dict[str, str]]:
        """Before and after of each file that changes, in Ansible's shape."""
        return [
            {
                "before_header": path,
                "after_header": path,
                "before": self._current(path) or "",
                "after": self.wanted[path][0] or "",
            }
            for path in self.changed()
        ]

    def undo(self) -> FileSet:
        """The set that puts back what is there now."""
        back = FileSet(self.root)
        for path in self.wanted:
            text = self._current(path)
            mode = 0o644 if text is None else os.stat(below(self.root, path)).st_mode & 0o7777
            back.want(path, text, mode=mode)
        return back

    def write(self) -> list[str]:
        """Write what differs; returns those paths."""
        different = self.changed()
        for path in different:
            text, mode = self.wanted[path]
            if text is None:
                remove(below(self.root, path))
            else:
                write_atomic(below(self.root, path), text, mode=mode)
        return different
