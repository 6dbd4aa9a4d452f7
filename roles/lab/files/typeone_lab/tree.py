# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The provisioner's system: a Debian tree, built once for each recipe and kept in the cache as one archive."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil

import mirror
from common import Lab, exclusive, run, write

HOOK = pathlib.Path(__file__).with_name("provisioner_tree.sh")
ALWAYS = (
    "ca-certificates",
    "dbus",
    "init",
    "iproute2",
    "openssh-server",
    "python3",
    "systemd",
    "systemd-sysv",
    "udev",
)


def packages(lab: Lab) -> list[str]:
    """What is installed in the tree."""
    return sorted({*ALWAYS, *lab.spec["provisioner"]["packages"]})


def archive(lab: Lab) -> pathlib.Path:
    """Where the archive of this recipe lives; the name is a digest of all that determines its content."""
    recipe = {
        "format": 1,
        "hook": hashlib.sha256(HOOK.read_bytes()).hexdigest(),
        "packages": packages(lab),
        "proxy": lab.spec["apt_proxy"],
        "sources": mirror.sources(),
    }
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    return lab.cache / "provisioner" / f"{key}.tar.zst"


def _suite(lines: list[str]) -> str:
    """The name of the release, without its pockets."""
    return min((line.split()[3] for line in lines), key=len)


def build(lab: Lab) -> None:
    """Build the archive unless it is there. Mounts live in a mount namespace of their own and end with the build."""
    wanted = archive(lab)
    if wanted.exists():
        return
    if not lab.change(f"build the provisioner's system {wanted.name}"):
        return
    with exclusive(lab.cache / "provisioner" / ".lock"):
        if wanted.exists():
            return
        _remove_partial(wanted.parent)
        scratch = wanted.parent / "scratch.partial"
        scratch.mkdir()
        lines = mirror.sources()
        write(scratch / "sources.list", "\n".join(lines) + "\n")
        partial = wanted.parent / f"{wanted.stem.removesuffix('.tar')}.partial.tar.zst"
        run(
            [*lab.enter, "unshare", "--mount", "--propagation", "private", *_mmdebstrap(lab, lines, partial, scratch)],
            env={**lab.environment("tree"), "TMPDIR": str(scratch), "DEBIAN_FRONTEND": "noninteractive"},
        )
        partial.rename(wanted)
        shutil.rmtree(scratch)


def _remove_partial(folder: pathlib.Path) -> None:
    for stale in folder.glob("*.partial*"):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()


def clean(lab: Lab) -> None:
    """Remove what a build that was stopped left in the cache, unless another lab builds now."""
    folder = lab.cache / "provisioner"
    if folder.is_dir() and any(folder.glob("*.partial*")):
        with exclusive(folder / ".lock", wait=False) as held:
            if held:
                _remove_partial(folder)


def _mmdebstrap(lab: Lab, lines: list[str], target: pathlib.Path, scratch: pathlib.Path) -> list[str]:
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(packages(lab))}",
        f'--aptopt=Acquire::http::Proxy "{lab.spec["apt_proxy"]}"',
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=force-unsafe-io",
        f'--customize-hook=sh "{HOOK}" "$1"',
        _suite(lines),
        str(target),
        str(scratch / "sources.list"),
    ]
