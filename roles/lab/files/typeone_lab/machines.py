# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The nodes: a libvirtd of the lab's own, a disk and a definition for each machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import typing as t

import procs
from common import Lab, LabError, run, write

# libvirtd's folders on the machine, each covered by one of the lab in a private mount namespace.
FOLDERS = {
    "/etc/libvirt": "etc",
    "/var/lib/libvirt": "lib",
    "/var/cache/libvirt": "cache",
    "/var/log/libvirt": "log",
}
RUNTIME = "/run/libvirt"
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
dynamic_ownership = 0
remember_owner = 0
stdio_handler = "file"
seccomp_sandbox = 0
max_core = 0
"""


def _virsh(lab: Lab, *words: str, stdin: str | None = None) -> str:
    return run(["virsh", "-q", "-c", lab.spec["libvirt_uri"], *words], env=lab.environment("virsh"), stdin=stdin)


def _answers(lab: Lab) -> bool:
    if not (lab.run / "libvirt/libvirt-sock").exists():
        return False
    with contextlib.suppress(LabError):
        _virsh(lab, "uri")
        return True
    return False


def _configure(lab: Lab) -> pathlib.Path:
    """Write libvirtd's configuration and make its folders."""
    home = lab.dir / "libvirt"
    if not lab.check:
        for name in FOLDERS.values():
            (home / name).mkdir(parents=True, exist_ok=True)
        (lab.run / "libvirt").mkdir(parents=True, exist_ok=True)
    files = {
        "qemu.conf": QEMU_CONF,
        "libvirtd.conf": f'unix_sock_dir = "{lab.run}/libvirt"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n'
        'unix_sock_rw_perms = "0700"\nunix_sock_ro_perms = "0700"\n'
        f'log_outputs = "3:stderr"\nhost_uuid = "{_host_uuid(lab)}"\n',
    }
    for name, content in files.items():
        path = home / "etc" / name
        if (not path.exists() or path.read_text() != content) and lab.change(f"write {path}"):
            write(path, content, mode=0o644)
    return home


def _host_uuid(lab: Lab) -> str:
    digest = hashlib.sha256(f"{lab.name}/libvirtd".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def daemon(lab: Lab) -> None:
    """Run libvirtd in the lab's network; a libvirt of the machine itself is not touched."""
    home = _configure(lab)
    steps = [f'mount --bind "{home / name}" {target}' for target, name in FOLDERS.items()]
    steps += [f"mkdir -p {RUNTIME}", f'mount --bind "{lab.run}/libvirt" {RUNTIME}']
    steps += ["umask 0022", f'exec libvirtd --config "{home}/etc/libvirtd.conf" --pid-file "{lab.run}/libvirtd.pid"']
    procs.ensure(
        lab,
        procs.Daemon(
            "libvirtd",
            ["ip", "netns", "exec", lab.netns, "sh", "-ec", "\n".join(steps)],
            lambda: _answers(lab),
            stamp_of=(home / "etc/libvirtd.conf", home / "etc/qemu.conf"),
        ),
    )


def pool(lab: Lab) -> None:
    """Virtual media need a started storage pool."""
    folder = lab.dir / "media"
    if _answers(lab) and "default" in _virsh(lab, "pool-list", "--name").split():
        return
    if not lab.change("make the storage pool for virtual media"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    if "default" not in _virsh(lab, "pool-list", "--all", "--name").split():
        _virsh(lab, "pool-define-as", "default", "dir", "--target", str(folder))
    _virsh(lab, "pool-autostart", "default")
    _virsh(lab, "pool-start", "default")


def _disks(lab: Lab, node: dict[str, t.Any], gib: int) -> None:
    """Sparse raw files; one that exists is kept, whatever its size."""
    for disk in node["disks"]:
        path = pathlib.Path(node["dir"]) / disk["file"]
        if not path.exists() and lab.change(f"make {node['name']}'s disk {disk['serial']} of {gib} GiB"):
            with open(path, "xb") as handle:
                os.truncate(handle.fileno(), gib << 30)


def _define(lab: Lab, node: dict[str, t.Any], known: set[str]) -> None:
    """Define the machine when its description is new. The BMC writes boot order and media into it: not undone here."""
    path, wanted = pathlib.Path(node["dir"]) / "domain.xml", lab.spec["domains"][node["name"]]
    if node["name"] in known and path.exists() and path.read_text() == wanted:
        return
    if lab.change(f"define {node['name']}"):
        path.unlink(missing_ok=True)
        _virsh(lab, "define", "/dev/stdin", stdin=wanted)
        write(path, wanted, mode=0o644)  # last: a definition that failed is tried again


def _remove(lab: Lab, name: str) -> None:
    """Remove a node that the lab no longer has."""
    if not lab.change(f"remove {name}"):
        return
    with contextlib.suppress(LabError):
        _virsh(lab, "destroy", name)
    with contextlib.suppress(LabError):
        _virsh(lab, "undefine", name, "--nvram")
    shutil.rmtree(lab.dir / name, ignore_errors=True)


def up(lab: Lab) -> None:
    """Disks and definitions of all nodes; what is there is kept."""
    known = set(_virsh(lab, "list", "--all", "--name").split()) if _answers(lab) or not lab.check else set()
    wanted = {node["name"] for node in lab.spec["nodes"]}
    for name in sorted(known - wanted):
        _remove(lab, name)
    for node in lab.spec["nodes"]:
        _disks(lab, node, lab.spec["disk_gib"])
        _define(lab, node, known)
