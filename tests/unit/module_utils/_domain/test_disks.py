# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk is chosen, and when it may be written."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import (
    GIB,
    MARKER_BACK,
    MARKER_BYTES,
    Disk,
    DiskHints,
    DiskProblem,
    Guard,
    Marker,
    choose,
    judge,
    marker_offset,
    mismatch,
    same_serial,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.signatures import Signature

SATA = Disk(path="/dev/sda", serial="S6XYZ0001", wwn="0x5000c500a1b2c3d4", size_bytes=480 * GIB, transport="sata")
NVME = Disk(path="/dev/nvme0n1", serial="PHLN1", wwn="eui.0025388b71b2c3d4", size_bytes=960 * GIB, transport="nvme")
SPINNING = Disk(path="/dev/sdb", serial="ZA1", size_bytes=8000 * GIB, rotational=True, transport="sas")
DISKS = (SATA, NVME, SPINNING)
GUARD = Guard(node="node1", image_key="abc")
GPT = [Signature("GPT partition table", 512)]


@pytest.mark.parametrize("left, right, same", [
    ("S6XYZ0001", "s6xyz 0001", True),
    ("0x5000C500A1B2C3D4", "5000c500a1b2c3d4", True),
    ("naa.5000c500a1b2c3d4", "0x5000c500a1b2c3d4", True),
    ("eui.0025388b", "0025388B", True),
    ("", "", False),
    ("A1", "A2", False),
])
def test_identifiers_as_people_write_them(left: str, right: str, same: bool) -> None:
    assert same_serial(left, right) is same


@pytest.mark.parametrize("hints, expected", [
    (DiskHints(serial="s6xyz0001"), SATA),
    (DiskHints(wwn="0025388B71B2C3D4"), NVME),
    (DiskHints(type="nvme"), NVME),
    (DiskHints(type="ssd"), SATA),
    (DiskHints(rotational=True), SPINNING),
    (DiskHints(max_size_gib=500), SATA),
    (DiskHints(min_size_gib=500, max_size_gib=1000), NVME),
    (DiskHints(min_size_gib=1000), SPINNING),
])
def test_one_disk_answers(hints: DiskHints, expected: Disk) -> None:
    assert choose(DISKS, hints) == expected


@pytest.mark.parametrize("disks, hints, said", [
    ((), DiskHints(serial="X"), "shows no disk at all"),
    (DISKS, DiskHints(serial="X"), "no disk matches the hints (serial X)"),
    (DISKS, DiskHints(rotational=False), "2 disks match the hints (rotational False): /dev/sda"),
    (DISKS, DiskHints(), "3 disks match the hints (no hints)"),
    (DISKS, DiskHints(serial="S6XYZ0001", type="nvme"), "/dev/sda (serial S6XYZ0001, 480.0 GiB, ssd, WWN 0x5000c500a1b2c3d4): its type is ssd"),
])
def test_no_disk_or_several_is_an_error_that_shows_them(disks: t.Sequence[Disk], hints: DiskHints, said: str) -> None:
    with pytest.raises(DiskProblem) as error:
        choose(disks, hints)
    assert said in str(error.value)
    assert "typeone_disk_hints" in str(error.value) or not disks


@pytest.mark.parametrize("disk, hints, said", [
    (replace(SATA, read_only=True), DiskHints(serial="S6XYZ0001"), "read-only"),
    (replace(SATA, removable=True), DiskHints(type="ssd"), "removable"),
    (replace(SATA, removable=True), DiskHints(serial="S6XYZ0001"), None),
])
def test_disks_that_do_not_count(disk: Disk, hints: DiskHints, said: str | None) -> None:
    assert (said or "None") in str(mismatch(disk, hints))


def marker(**changes: str) -> Marker:
    return replace(Marker(state="writing", node="node1", deploy_id="d1", image_key="abc"), **changes)


@pytest.mark.parametrize("signatures, found, guard, expected", [
    ([], None, GUARD, "write"),
    (GPT, None, replace(GUARD, destroy=("s6xyz0001",)), "write"),
    (GPT, marker(), GUARD, "write"),
    (GPT, marker(state="ready"), replace(GUARD, unfinished=("d0", "d1")), "reuse"),
    (GPT, marker(state="ready", image_key="old"), replace(GUARD, unfinished=("d1",)), "write"),
    (GPT, marker(state="ready"), replace(GUARD, unfinished=("d1",), destroy=("S6XYZ0001",)), "write"),
])
def test_what_may_be_written(signatures: list[Signature], found: Marker | None, guard: Guard, expected: str) -> None:
    assert judge(SATA, signatures, marker=found, guard=guard) == expected


@pytest.mark.parametrize("disk, found, guard, said", [
    (SATA, None, GUARD, "holds data: GPT partition table at byte 512. To lose"),
    (SATA, None, replace(GUARD, destroy=("OTHER",)), "add its serial 'S6XYZ0001' to typeone_disk_destroy"),
    (SATA, marker(state="ready"), GUARD, "It is the installation of node1"),
    (SATA, marker(state="ready"), replace(GUARD, unfinished=("d2",)), "holds data"),
    (SATA, marker(node="node2"), GUARD, "It is the installation of node2"),
    (replace(SATA, in_use=("lvm vg0-root",)), None, replace(GUARD, destroy=("S6XYZ0001",)), "in use by the running system (lvm vg0-root)"),
    (replace(SATA, serial=""), None, replace(GUARD, destroy=("",)), "holds data"),
])
def test_what_is_refused(disk: Disk, found: Marker | None, guard: Guard, said: str) -> None:
    with pytest.raises(DiskProblem) as error:
        judge(disk, GPT, marker=found, guard=guard)
    assert said in str(error.value)


def test_a_marker_survives_the_disk_and_rubbish_is_none() -> None:
    block = marker().encode()
    assert len(block) == MARKER_BYTES
    assert Marker.decode(block) == marker()
    for rubbish in (b"", bytes(MARKER_BYTES), block[:25], block.replace(b'"node"', b'"edon"'), block.replace(b"{", b"[")):
        assert Marker.decode(rubbish) is None


@pytest.mark.parametrize("size", [8 * GIB, 8 * GIB + 512, 500107862016])
def test_the_marker_is_aligned_and_inside(size: int) -> None:
    offset = marker_offset(size)
    assert offset % 4096 == 0
    assert size - MARKER_BACK - 4096 < offset <= size - MARKER_BACK
