# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of an installation: chosen by what it is, refused for what it carries, gone on with where it is ours."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import Disk, DiskProblem, Marker
from ansible_collections.typeone.metal.plugins.module_utils._host import disks, installation
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import Outcome

SIZE = 64 * 1024 * 1024


class NoPrograms:
    """A machine on which lsblk and wipefs know nothing."""

    def run(self, argv: list[str], **_more: t.Any) -> Outcome:
        return Outcome(argv=tuple(argv), rc=0, stdout='{"blockdevices": []}' if argv[0] == "lsblk" else "", stderr="")


class Machine:
    """A machine whose disks are files."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.disks: list[Disk] = []
        monkeypatch.setattr(installation, "DISK_WAIT_SECONDS", -1.0)
        monkeypatch.setattr(installation, "write_progress", lambda state: None)
        monkeypatch.setattr(disks, "list_disks", lambda programs: self.disks)

    def disk(self, serial: str, content: bytes = b"") -> Disk:
        path = self.folder / serial
        with path.open("wb") as stream:
            stream.write(content)
            stream.truncate(SIZE)
        self.disks.append(Disk(path=str(path), serial=serial, size_bytes=SIZE))
        return self.disks[-1]

    def plan(self, **options: t.Any) -> tuple[Disk, str, list[str]]:
        given = {"node": "node1", "hints": {"serial": "S1"}, "destroy": [], "unfinished": [], "image": {"key": "new"}, **options}
        return installation.Installation(given, programs=NoPrograms()).plan()


@pytest.fixture
def machine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


XFS = b"XFSB" + bytes(508)


@pytest.mark.parametrize("carried, hints, cause, remedy", [
    ({}, {"serial": "S1"}, "no disk at all", "Check the controller"),
    ({"S2": b"", "S3": b""}, {"serial": "S1"}, "no disk matches the hints (serial S1)", "Correct typeone_disk_hints"),
    ({"S1": b"", "S2": b""}, {"type": "ssd"}, "2 disks match the hints", "Add the serial or the WWN"),
    ({"S1": XFS}, {"serial": "S1"}, "holds data: XFS file system", "add its serial 'S1' to typeone_disk_destroy"),
])
def test_what_is_refused_says_why_and_what_to_do(machine: Machine, carried: dict[str, bytes], hints: dict[str, str],
                                                 cause: str, remedy: str) -> None:
    for serial, content in carried.items():
        machine.disk(serial, content)
    with pytest.raises(DiskProblem) as refused:
        machine.plan(hints=hints)
    assert cause in str(refused.value) and remedy in str(refused.value)


def test_a_disk_that_may_be_lost_is_written_and_what_it_carried_is_told(machine: Machine) -> None:
    chosen = machine.disk("S1", XFS)
    disk, what, carried = machine.plan(destroy=["s1"])
    assert (disk, what) == (chosen, "write") and carried and "XFS" in carried[0]


@pytest.mark.parametrize("marker, unfinished, what", [
    (Marker(state="writing", node="node1", deploy_id="d1", image_key="old"), [], "write"),
    (Marker(state="ready", node="node1", deploy_id="d1", image_key="new"), ["d1", "d2"], "reuse"),
    (Marker(state="ready", node="node1", deploy_id="d1", image_key="old"), ["d1", "d2"], "write"),
    (Marker(state="ready", node="node1", deploy_id="d1", image_key="new"), ["d2"], None),
    (Marker(state="writing", node="node2", deploy_id="d1", image_key="new"), ["d1"], None),
])
def test_a_deploy_that_was_killed_goes_on_with_its_own_disk_only(machine: Machine, marker: Marker, unfinished: list[str],
                                                                 what: str | None) -> None:
    disk = machine.disk("S1", XFS)
    disks.write_marker(disk, marker)
    if what is None:
        with pytest.raises(DiskProblem, match="holds data"):
            machine.plan(unfinished=unfinished)
    else:
        assert machine.plan(unfinished=unfinished)[1] == what
