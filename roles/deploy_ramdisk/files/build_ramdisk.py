# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Build the deploy ramdisk from the tree that the image is made of: same kernel, same modules, same Xen.

The specification (JSON): ``key``, ``target``, ``work_dir``, ``tree`` (published folder), ``hypervisor``, ``modules``
(folders and files below /lib/modules/VERSION/kernel to keep, with what they depend on), ``remove`` (paths of the tree
to leave out), ``files`` (folder with init, lease, sshd_config), ``compression_level``, ``progress_file``. Published:
``vmlinuz``, ``ramdisk``, for Xen ``xen.gz``, ``manifest.json``.
"""
from __future__ import annotations

import fnmatch
import json
import pathlib
import re
import shutil
import sys
import tempfile
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from builder_common import (  # noqa: E402
    BuildError, Progress, Spec, is_published, lock, main, need, pipe, published, run, sha256, unpack_tree, write_manifest)


def unpack(spec: Spec, root: pathlib.Path) -> None:
    """Unpack the tree without what a ramdisk does not need."""
    # tar's --exclude is not anchored by itself: with --anchored a pattern begins at the tree's root.
    patterns = "".join(f"./{path}\n" for path in spec["remove"])
    (root.parent / "exclude").write_text(patterns, encoding="utf-8")
    unpack_tree(pathlib.Path(spec["tree"], "base.tar.zst"), root, "--anchored", f"--exclude-from={root.parent / 'exclude'}")


def dependencies(text: str) -> dict[str, list[str]]:
    """Read modules.dep: module path -> paths of the modules it needs."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: rest.split() for name, rest in pairs}


def wanted_modules(patterns: t.Sequence[str], needs: dict[str, list[str]]) -> set[str]:
    """The modules that match a pattern (a path below kernel/, or all below it), and all that they need.

    modules.dep lists needs of needs as well, so one step is enough.
    """
    wanted: set[str] = set()
    for name, needed in needs.items():
        inner = name.removeprefix("kernel/")
        if any(inner.startswith(f"{pattern}/") or fnmatch.fnmatch(inner, pattern) for pattern in patterns):
            wanted |= {name, *needed}
    return wanted


def trim_modules(root: pathlib.Path, patterns: t.Sequence[str]) -> str:
    """Remove unwanted modules, write the indexes again, and return the kernel's version."""
    versions = sorted(path for path in (root / "usr/lib/modules").iterdir() if (path / "modules.dep").exists())
    if not versions:
        raise BuildError("Cannot build the ramdisk: the tree has no kernel modules.")
    folder = versions[-1]
    wanted = wanted_modules(patterns, dependencies((folder / "modules.dep").read_text(encoding="utf-8")))
    for path in folder.rglob("*.ko*"):
        if str(path.relative_to(folder)) not in wanted:
            path.unlink()
    run(["chroot", str(root), "depmod", folder.name])
    return folder.name


def customise(root: pathlib.Path, files: pathlib.Path) -> None:
    """Add init, the lease script and sshd's configuration; remove every identity."""
    for pattern in ("etc/ssh/ssh_host_*", "etc/machine-id", "etc/initrd-release", "etc/resolv.conf", "etc/hostname"):
        for path in root.glob(pattern):
            path.unlink()
    for source, target, mode in (("init", "init", 0o755), ("lease", "usr/lib/typeone/lease", 0o755),
                                 ("sshd_config", "etc/ssh/sshd_config", 0o644)):
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files / source, path)
        path.chmod(mode)
    (root / "etc/machine-id").touch()
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    for name in ("proc", "sys", "dev", "run", "tmp", "sysroot"):
        (root / name).mkdir(exist_ok=True)


def extract_boot(spec: Spec, root: pathlib.Path, folder: pathlib.Path) -> str | None:
    """Publish the kernel and, for Xen, the hypervisor; return the version of Xen's package."""
    kernel = sorted((root / "boot").glob("vmlinuz-*"))[-1]
    shutil.copyfile(kernel, folder / "vmlinuz")
    shutil.rmtree(root / "boot")
    if spec["hypervisor"] != "xen":
        return None
    place = root.parent / "xen"
    place.mkdir()
    unpack_tree(pathlib.Path(spec["tree"], "tree.tar.zst"), place, "--wildcards", "./boot/xen-*.gz", "./var/lib/dpkg/status")
    shutil.copyfile(sorted((place / "boot").glob("xen-*.gz"))[-1], folder / "xen.gz")
    status = (place / "var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^Package: xen-hypervisor-\d.*?^Version: (\S+)", status, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def make(spec: Spec, progress: Progress, *, work: pathlib.Path, folder: pathlib.Path) -> None:
    """Unpack, trim and pack into ``folder``."""
    root = work / "root"
    root.mkdir()
    progress("unpacking the tree for the ramdisk")
    unpack(spec, root)
    version = trim_modules(root, spec["modules"])
    customise(root, pathlib.Path(spec["files"]))
    xen = extract_boot(spec, root, folder)
    unpacked = int(run(["du", "--summarize", "--block-size=1", str(root)]).split()[0])
    progress(f"packing a ramdisk of {unpacked >> 20} MiB")
    # The kernel reads lz4 only in its legacy frame format (-l).
    pipe('cd "$root"; find . -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --quiet --owner=+0:+0 '
         '| lz4 -q -l "-$level" > "$ramdisk"', root=root, ramdisk=folder / "ramdisk", level=spec["compression_level"])
    files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in sorted(folder.iterdir())}
    tree = json.loads((pathlib.Path(spec["tree"]) / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, {
        "key": spec["key"], "hypervisor": spec["hypervisor"], "release": tree["release"],
        "architecture": tree["architecture"], "tree": tree["build"],
        "kernel_version": version, "xen_version": xen, "unpacked_bytes": unpacked, "files": files})


def build(spec: Spec, progress: Progress) -> bool:
    """Publish the ramdisk unless it is there; return whether it was made."""
    target = pathlib.Path(spec["target"])
    need(["zstd", "tar", "cpio", "lz4", "chroot"])
    with lock(pathlib.Path(spec["work_dir"]) / f"ramdisk-{spec['key']}.lock", progress):
        if is_published(target, spec["key"]):
            return False
        with published(target) as folder, tempfile.TemporaryDirectory(prefix="ramdisk.", dir=spec["work_dir"]) as name:
            make(spec, progress, work=pathlib.Path(name), folder=folder)
    return True


if __name__ == "__main__":
    main(build)
