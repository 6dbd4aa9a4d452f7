# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the provisioner's GRUB starts on a machine with nothing to install: a firmware, disks, and the function that it is told to call."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import time

import pytest
import yaml

from labs import GUARD, ROOT

ROLE = ROOT / "roles/provisioner"
SERIAL = "serial --unit=0 --speed=115200\nterminal_output console serial\n"
SECTOR, ESP, ROOT_FS = 512, 64 << 20, 16 << 20
# The partitions of os_image: BIOS boot, ESP, root.
PARTITIONS = {2: (4096, ESP), 3: (4096 + ESP // SECTOR, ROOT_FS)}


def run(*words) -> None:
    """Run a program that must succeed."""
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def loader(folder: pathlib.Path, script: str, modules: str) -> pathlib.Path:
    """A GRUB for UEFI that runs a script, with the modules that it is made with."""
    (folder / "grub.cfg").write_text(SERIAL + script)
    run("grub-mkstandalone", "-O", "x86_64-efi", "-o", folder / "grub.efi", f"--modules={modules}", "--install-modules=normal", "--locales=",
        "--fonts=", "--themes=", f"boot/grub/grub.cfg={folder}/grub.cfg")
    return folder / "grub.efi"


def esp(path: pathlib.Path, program: pathlib.Path) -> pathlib.Path:
    """A FAT file system with a loader where a firmware looks for it."""
    with path.open("wb") as handle:
        handle.truncate(ESP)
    run("mkfs.vfat", "-F", "32", path)
    run("mmd", "-i", path, "::/EFI", "::/EFI/BOOT")
    run("mcopy", "-i", path, program, "::/EFI/BOOT/BOOTX64.EFI")
    return path


def disk(folder: pathlib.Path, name: str, label: str) -> pathlib.Path:
    """A disk whose loader says its name, and whose root has a label."""
    folder.mkdir()
    whole = folder / "disk.img"
    with whole.open("wb") as handle:
        handle.truncate(160 << 20)
    run("sgdisk", "--new=1:2048:4095", *(f"--new={number}:{first}:{first + size // SECTOR - 1}" for number, (first, size) in PARTITIONS.items()), whole)
    root = folder / "root"
    with root.open("wb") as handle:
        handle.truncate(ROOT_FS)
    run("mkfs.ext4", "-q", "-F", "-L", label, root)
    said = loader(folder, f"echo I-AM-{name}\nsleep 600\n", "serial terminal echo sleep")
    for number, part in ((2, esp(folder / "esp", said)), (3, root)):
        run("dd", f"if={part}", f"of={whole}", f"seek={PARTITIONS[number][0]}", f"bs={SECTOR}", "conv=notrunc")
    return whole


@pytest.fixture(name="machine", scope="module")
def _machine(tmp_path_factory):
    """Two disks and the medium that stands for the network: {name: file}."""
    folder = tmp_path_factory.mktemp("local-boot")
    start = (ROLE / "templates/start.cfg.j2").read_text()
    function = re.search(r"^function boot_from_disk \{.*?^\}\n", start, re.MULTILINE | re.DOTALL).group()
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    modules = variables["__provisioner_grub_formats"][0]["modules"].replace("{{ __provisioner_grub_modules }}", variables["__provisioner_grub_modules"])
    return {
        "other": disk(folder / "other", "other", "somebody"),
        "ours": disk(folder / "ours", "ours", "typeone-root"),
        "medium": esp(folder / "medium.img", loader(folder, function + "boot_from_disk\n", modules)),
    }


@pytest.mark.timeout(GUARD)
@pytest.mark.parametrize("order", [("ours", "other"), ("other", "ours")])
def test_the_disk_with_our_system_is_started_whatever_stands_before_it(machine, order, tmp_path):
    """The first disk of the machine may hold another system."""
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", tmp_path / "vars.fd")
    words = ["qemu-system-x86_64", "-M", "q35", "-m", "512", "-display", "none", "-monitor", "none", "-net", "none", "-serial", f"file:{tmp_path}/console",
             "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", f"if=pflash,format=raw,file={tmp_path}/vars.fd"]
    for number, name in enumerate((*order, "medium")):
        words += ["-drive", f"if=none,id=d{number},format=raw,file={machine[name]}",
                  "-device", f"ide-hd,drive=d{number},bus=ide.{number},bootindex={0 if name == 'medium' else number + 1}"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as process:
        try:
            said = None
            while said is None:
                time.sleep(0.2)
                assert process.poll() is None
                console = tmp_path / "console"
                said = re.search(rb"I-AM-([a-z]+)", console.read_bytes() if console.exists() else b"")
        finally:
            process.kill()
    assert said.group(1) == b"ours"
