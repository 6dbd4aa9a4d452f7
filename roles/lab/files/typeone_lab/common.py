# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What every part of the lab's program shares: the description of the lab, its errors, and how programs are run."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import subprocess
import time
import typing as t

MARKER = "TYPEONE_LAB"
PART = "TYPEONE_LAB_PART"
STAMP = "TYPEONE_LAB_STAMP"


class LabError(Exception):
    """Something the lab cannot do, in words for its user."""


@dataclasses.dataclass
class Lab:
    """One lab: where it lives, what it consists of, and what was changed so far."""

    name: str
    dir: pathlib.Path
    cache: pathlib.Path
    run: pathlib.Path
    netns: str
    spec: dict[str, t.Any]
    check: bool = False
    actions: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def from_spec(cls, spec: dict[str, t.Any], *, check: bool = False) -> Lab:
        """Build the description from what the plan printed."""
        return cls(
            name=spec["name"],
            dir=pathlib.Path(spec["dir"]),
            cache=pathlib.Path(spec["cache_dir"]),
            run=pathlib.Path(spec["run_dir"]),
            netns=spec["netns"],
            spec=spec,
            check=check,
        )

    @property
    def netns_path(self) -> pathlib.Path:
        """The file that stands for the network namespace."""
        return pathlib.Path("/run/netns") / self.netns

    @property
    def enter(self) -> list[str]:
        """The words before a command that runs inside the lab's network."""
        return ["nsenter", f"--net={self.netns_path}", "--"]

    def change(self, what: str) -> bool:
        """Note a change; false in check mode, where it must not be made."""
        self.actions.append(what)
        return not self.check

    def environment(self, part: str, stamp: str = "") -> dict[str, str]:
        """The environment of a program of the lab: small, and marked, so that lab_down finds it without a pid file."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            MARKER: self.name,
            PART: part,
            STAMP: stamp,
        }


def run(command: t.Sequence[str], *, env: dict[str, str] | None = None, stdin: str | None = None) -> str:
    """Run a program to its end and return what it printed."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=env, input=stdin, capture_output=True, text=True, check=False)
    except OSError as exc:
        raise LabError(f"Cannot run {words[0]}: {exc.strerror}.") from exc
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise LabError(f"Cannot run '{' '.join(words)[:300]}' (exit status {done.returncode}): {said}")
    return done.stdout


def tail(path: pathlib.Path, lines: int = 8) -> str:
    """The last lines of a text file, for an error message."""
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""


def write(path: pathlib.Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Write a file so that it is there whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as handle:
        handle.write(data)
    os.replace(partial, path)


@contextlib.contextmanager
def exclusive(path: pathlib.Path, *, wait: bool = True) -> t.Iterator[bool]:
    """Hold a lock file: labs may share one cache. The kernel lets go of it when the holder dies. Yields: is it held?"""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as handle:
        held = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            held = False
        yield held


def wait_until(ready: t.Callable[[], bool], *, seconds: float, every: float = 0.1) -> bool:
    """Ask again until it is so or the time is up (seconds, on the monotonic clock)."""
    deadline = time.monotonic() + seconds
    while True:
        if ready():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
