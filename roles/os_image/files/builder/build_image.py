# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Build a disk image of a tree: GPT with a BIOS boot partition, an ESP and the root; no device is needed.

The specification (JSON): ``key``, ``target``, ``work_dir``, ``tree`` (published folder), ``hypervisor``, ``release``,
``architecture``, ``kernel_args``, ``xen_args``, ``esp_mib``, ``free_mib``, ``grub_timeout``, ``serial_unit`` (or
null), ``serial_speed``, ``compression_level``, ``progress_file``. Published: ``disk.img.zst``, ``manifest.json``.
"""
from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile
import typing as t
import uuid

import image_grub
from builder_common import (
    Progress, Spec, is_published, lock, main, need, pipe, published, run, sha256, unpack_tree, write_manifest)

MIB = 1 << 20
BIOS_FIRST_SECTOR = 34
HOST_KEYS_UNIT = """[Unit]
Description=Make the SSH host keys that a deploy did not bring
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key

[Install]
WantedBy=multi-user.target
"""
SSHD = """# Written by typeone.metal.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
UNWANTED_UNITS = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service")


def write(root: pathlib.Path, name: str, text: str) -> None:
    """Write a small file of the tree; a symbolic link there is replaced, never followed."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")


def customise(spec: Spec, root: pathlib.Path, uuids: dict[str, str]) -> None:
    """Make the tree a machine's system that has no identity yet."""
    for pattern in ("etc/ssh/ssh_host_*", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed",
                    "initrd.img", "initrd.img.old", "vmlinuz", "vmlinuz.old"):
        for path in root.glob(pattern):
            path.unlink()
    write(root, "etc/machine-id", "")
    write(root, "etc/hostname", "localhost\n")
    write(root, "etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
    write(root, "etc/resolv.conf", "")
    write(root, "etc/fstab", f"UUID={uuids['root']} / ext4 errors=remount-ro 0 1\n"
          f"UUID={uuids['esp']} /boot/efi vfat umask=0077,nofail 0 2\n")
    (root / "boot/efi").mkdir(parents=True, exist_ok=True)
    write(root, "etc/kernel-img.conf", "do_symlinks = no\n")
    write(root, "etc/ssh/sshd_config.d/50-typeone.conf", SSHD)
    write(root, "etc/systemd/system/typeone-host-keys.service", HOST_KEYS_UNIT)
    write(root, "etc/typeone/image.json", json.dumps(
        {"key": spec["key"], "hypervisor": spec["hypervisor"], "release": spec["release"]}, indent=2) + "\n")
    run(["chroot", str(root), "systemctl", "enable", "systemd-networkd.service", "typeone-host-keys.service"])
    run(["chroot", str(root), "systemctl", "disable", "nvmf-autoconnect.service"])
    run(["chroot", str(root), "systemctl", "mask", *UNWANTED_UNITS])
    modules = [path.name for path in (root / "lib/modules").iterdir()]
    if spec["hypervisor"] == "kvm":
        write(root, "etc/modules-load.d/typeone-kvm.conf", "kvm\nvhost_net\n")
    for version in modules:
        run(["chroot", str(root), "depmod", version])


def versions(root: pathlib.Path) -> tuple[str, str | None]:
    """The kernel's release and the version of Xen's package (None without Xen)."""
    kernels = sorted(path.name for path in (root / "lib/modules").iterdir())
    status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^Package: xen-hypervisor-\d.*?^Version: (\S+)", status, re.MULTILINE | re.DOTALL)
    return kernels[-1], found[1] if found else None


def layout(spec: Spec, root: pathlib.Path) -> dict[str, int]:
    """Sizes and places in MiB: the root begins after the ESP and holds the tree with ``free_mib`` to spare."""
    used = int(run(["du", "--summarize", "--block-size=1M", "--one-file-system", str(root)]).split()[0])
    files = sum(1 for _path in root.rglob("*"))
    root_mib = used + files // 2048 + 48 + int(spec["free_mib"])
    return {"esp_first": 2, "esp": int(spec["esp_mib"]), "root_first": 2 + int(spec["esp_mib"]), "root": root_mib,
            "whole": 2 + int(spec["esp_mib"]) + root_mib + 1}


def partition(image: pathlib.Path, place: dict[str, int]) -> None:
    """Write the partition table into a sparse file: BIOS boot, ESP, root last (so that a deploy can grow it)."""
    with image.open("wb") as stream:
        stream.truncate(place["whole"] * MIB)
    run(["sgdisk", "--set-alignment=1",
         f"--new=1:{BIOS_FIRST_SECTOR}:2047", "--typecode=1:ef02", "--change-name=1:bios",
         f"--new=2:{place['esp_first']}M:+{place['esp']}M", "--typecode=2:ef00", "--change-name=2:esp",
         f"--new=3:{place['root_first']}M:+{place['root']}M", "--typecode=3:8304", "--change-name=3:root", str(image)])


def fill(image: pathlib.Path, root: pathlib.Path, work: pathlib.Path, **values: t.Any) -> None:
    """Write ESP and root file system into their partitions."""
    place, uuids = values["place"], values["uuids"]
    esp, loader = work / "esp", work / "BOOTX64.EFI"
    image_grub.efi_image(root, loader)
    with esp.open("wb") as stream:
        stream.truncate(place["esp"] * MIB)
    run(["mkfs.vfat", "-F", "32", "-n", "ESP", "-i", uuids["esp"].replace("-", ""), str(esp)])
    run(["mmd", "-i", str(esp), "::/EFI", "::/EFI/BOOT"])
    run(["mcopy", "-i", str(esp), str(loader), "::/EFI/BOOT/BOOTX64.EFI"])
    run(["dd", f"if={esp}", f"of={image}", "bs=1M", f"seek={place['esp_first']}", "conv=notrunc,sparse", "status=none"])
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "typeone-root", "-U", uuids["root"],
         "-O", "^metadata_csum_seed,^orphan_file", "-d", str(root),
         "-E", f"offset={place['root_first'] * MIB},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0",
         str(image), f"{place['root'] * 1024}k"])
    image_grub.install_bios(root, image, BIOS_FIRST_SECTOR)


