# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Take a lab down by what is found, so that it works after a crash half-way, and twice."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil

import procs
import provisioner
import tree
from common import Lab, LabError, run

NSPAWN = pathlib.Path("/run/systemd/nspawn")


def _processes(lab: Lab) -> set[int]:
    """All that belongs to the lab: by marker, by network namespace, by control group."""
    found = {process.pid for process in procs.marked(lab)}
    return found | procs.in_namespace(lab) | procs.in_cgroups(lab)


def _stop(lab: Lab) -> None:
    if procs.ancestors() & procs.in_namespace(lab):
        raise LabError(f"Cannot take lab {lab.name} down from inside its own network. Run it without '{lab.dir}/enter'.")
    if not lab.check:
        # All below the container's manager ends with it. Asked nicely, it would end its services one by one.
        procs.stop([process.pid for process in procs.marked(lab) if process.part == "provisioner"], grace=0)
    for _round in range(5):
        pids = _processes(lab) - procs.ancestors()
        if not pids:
            return
        if not lab.change(f"stop {len(pids)} processes"):
            return
        procs.stop(pids, grace=3.0)
    raise LabError(f"Cannot stop lab {lab.name}: new processes keep appearing. Is a lab_up of it still running?")


def _mounts_below(folder: pathlib.Path) -> list[str]:
    """Mount points in a folder, deepest first."""
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if point == str(folder) or point.startswith(f"{folder}/"):
            found.append(point)
    return sorted(found, key=len, reverse=True)


def _unmount(lab: Lab) -> None:
    for folder in (lab.dir, lab.run):
        for point in _mounts_below(folder):
            if lab.change(f"unmount {point}"):
                run(["umount", "--lazy", point])


def _namespace(lab: Lab) -> None:
    if lab.netns_path.exists() and lab.change(f"remove network namespace {lab.netns}"):
        run(["ip", "netns", "delete", lab.netns])


def _container(lab: Lab) -> None:
    """Remove what the container's manager leaves in /run after it was killed."""
    root = lab.dir / "provisioner/root"
    with contextlib.suppress(OSError):
        inode = root.stat()
        (NSPAWN / f"locks/inode-{inode.st_dev}:{inode.st_ino}").unlink()
    for folder in (NSPAWN / f"propagate/typeone-{lab.name}", NSPAWN / "propagate", NSPAWN / "locks", NSPAWN):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _files(lab: Lab) -> None:
    for folder in (lab.dir, lab.run):
        if folder.exists() and lab.change(f"remove {folder}"):
            left = _mounts_below(folder)
            if left:
                raise LabError(f"Cannot remove {folder}: {left[0]} is still mounted. Unmount it and run lab_down again.")
            shutil.rmtree(folder)


def _shared(lab: Lab) -> None:
    """Leave the machine's shared folders as they were: they go when nothing is left in them."""
    if lab.check:
        return
    for folder in (lab.run.parent, pathlib.Path("/run/libvirt")):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    netns = pathlib.Path("/run/netns")
    if netns.is_dir() and not any(netns.iterdir()):
        if _mounts_below(netns):
            with contextlib.suppress(LabError):
                run(["umount", str(netns)])
        with contextlib.suppress(OSError):
            os.rmdir(netns)


def down(lab: Lab) -> None:
    """Stop, unmount, remove. The cache stays."""
    known = lab.dir / "lab.json"
    if lab.dir.exists() and any(lab.dir.iterdir()) and not known.exists():
        raise LabError(f"Cannot remove {lab.dir}: it is not empty and was not made by a lab (no lab.json). Check lab_dir.")
    _stop(lab)
    _unmount(lab)
    _namespace(lab)
    if not lab.check:
        provisioner.remove_groups(lab)
        _container(lab)
        tree.clean(lab)
    _files(lab)
    _shared(lab)
