# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The provisioner host: the tree unpacked for this lab and booted with its own init in a container."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import uuid

import procs
import tree
from common import Lab, LabError, run, write

# What a provisioner builds is worth more than one lab: these folders live in the cache.
KEPT = {
    "provisioner-cache": "/var/lib/typeone/cache",
    "images": "/srv/typeone/www/images",
    "ramdisks": "/srv/typeone/www/ramdisks",
}


def unpack(lab: Lab) -> None:
    """Unpack the tree and give it the keys of this lab. Done before the first boot, when no link in it is foreign."""
    home = lab.dir / "provisioner"
    root = home / "root"
    if root.is_dir() or not lab.change("unpack the provisioner's system"):
        return
    home.mkdir(parents=True, exist_ok=True)
    partial = home / "root.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    run(["tar", "--zstd", "-xpf", tree.archive(lab), "-C", partial, "--numeric-owner", "--exclude=./dev/*"])
    ssh = lab.dir / "ssh"
    for name, mode in (("ssh_host_ed25519_key", 0o600), ("ssh_host_ed25519_key.pub", 0o644)):
        write(partial / "etc/ssh" / name, (ssh / f"provisioner_{name}").read_bytes(), mode=mode)
    write(partial / "root/.ssh/authorized_keys", (ssh / "id_ed25519.pub").read_bytes())
    # Without an id the first boot would enable every service that is installed.
    write(partial / "etc/machine-id", uuid.uuid4().hex + "\n", mode=0o444)
    partial.chmod(0o755)
    partial.rename(root)


def _wrapped(lab: Lab, command: list[str]) -> list[str]:
    """Run in a control group of the lab's own: two containers that shared one would stop each other's services."""
    if pathlib.Path("/run/systemd/system").is_dir():
        unit = f"--unit={lab.netns}"
        return ["systemd-run", "--quiet", "--scope", "--collect", unit, "--property=Delegate=yes", "--", *command]
    writable = [root / lab.netns for root in procs.CGROUPS[1:] if (root / "cgroup.procs").exists()]
    if not writable and (procs.CGROUPS[0] / "cgroup.procs").exists():
        writable = [procs.CGROUPS[0] / lab.netns]
    script = 'for group in $GROUPS_OF_LAB; do mkdir -p "$group" && echo $$ >"$group/cgroup.procs"; done; exec "$@"'
    return ["env", f"GROUPS_OF_LAB={' '.join(map(str, writable))}", "sh", "-c", script, "sh", *command]


def _answers(lab: Lab) -> bool:
    """Can the lab's key log in, is the host's key the pinned one, and is Python there?"""
    with contextlib.suppress(LabError):
        run([*lab.enter, *ssh_command(lab), "python3", "-c", "pass"])
        return True
    return False


def ssh_command(lab: Lab) -> list[str]:
    """How to log in."""
    options = {
        "UserKnownHostsFile": str(lab.dir / "ssh/known_hosts"),
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": "2",
        "BatchMode": "yes",
        "ControlPath": "none",
    }
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    key = str(lab.dir / "ssh/id_ed25519")
    return ["ssh", "-F", "none", "-i", key, *words, f"root@{lab.spec['provisioner']['address']}"]


def up(lab: Lab) -> None:
    """Boot the provisioner and wait until one can log in."""
    binds = []
    for name, inside in KEPT.items():
        if not lab.check:
            (lab.cache / name).mkdir(parents=True, exist_ok=True)
        binds.append(f"--bind={lab.cache / name}:{inside}")
    nspawn = [
        *lab.enter,
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--boot",
        f"--directory={lab.dir / 'provisioner/root'}",
        f"--machine=typeone-{lab.name}",
        "--hostname=provisioner",
        "--network-bridge=prov",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=pipe",
        *binds,
    ]
    procs.ensure(
        lab,
        procs.Daemon(
            "provisioner",
            _wrapped(lab, nspawn),
            lambda: _answers(lab),
            # The container's /tmp is the disk's: builds of whole systems do not fit into a tenth of the memory.
            environment={"SYSTEMD_NSPAWN_TMPFS_TMP": "0"},
            seconds=90.0,
        ),
    )


def remove_groups(lab: Lab) -> None:
    """Remove the control groups that the container leaves empty."""
    for folder in procs.cgroup_folders(lab):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
