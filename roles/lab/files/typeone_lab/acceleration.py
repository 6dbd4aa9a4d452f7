# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Find out whether hardware acceleration really works: by booting a kernel under it, with a deadline.

A machine may offer /dev/kvm, take a virtual machine and never get its kernel anywhere: the file proves nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import typing as t

from common import Lab, LabError, exclusive, run, write

DEVICE = pathlib.Path("/dev/kvm")
DEADLINE = 15.0  # seconds; a kernel that is accelerated needs about one
# Small kernels for virtual machines, as Debian and Ubuntu name what leads to them.
META_PACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual")
# All that a kernel without a root can say. By then its processors, timers and drivers have started.
REACHED = b"Unable to mount root fs"
EXTRACT = """cd "$0"
apt-get -qq download "$1"
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinuz-*'
"""
NAMES = {"kvm": "hardware acceleration (KVM)", "qemu": "software emulation (TCG)"}


def find(lab: Lab) -> dict[str, str]:
    """Returns {type: kvm or qemu, why: a sentence}."""
    asked = {"kvm": "kvm", "tcg": "qemu"}.get(lab.spec["acceleration"])
    if asked:
        return _answer(asked, "it was asked for")
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return _answer("qemu", f"{DEVICE} cannot be opened")
    known = lab.cache / "acceleration/found.json"
    key = {"boot": pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "qemu": _version()}
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = json.loads(known.read_text())
        if found["key"] == key:
            return t.cast("dict[str, str]", found["answer"])
    if lab.check:
        return _answer("qemu", "acceleration is not tried in check mode")
    with exclusive(known.with_name(".lock")):
        answer = _try(lab)
        write(known, json.dumps({"key": key, "answer": answer}) + "\n", mode=0o644)
    return answer


def _answer(kind: str, because: str) -> dict[str, str]:
    return {"type": kind, "why": f"The nodes run under {NAMES[kind]}: {because}."}


def _version() -> str:
    return run(["qemu-system-x86_64", "--version"]).splitlines()[0]


def _try(lab: Lab) -> dict[str, str]:
    try:
        kernel = _kernel(lab)
    except LabError as exc:
        return _answer("qemu", f"no kernel was found to try acceleration with ({exc})")
    if REACHED in boot(lab, kernel, ["-accel", "kvm", "-cpu", "host"], seconds=DEADLINE):
        return _answer("kvm", "a kernel booted under it")
    return _answer("qemu", f"a kernel did not boot within {DEADLINE:.0f} s under KVM, although {DEVICE} opens")


def boot(lab: Lab, kernel: pathlib.Path, options: list[str], *, seconds: float) -> bytes:
    """Boot a kernel that has no root on two processors; return what it said until it gave up or the time was over."""
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"]
    command += ["-no-reboot", "-machine", "q35", "-smp", "2", "-m", "256", *options]
    command += ["-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    with tempfile.TemporaryFile() as said:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
                env=lab.environment("acceleration"),
            )
        said.seek(0)
        return said.read()


def _kernel(lab: Lab) -> pathlib.Path:
    """The machine's own kernel if it can be read, else one from its package sources, kept in the cache."""
    own = pathlib.Path(f"/boot/vmlinuz-{os.uname().release}")
    if own.exists():
        return own
    kept = lab.cache / "acceleration/vmlinuz"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            partial = _download(pathlib.Path(scratch))
            partial.rename(kept)
    return kept


def _download(scratch: pathlib.Path) -> pathlib.Path:
    for meta in META_PACKAGES:
        with contextlib.suppress(LabError):
            names = re.findall(r"Depends: (linux-image-\S+)", run(["apt-cache", "depends", meta]))
            for name in names[:1]:
                run(["sh", "-ec", EXTRACT, str(scratch), name])
    for found in scratch.glob("boot/vmlinuz-*"):
        return pathlib.Path(shutil.move(found, scratch / "vmlinuz"))
    raise LabError(f"the package sources have none of {', '.join(META_PACKAGES)}")
