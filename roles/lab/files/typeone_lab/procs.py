# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Start, find and stop the processes of a lab. What runs is read from /proc, never from a pid file that may be stale."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import signal
import subprocess
import typing as t

from common import MARKER, PART, STAMP, Lab, LabError, tail, wait_until

PROC = pathlib.Path("/proc")
CGROUPS = [pathlib.Path("/sys/fs/cgroup", *below) for below in ((), ("systemd",), ("unified",))]


@dataclasses.dataclass(frozen=True)
class Process:
    """A process that carries the lab's marker."""

    pid: int
    leader: bool
    part: str
    stamp: str


def _stat(pid: int | str) -> list[str]:
    """The fields of /proc/PID/stat from the state on (state, ppid, pgrp, session, ...)."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def alive(pid: int) -> bool:
    """Is there such a process, and is it more than a zombie?"""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def ancestors() -> set[int]:
    """This process and all above it: they are never stopped."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def marked(lab: Lab) -> list[Process]:
    """Every process that was started with the marker of this lab in its environment."""
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            pairs = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        values = dict(pair.decode(errors="replace").partition("=")[::2] for pair in pairs)
        if values.get(MARKER) != lab.name or not alive(int(entry.name)):
            continue
        leader = _stat(entry.name)[3:4] == [entry.name]
        found.append(Process(int(entry.name), leader, values.get(PART, ""), values.get(STAMP, "")))
    return found


def in_namespace(lab: Lab) -> set[int]:
    """Every process inside the network namespace of the lab."""
    try:
        wanted = os.stat(lab.netns_path)
    except OSError:
        return set()
    found = set()
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                theirs = os.stat(entry / "ns" / "net")
                if (theirs.st_dev, theirs.st_ino) == (wanted.st_dev, wanted.st_ino):
                    found.add(int(entry.name))
    return found


def cgroup_folders(lab: Lab) -> list[pathlib.Path]:
    """The control groups that the lab made, deepest first."""
    found = []
    for root in CGROUPS:
        top = root / lab.netns
        if top.is_dir():
            found += sorted((p for p in [top, *top.rglob("*")] if p.is_dir()), key=lambda p: -len(p.parts))
    return found


def in_cgroups(lab: Lab) -> set[int]:
    """Every process in a control group of the lab (the provisioner and all in it)."""
    found = set()
    for folder in cgroup_folders(lab):
        with contextlib.suppress(OSError):
            found |= {int(word) for word in (folder / "cgroup.procs").read_text().split() if word != "0"}
    return found


def stop(pids: t.Iterable[int], *, grace: float = 5.0) -> None:
    """Ask processes to end, and end those that do not within the grace (seconds; 0: at once)."""
    targets = set(pids) - ancestors()
    steps = [(signal.SIGTERM, grace)] if grace else []
    for number, seconds in [*steps, (signal.SIGKILL, 10.0)]:
        for pid in targets:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not any(alive(pid) for pid in targets), seconds=seconds):
            return
    left = sorted(pid for pid in targets if alive(pid))
    raise LabError(f"Cannot stop the processes {left}: they outlived SIGKILL. Look at them with ps.")


def stop_part(lab: Lab, part: str) -> None:
    """Stop one daemon of the lab and what it started."""
    pids = [process.pid for process in marked(lab) if process.part == part]
    if pids and lab.change(f"stop {part}"):
        stop(pids)


@dataclasses.dataclass(frozen=True)
class Daemon:
    """A program that keeps running. stamp_of: files whose change restarts it; ready: is it of use yet?"""

    part: str
    command: list[str]
    ready: t.Callable[[], bool]
    stamp_of: tuple[pathlib.Path, ...] = ()
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 60.0

    def stamp(self) -> str:
        """What this daemon was started with, as a short digest."""
        digest = hashlib.sha256("\0".join([*self.command, *map(str, sorted(self.environment.items()))]).encode())
        for path in self.stamp_of:
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()[:16]


def running(lab: Lab, part: str) -> list[Process]:
    """The first process of a daemon, if it runs."""
    return [process for process in marked(lab) if process.part == part and process.leader]


def ensure(lab: Lab, daemon: Daemon) -> None:
    """See that a daemon runs with what it should be started with, and is ready."""
    stamp = daemon.stamp()
    now = running(lab, daemon.part)
    if len(now) == 1 and now[0].stamp == stamp:
        if lab.check or wait_until(daemon.ready, seconds=daemon.seconds):
            return
    leftover = [process.pid for process in marked(lab) if process.part == daemon.part]
    if not lab.change(f"{'restart' if leftover else 'start'} {daemon.part}"):
        return
    stop(leftover)
    start(lab, daemon, stamp)


def start(lab: Lab, daemon: Daemon, stamp: str) -> None:
    """Start a daemon in a session of its own and wait until it is ready."""
    log = lab.dir / "log" / f"{daemon.part}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(word) for word in daemon.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={**lab.environment(daemon.part, stamp), **daemon.environment},
        )
    wait_until(lambda: process.poll() is not None or daemon.ready(), seconds=daemon.seconds)
    if process.poll() is not None:
        raise LabError(f"Cannot start {daemon.part}: it ended with status {process.returncode}. {log} ends:\n{tail(log)}")
    if not daemon.ready():
        raise LabError(f"Cannot start {daemon.part}: not ready after {daemon.seconds:.0f} s. {log} ends:\n{tail(log)}")
