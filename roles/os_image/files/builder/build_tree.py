# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Build one Debian tree for image and ramdisk, by mmdebstrap, and publish it in the cache.

The specification (JSON): ``key``, ``target`` (folder to publish), ``work_dir``, ``release``, ``architecture``,
``sources`` (one-line apt sources), ``packages``, ``kernel_packages``, ``hypervisor_packages``, ``documentation``,
``progress_file``. Published: ``base.tar.zst`` (without the hypervisor), ``tree.tar.zst``, ``manifest.json``.
"""
from __future__ import annotations

import os
import pathlib
import re
import subprocess
import tempfile
import uuid

from builder_common import BuildError, Progress, Spec, is_published, lock, main, need, published, write_manifest

HERE = pathlib.Path(__file__).resolve().parent
KEPT_APT_SETTINGS = re.compile(r"^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|Retries|https::Ca)", re.IGNORECASE)
WITHOUT_DOCUMENTATION = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/info/*",
                         "path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
                         "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/lintian/*")


def apt_settings() -> list[str]:
    """How this machine reaches its archive (proxy, clock checks), for the time of the build only."""
    dump = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line for line in dump.splitlines() if KEPT_APT_SETTINGS.match(line) and not line.endswith('"";')]


def command(spec: Spec, work: pathlib.Path) -> list[str]:
    """The mmdebstrap command; it writes an uncompressed tar to standard output."""
    settings = work / "apt.conf"
    settings.write_text("\n".join(['Acquire::Retries "3";', 'Acquire::Languages "none";', *apt_settings()]) + "\n",
                        encoding="utf-8")
    unwanted = () if spec["documentation"] else WITHOUT_DOCUMENTATION
    return ["mmdebstrap", "--mode=root", "--format=tar", "--variant=minbase", "--dpkgopt=force-unsafe-io",
            f"--architectures={spec['architecture']}", f"--include={','.join(spec['packages'])}",
            f"--aptopt={settings}", *(f"--dpkgopt={option}" for option in unwanted),
            f"--customize-hook={HERE / 'tree-hook'}",
            '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"',
            spec["release"], "-", *spec["sources"]]


def bootstrap(spec: Spec, work: pathlib.Path, folder: pathlib.Path) -> None:
    """Run mmdebstrap; its whole output is kept in a log that the error names."""
    log = pathlib.Path(spec["target"]).with_name(f"{spec['key']}.log")
    env = dict(os.environ, TMPDIR=str(work), TREE_KERNEL=" ".join(spec["kernel_packages"]),
               TREE_HYPERVISOR=" ".join(spec["hypervisor_packages"]), TREE_BASE=str(folder / "base.tar.zst"),
               TREE_PROGRESS=spec.get("progress_file") or "/dev/null", DEBIAN_FRONTEND="noninteractive")
    with log.open("wb") as errors, (folder / "tree.tar.zst").open("wb") as target:
        with subprocess.Popen(command(spec, work), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=errors) as maker:
            subprocess.run(["zstd", "--quiet", "-1", "--threads=0"], stdin=maker.stdout, stdout=target, check=False)
    if maker.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise BuildError(f"Cannot build the tree of {spec['release']}: mmdebstrap ended with status "
                         f"{maker.returncode} (whole log: {log}):\n" + "\n".join(lines[-15:]))


def build(spec: Spec, progress: Progress) -> bool:
    """Publish the tree unless it is there; return whether it was made."""
    target = pathlib.Path(spec["target"])
    need(["mmdebstrap", "zstd", "tar"])
    with lock(target.with_name(f"{target.name}.lock"), progress):
        if is_published(target, spec["key"]):
            return False
        if not spec["sources"]:
            raise BuildError(f"Cannot build the tree of {spec['release']}: this machine has no apt sources of that "
                             "release. Set os_image_apt_sources.")
        pathlib.Path(spec["work_dir"]).mkdir(parents=True, exist_ok=True)
        with published(target) as folder, tempfile.TemporaryDirectory(prefix="tree.", dir=spec["work_dir"]) as work:
            pathlib.Path(work).chmod(0o755)
            progress(f"installing {spec['release']} with {len(spec['packages'])} packages and what they need")
            bootstrap(spec, pathlib.Path(work), folder)
            # Image and ramdisk repeat this id: only those of one build are sure to hold the same kernel.
            write_manifest(folder, {"build": uuid.uuid4().hex, **{name: spec[name] for name in (
                "key", "release", "architecture")}})
    return True


if __name__ == "__main__":
    main(build)
