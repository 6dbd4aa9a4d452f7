# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's disk in another machine than the lab's: by the QEMU of Debian 13, whose network card igb has SR-IOV (that of Debian 12 has none)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import time

from systems import bootstrap, kept, sources

from labs import CACHE
from sites import PAUSE

PACKAGES = ("ipxe-qemu", "qemu-system-x86", "seabios")
CARD = "52:54:00:5a:00:01"
MACHINE = (
    # The processor's maker is what the host's kernel and roles go by; what the lab's machines lack, this one lacks too.
    "-machine q35 -accel tcg,thread=multi,tb-size=512 -cpu max,vendor=GenuineIntel,la57=off,smap=off,smep=off -smp 2 -m 2048 "
    "-nodefaults -display none -device intel-iommu -device virtio-rng-pci"
).split()


def tree() -> pathlib.Path:
    """The folder of the emulator and what it needs, unpacked once and kept in the cache."""
    lines = sources("trixie")
    key = hashlib.sha256(json.dumps([lines, PACKAGES, 1]).encode()).hexdigest()[:16]
    return kept(CACHE / "emulator" / key, lambda partial: bootstrap(partial, lines, PACKAGES, "--variant=extract"))


def emulator() -> list:
    """The words that run it with its own libraries and firmware."""
    root = tree()
    libraries = root / "usr/lib/x86_64-linux-gnu"
    firmware = [word for name in ("qemu", "seabios") for word in ("-L", root / "usr/share" / name)]
    return [root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, root / "usr/bin/qemu-system-x86_64", *firmware]


@contextlib.contextmanager
def booted(node):
    """The server, off by its BMC, booted from its first disk: with its first card, and an igb on the tenants' network."""
    lab, described = node.site.lab, node.described
    folder = pathlib.Path(described["dir"])
    disk = described["disks"][0]
    words = [*emulator(), *MACHINE, "-chardev", f"file,id=console,append=on,path={folder}/console.log", "-serial", "chardev:console",
             "-drive", f"id=disk,if=none,format=raw,cache=unsafe,file={folder / disk['file']}",
             "-device", f"ide-hd,drive=disk,bus=ide.0,bootindex=1,serial={disk['serial']}",
             "-device", "pcie-root-port,id=slot1,chassis=1"]
    cards = {"prov": f"e1000e,mac={described['nics'][0]['mac']},romfile=", "tenant": f"igb,bus=slot1,mac={CARD},romfile="}
    for bridge, card in cards.items():
        for step in (f"tuntap add other-{bridge} mode tap", f"link set other-{bridge} master {bridge} up"):
            done = lab.inside("ip", *step.split())
            assert done.returncode == 0, done.stderr
        words += ["-netdev", f"tap,id={bridge},ifname=other-{bridge},script=no,downscript=no", "-device", f"{card},netdev={bridge}"]
    with subprocess.Popen([lab.folder / "enter", *words], stdin=subprocess.DEVNULL, env={**os.environ, "TYPEONE_LAB": lab.name}) as process:
        try:
            time.sleep(PAUSE)
            assert process.poll() is None, f"the emulator ended with {process.returncode}"
            yield
        finally:
            process.kill()
            process.wait()
            for bridge in cards:
                lab.inside("ip", "link", "delete", f"other-{bridge}")
