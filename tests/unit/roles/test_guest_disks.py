# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that the proof's guest is given: what is refused, how hypervisors are told, what is compared."""

from __future__ import annotations

import hashlib
import pathlib
import re
import subprocess

import pytest

from guestprogram import FILES, disks, parts

SIZE = disks.PART


@pytest.fixture(name="path")
def _path(tmp_path):
    """A disk that is empty."""
    path = tmp_path / "disk"
    path.write_bytes(bytes(SIZE))
    return path


def extra(path: pathlib.Path, *, hypervisor: str = "kvm", pattern: str = "one", write: bool = False):
    """The extra with one disk."""
    return disks.Disks({"hypervisor": hypervisor, "disks": [{"path": str(path), "pattern": pattern, "write": write}]})


@pytest.mark.parametrize(("content", "asked", "said"), [
    (bytes(SIZE), {"write": True}, None),
    (disks.pattern_of("an earlier one"), {"write": True}, None),
    (b"data" + bytes(SIZE), {"write": True}, "holds data"),
    (disks.pattern_of("one")[:-1] + b"!", {"write": True}, "holds data"),
    (b"data" + bytes(SIZE), {}, None),
    (bytes(SIZE), {"write": True, "pattern": ""}, "no pattern is given"),
    (bytes(SIZE - 1), {}, "larger disk"),
])
def test_only_what_is_empty_is_written(path, content, asked, said):
    """Or what an earlier guest left; reading harms nothing."""
    path.write_bytes(content)
    if said:
        with pytest.raises(parts.ProofError, match=said):
            extra(path, **asked).prepare(None)
    else:
        extra(path, **asked).prepare(None)
    assert path.read_bytes() == content


def test_a_disk_that_is_not_there(tmp_path):
    """It is named."""
    with pytest.raises(parts.ProofError, match="nowhere cannot be read"):
        extra(tmp_path / "nowhere").prepare(None)


def test_a_disk_is_given_read_only_unless_it_is_written(path):
    """By both hypervisors; the guest has no pattern then."""
    for write, kvm, xen in ((False, "read-only=on", "access=ro"), (True, "read-only=off", "access=rw")):
        assert kvm in " ".join(extra(path, write=write).kvm(None)) and xen in extra(path, write=write).xen(None)["disk"][0]
        assert bool(re.fullmatch(r"proof.disk=vda,[0-9a-f]+", extra(path, write=write).words()[0])) is write
    assert extra(path, hypervisor="xen").words() == ["proof.disk=xvda,"]


def test_what_the_guest_finds_is_compared(path):
    """With the pattern, with what the host finds where there is none, and with what is on the disk where it wrote."""
    digest = hashlib.sha256(disks.pattern_of("one")).hexdigest()
    found = extra(path).observe(None, {"disks": {"vda": digest}})
    assert found["disks"][str(path)]["digest"] == digest and found["text"] == f"{path} read"
    for answer in ({}, {"disks": {}}, {"disks": {"vda": "0" * 64}}):
        with pytest.raises(parts.ProofError, match="which is the pattern one"):
            extra(path).observe(None, answer)
    empty = hashlib.sha256(bytes(SIZE)).hexdigest()
    assert extra(path, pattern="").observe(None, {"disks": {"vda": empty}})["disks"][str(path)]["digest"] == empty
    with pytest.raises(parts.ProofError, match="is not what the host finds there"):
        extra(path, write=True).observe(None, {"disks": {"vda": digest}})


def test_the_guest_fills_a_disk_as_the_host_works_it_out(path):
    """The function of its init, run here on a file."""
    text = (FILES / "guest_init").read_text(encoding="utf-8")
    function = text[text.index("look_at_disk() {"):text.index('if [ -n "$disks" ]')]
    function = function.replace("/dev/$1", "$1").replace("-b ", "-e ").replace("echo 3 >/proc/sys/vm/drop_caches", ":")
    words = extra(path, pattern="one two", write=True).words()[0].partition(",")[2]
    for pattern in (words, ""):
        done = subprocess.run(["busybox", "sh", "-c", f'{function}\nlook_at_disk "$0" "$1"', str(path), pattern],
                              check=True, capture_output=True, text=True, timeout=60)
        assert path.read_bytes() == disks.pattern_of("one two")
        assert done.stdout.strip() == hashlib.sha256(disks.pattern_of("one two")).hexdigest()