def manifest(spec: Spec, root: pathlib.Path, **values: t.Any) -> Spec:
    """What users and later roles need to know about the image."""
    kernel, xen = versions(root)
    image, packed, place, uuids = values["image"], values["packed"], values["place"], values["uuids"]
    return {
        **{name: spec[name] for name in ("key", "hypervisor", "release", "architecture", "kernel_args", "xen_args")},
        "tree": json.loads((pathlib.Path(spec["tree"]) / "manifest.json").read_text(encoding="utf-8"))["build"],
        "kernel_version": kernel, "xen_version": xen, "raw_bytes": image.stat().st_size,
        "raw_sha256": values["raw_sha256"], "compressed_bytes": packed.stat().st_size,
        "compressed_sha256": sha256(packed),
        "partitions": [
            {"number": 1, "role": "bios", "uuid": None, "start_bytes": BIOS_FIRST_SECTOR * 512},
            {"number": 2, "role": "esp", "uuid": uuids["esp"], "start_bytes": place["esp_first"] * MIB},
            {"number": 3, "role": "root", "uuid": uuids["root"], "start_bytes": place["root_first"] * MIB}],
        "uuid_files": ["/etc/fstab", "/boot/grub/grub.cfg"]}


def build(spec: Spec, progress: Progress) -> bool:
    """Publish the image unless it is there; return whether it was made."""
    target = pathlib.Path(spec["target"])
    need(["zstd", "tar", "sgdisk", "mkfs.vfat", "mcopy", "mke2fs", "chroot"])
    with lock(pathlib.Path(spec["work_dir"]) / f"image-{spec['key']}.lock", progress):
        if is_published(target, spec["key"]):
            return False
        with published(target) as folder, tempfile.TemporaryDirectory(prefix="image.", dir=spec["work_dir"]) as name:
            make(spec, progress, work=pathlib.Path(name), folder=folder)
    return True


def make(spec: Spec, progress: Progress, *, work: pathlib.Path, folder: pathlib.Path) -> None:
    """Unpack, configure, write the image and pack it into ``folder``."""
    root, image, packed = work / "root", work / "disk.img", folder / "disk.img.zst"
    serial = uuid.uuid4().hex.upper()
    uuids = {"root": str(uuid.uuid4()), "esp": f"{serial[:4]}-{serial[4:8]}"}
    root.mkdir()
    progress("unpacking the tree")
    unpack_tree(pathlib.Path(spec["tree"], "tree.tar.zst"), root, "--xattrs")
    progress("configuring the system and GRUB")
    customise(spec, root, uuids)
    image_grub.configure(spec, root, uuids["root"])
    place = layout(spec, root)
    progress(f"writing a disk image of {place['whole']} MiB")
    partition(image, place)
    fill(image, root, work, place=place, uuids=uuids)
    progress("packing the image")
    pipe('zstd -q --threads=0 "-$level" "$image" -o "$packed"', image=image, packed=packed,
         level=spec["compression_level"])
    write_manifest(folder, manifest(spec, root, image=image, packed=packed, place=place, uuids=uuids,
                                    raw_sha256=sha256(image)))
    shutil.rmtree(root)


if __name__ == "__main__":
    main(build)
