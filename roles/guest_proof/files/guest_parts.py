# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What the proof is built from: its errors, programs of the host, and the guest's initramfs."""
from __future__ import annotations

import gzip
import lzma
import os
import pathlib
import re
import subprocess
import typing as t

BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")
LINE = re.compile(r"TYPEONE-PROOF (\{.*?\}) END")
UNPACK: dict[str, t.Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress}
Config = t.Dict[str, t.Any]


class ProofError(Exception):
    """The proof did not come about; the text says why, ``details`` is what is reported."""

    details: Config


class Crashed(ProofError):
    """The toolstack was ended by a signal: that is its own fault, and not the guest's or the host's."""


def repeatable(argv: t.Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program that may be run twice without harm, up to three times while a signal ends it."""
    for _attempt in range(3):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        if done.returncode >= 0:
            break
    return done


def ask(argv: t.Sequence[str]) -> str:
    """What a program that only reads prints."""
    try:
        done = repeatable(argv)
    except OSError as error:
        raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
    if done.returncode:
        raise ProofError(f"{' '.join(argv[:2])} ended with status {done.returncode}: {done.stdout.strip()[-300:]}")
    return done.stdout


def create(argv: t.Sequence[str], *, seconds: float = 300.0) -> None:
    """Have the toolstack make a guest; being ended by a signal is told apart from an error of its own."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{' '.join(argv[:2])} did not end within {seconds:.0f} s") from error
    except OSError as error:
        raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if not line.startswith("Parsing config")]
        text = f"{' '.join(argv[:2])} ended with status {done.returncode}: {' / '.join(filter(None, said))[:600]}"
        if done.returncode < 0 or done.returncode >= 128 or "Segmentation fault" in done.stdout:
            raise Crashed(text)
        raise ProofError(text)


def last_lines(text: str) -> list[str]:
    """The last lines with something in them, without the codes of terminals."""
    clean = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line for line in clean.replace("\r", "").splitlines() if line.strip()][-15:]


def cpio(entries: t.Iterable[tuple[str, int, bytes, int]]) -> bytes:
    """A newc archive (cpio(5)) of (name, mode, content, device number); the kernel takes it as an initramfs."""
    archive = bytearray()
    for number, (name, mode, content, device) in enumerate([*entries, ("TRAILER!!!", 0, b"", 0)], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, device >> 8, device & 0xFF, len(name) + 1, 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        archive += bytes(-len(archive) % 4) + content
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def modules_of(names: t.Sequence[str]) -> list[tuple[str, bytes]]:
    """Modules of the host's kernel with all that they need, in the order of loading: (file name, content)."""
    paths: dict[str, None] = {}
    for name in names:
        for line in ask(["modprobe", "--show-depends", name]).splitlines():
            if line.startswith("insmod "):
                paths[line.split()[1]] = None
    return [(f"{number:02d}-{pathlib.Path(path).name.partition('.ko')[0]}.ko", read_module(pathlib.Path(path)))
            for number, path in enumerate(paths)]


def read_module(path: pathlib.Path) -> bytes:
    """A module's content as the guest's busybox can load it."""
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", str(path)], stdout=subprocess.PIPE, check=True).stdout
    return UNPACK.get(path.suffix, bytes)(path.read_bytes())


def write_initramfs(path: pathlib.Path, init: str, modules: t.Sequence[str] = ()) -> None:
    """Write the guest's initramfs: busybox, its init, a console, and modules of its kernel."""
    busybox = next((pathlib.Path(name) for name in BUSYBOX if os.path.exists(name)), None)
    if busybox is None:
        raise ProofError("busybox is missing. Install busybox-static")
    binary = busybox.read_bytes()
    if b"/ld-linux" in binary[:4096]:
        raise ProofError("busybox is not static. Install busybox-static in its place")
    found = [(f"modules/{name}", 0o100644, content, 0) for name, content in modules_of(modules)]
    path.write_bytes(cpio([("bin", 0o40755, b"", 0), ("bin/busybox", 0o100755, binary, 0), ("bin/sh", 0o120777, b"busybox", 0),
                           ("dev", 0o40755, b"", 0), ("dev/console", 0o20600, b"", 5 << 8 | 1),
                           ("dev/null", 0o20666, b"", 1 << 8 | 3), ("modules", 0o40755, b"", 0), *found,
                           ("init", 0o100755, init.encode(), 0)]))
