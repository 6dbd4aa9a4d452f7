# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""GRUB for a disk image, without a device: its configuration by update-grub in the tree, its boot code by hand.

One image boots under UEFI (from the ESP's fall-back path) and BIOS (MBR, BIOS boot partition). Both look for
/boot/grub on the third partition of the disk they were loaded from, so that copies of an image never mix.
"""
from __future__ import annotations

import pathlib
import re
import struct
import typing as t

from builder_common import BuildError, Spec, run

SECTOR = 512
SAFE_ARGUMENT = re.compile(r"^[A-Za-z0-9_.,:;=+%/@*~^()\[\]<>!-]+$")
MODULES = ("part_gpt", "part_msdos", "fat", "ext2", "normal", "search", "search_fs_uuid", "search_label", "configfile",
           "multiboot2", "linux", "serial", "terminal", "gzio", "echo", "test", "regexp", "sleep", "reboot", "halt",
           "minicmd", "probe", "ls", "cat", "all_video", "gfxterm", "true", "loadenv", "extcmd")
PREFIX = "(,gpt3)/boot/grub"  # without a disk: on that which GRUB itself was loaded from
PROBE = """#!/bin/sh
# Answers for grub-mkconfig while there is no device; removed when the configuration is written.
target=device
while [ $# -gt 0 ]; do
    case $1 in
    --target=*) target=${1#--target=} ;;
    -t | --target) shift; target=$1 ;;
    esac
    shift
done
case $target in
device) echo /dev/disk/by-uuid/%(uuid)s ;;
fs_uuid) echo %(uuid)s ;;
fs) echo ext2 ;;
partmap) echo gpt ;;
drive) echo '(hd0,gpt3)' ;;
esac
"""


def arguments(words: t.Sequence[str]) -> str:
    """Kernel or Xen arguments as one string; refuses what a shell would read in another way."""
    wrong = [word for word in words if not SAFE_ARGUMENT.match(word)]
    if wrong:
        raise BuildError(f"Cannot write the arguments {', '.join(wrong)}: quotes, blanks and $ are not possible there.")
    return " ".join(words)


def defaults(spec: Spec) -> dict[str, str]:
    """The files below /etc/default of this image: file name -> content."""
    kernel, xen = arguments(spec["kernel_args"]), arguments(spec["xen_args"])
    general = ["GRUB_DEFAULT=0", f"GRUB_TIMEOUT={int(spec['grub_timeout'])}", "GRUB_DISTRIBUTOR=Debian",
               'GRUB_CMDLINE_LINUX_DEFAULT=""', 'GRUB_CMDLINE_LINUX=""', "GRUB_DISABLE_OS_PROBER=true"]
    if spec["serial_unit"] is not None:
        general += ['GRUB_TERMINAL="console serial"',
                    f'GRUB_SERIAL_COMMAND="serial --unit={int(spec["serial_unit"])} --speed={int(spec["serial_speed"])}"']
    if spec["hypervisor"] == "xen":
        own = ["XEN_OVERRIDE_GRUB_DEFAULT=1", f'GRUB_CMDLINE_XEN_DEFAULT="{xen}"',
               f'GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="{kernel}"']
    else:
        own = [f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {kernel}"']
    return {"grub": "\n".join(general) + "\n",
            "grub.d/40-image.cfg": "\n".join(["# The arguments that this image was built with.", *own]) + "\n"}


def configure(spec: Spec, root: pathlib.Path, uuid: str) -> None:
    """Write GRUB's defaults, modules and configuration into the tree, by the tree's own update-grub."""
    for name, text in defaults(spec).items():
        path = root / "etc/default" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for platform in ("x86_64-efi", "i386-pc"):
        folder = root / "boot/grub" / platform
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("*.mod", "*.lst"):
            for path in (root / "usr/lib/grub" / platform).glob(name):
                (folder / path.name).write_bytes(path.read_bytes())
    probe, kept, device = root / "usr/sbin/grub-probe", root / "usr/sbin/grub-probe.kept", root / "dev/disk/by-uuid" / uuid
    probe.rename(kept)
    try:
        probe.write_text(PROBE % {"uuid": uuid}, encoding="utf-8")
        probe.chmod(0o755)
        device.parent.mkdir(parents=True, exist_ok=True)
        device.touch()
        run(["chroot", str(root), "update-grub"])
    finally:
        kept.replace(probe)
        device.unlink(missing_ok=True)
        device.parent.rmdir()
        device.parent.parent.rmdir()
    check(spec, root)


def check(spec: Spec, root: pathlib.Path) -> None:
    """Refuse a configuration that would not boot what was asked for."""
    text = (root / "boot/grub/grub.cfg").read_text(encoding="utf-8")
    wanted = [*spec["kernel_args"], *spec["xen_args"]] + (["multiboot2"] if spec["hypervisor"] == "xen" else [])
    missing = [word for word in wanted if word not in text]
    if missing:
        raise BuildError(f"Cannot configure GRUB: update-grub left out {', '.join(missing)}.")


def efi_image(root: pathlib.Path, target: pathlib.Path) -> None:
    """Make BOOTX64.EFI by the tree's own grub-mkimage."""
    made = root / "tmp/grub.efi"
    run(["chroot", str(root), "grub-mkimage", "-O", "x86_64-efi", "-p", PREFIX, "-o", "/tmp/grub.efi", *MODULES])
    target.write_bytes(made.read_bytes())
    made.unlink()


def install_bios(root: pathlib.Path, image: pathlib.Path, first_sector: int) -> None:
    """Write GRUB's boot code into the MBR and its core into the BIOS boot partition at ``first_sector``.

    Offsets are those of GRUB's boot.S (0x5c: where the core begins, 0x66: the jump replaced against BIOSes that
    pass a wrong drive) and diskboot.S (the last 12 bytes of the first sector: the list of the core's other sectors).
    """
    core_path = root / "tmp/grub.core"
    run(["chroot", str(root), "grub-mkimage", "-O", "i386-pc", "-p", PREFIX, "-o", "/tmp/grub.core",
         "biosdisk", "part_gpt", "ext2", "normal", "search", "search_fs_uuid", "serial", "gzio", "multiboot2", "linux"])
    core = bytearray(core_path.read_bytes())
    core_path.unlink()
    boot = bytearray((root / "usr/lib/grub/i386-pc/boot.img").read_bytes())
    sectors = (len(core) + SECTOR - 1) // SECTOR
    struct.pack_into("<Q", boot, 0x5C, first_sector)
    boot[0x66:0x68] = b"\x90\x90"
    struct.pack_into("<QHH", core, SECTOR - 12, first_sector + 1, sectors - 1, 0x820)
    with image.open("r+b") as stream:
        stream.write(boot[:440])
        stream.seek(first_sector * SECTOR)
        stream.write(core)
