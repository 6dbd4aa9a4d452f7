# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which volume is the declared one, and what is in its way."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.volumes import (
    drive_of, guard, in_the_way, layout_problem, matching, plan_volume, same_layout, unknown_serials, words,
)

DRIVES = [{"serial": f"A{number}", "controller": "raid"} for number in range(4)] + [
    {"serial": "B0", "controller": "other"}, {"serial": None, "controller": "raid"}]
CONTROLLERS = [{"id": "raid", "levels": ["raid0", "raid1"]}, {"id": "other", "levels": []}]
VOLUMES = [{"id": "1", "name": "system", "level": "raid1", "drives": ["A0", "A1"], "size_bytes": 1000, "raw": False},
           {"id": "2", "name": "data", "level": "raid0", "drives": ["A2"], "size_bytes": 500, "raw": False},
           {"id": "3", "name": "A3", "level": None, "drives": ["A3"], "size_bytes": 500, "raw": True}]


def wanted(*drives, level="raid1", name=None, size_bytes=None):
    """Return a declared volume."""
    return {"drives": list(drives), "level": level, "name": name, "size_bytes": size_bytes}


@pytest.mark.parametrize(("volume", "kept", "rename", "delete"), [
    (wanted("A1", "a0"), "1", False, []), (wanted("A0", "A1", name="system"), "1", False, []), (wanted("A0", "A1", name="1"), "1", False, []),
    (wanted("A0", "A1", name="boot"), "1", True, []), (wanted("A0", "A1", name="data"), None, False, ["1", "2"]),
    (wanted("A0", "A1", level="raid0"), None, False, ["1"]), (wanted("A0", "A1", size_bytes=1009), "1", False, []),
    (wanted("A0", "A1", size_bytes=1200), None, False, ["1"]), (wanted("A3", level="raid0"), None, False, []),
    (wanted("A1", "A2"), None, False, ["1", "2"]), (wanted("A3", level="raid0", name="data"), None, False, ["2"])])
def test_plan(volume, kept, rename, delete):
    """Drives, level, size and name; drives that are listed as volumes are not in the way."""
    plan = plan_volume(volume, VOLUMES)
    assert ((plan.kept or {}).get("id"), plan.rename, [entry["id"] for entry in plan.delete]) == (kept, rename, delete)


@pytest.mark.parametrize(("volume", "cause"), [
    (wanted("A0", "A1"), None), (wanted("A0", "C9"), "C9"), (wanted("A0", "A0"), "twice"), (wanted("A0"), "needs 2 drives"),
    (wanted("A0", "B0"), "different controllers (other, raid)"), (wanted("A0", "A1", "A2", level="raid5"), "does not offer raid5"),
    (wanted("B0", level="raid0"), None)])
def test_layout_problem(volume, cause):
    """What the drives and their controller do not allow."""
    problem = layout_problem(volume, DRIVES, CONTROLLERS)
    assert (cause in problem.cause and problem.remedy) if cause else problem is None


def test_guard():
    """Only what is named may be lost."""
    lost = tuple(VOLUMES[:2])
    assert guard(lost, ["system", "2"]) is None and guard((), []) is None
    problem = guard(lost, ["system"])
    assert words(VOLUMES[1]) in problem.cause and "replace: [data]" in problem.remedy and "system" not in problem.cause


def test_matching():
    """All criteria hold, as far as they are given."""
    def ids(**criteria):
        return [volume["id"] for volume in matching(criteria, VOLUMES)]

    assert ids(name="data") == ids(name="2") == ids(drives=["a2"]) == ["2"] and not ids(name="data", level="raid1") and not ids(drives=["A3"])
    assert [volume["id"] for volume in in_the_way(wanted("A2"), VOLUMES)] == ["2"]


def test_serials():
    """Case and blanks do not matter; a drive without one is none."""
    assert drive_of(" a0 ", DRIVES)["serial"] == "A0" and drive_of("None", DRIVES) is None and unknown_serials([], DRIVES) is None
    assert same_layout({"drives": ["A0"], "level": "raid0", "size_bytes": None}, wanted("A0", level="raid0", size_bytes=5))
