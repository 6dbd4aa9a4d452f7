# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every tree at hand loads and is served as it was recorded; the recorded ones that are absent are named as skipped."""

from __future__ import annotations

import json

import pytest

import testbmc
from testbmc import trees

# What ../shared/redfish-trees (or $TYPEONE_REDFISH_TREES) holds for the project's own tests, and how many systems each lists.
RECORDED = {
    "dell-r750-idrac9_6.00": 1, "dmtf-public_rackmount1": 1, "gigabyte-h262_ami-12.84": 1, "hpe-dl360gen10plus-ilo5_3.11": 1,
    "hpe-dl365gen10plus-ilo5_3.14": 1, "hpe-dl380agen11-ilo6_1.66": 1, "hpecray-ex235a": 1, "huawei-2288hv5-ibmc_3.12": 1,
    "lenovo-sr670v2-xcc_1.40": 1, "nvidia-gh200-24.05": 2, "openbmc-stock-2.15": 1, "supermicro-x10sdv-4.00": 1,
}
MORE = sorted(set(testbmc.recorded()) - set(RECORDED))


@pytest.mark.parametrize("name", ["mini", *RECORDED, *MORE])
def test_a_tree_is_served(start, name):
    """The root, all systems and a sample of everything else come as recorded; a system with a Reset action starts and stops."""
    if name != "mini" and name not in testbmc.recorded():
        pytest.skip(f"the recorded tree {name} is not in {trees.folder()} (set TYPEONE_REDFISH_TREES)")
    bmc, client = start(name)
    assert len(bmc.systems) == RECORDED.get(name, len(bmc.systems)) and bmc.systems and bmc.of_kind("Manager")
    paths = list(bmc.tree.files)
    for path in [*bmc.systems, *paths[::max(1, len(paths) // 40)]]:
        if path in bmc.store.changed:
            continue
        answer = client("GET", path)
        assert (answer.status, answer.raw) == (200, bmc.store.raw(path)), path
    root = client("GET", "/redfish/v1/").json
    assert "Systems" in root and bmc.sessions.collection in json.dumps(root)
    for system in bmc.systems:
        target = next((path for path, (action, owner) in bmc.store.actions.items() if action == "ComputerSystem.Reset" and owner == system), None)
        if target is not None:
            bmc.power.set_state(system, "Off")
            answer = client("POST", target, {"ResetType": "On"})
            assert answer.status == 204 and bmc.power.state(system) == "On", answer.raw
            answer = client("POST", target, {"ResetType": "ForceOff"})
            assert answer.status == 204 and bmc.power.state(system) == "Off", answer.raw
    assert client("GET", "/redfish/v1/NoSuchThing").status == 404


def test_absent_trees_are_told():
    """One line for the log of a run: how many of the recorded trees are at hand, and where they were looked for."""
    absent = sorted(set(RECORDED) - set(testbmc.recorded()))
    print(f"recorded trees: {len(testbmc.recorded())} at hand in {trees.folder()}, {len(absent)} absent")
    if absent:
        pytest.skip(f"{len(absent)} of {len(RECORDED)} recorded trees are not in {trees.folder()}: {', '.join(absent)}")


def test_where_trees_are_looked_for(monkeypatch, tmp_path):
    """In the folder of the environment; one that is not there is a FileNotFoundError."""
    monkeypatch.setenv("TYPEONE_REDFISH_TREES", str(tmp_path))
    assert testbmc.names() == ["mini"]
    with pytest.raises(FileNotFoundError):
        testbmc.load("no-such-tree")


def test_the_mini_tree_has_no_dangling_link():
    """Each reference in it leads to a resource of it."""
    tree = testbmc.load("mini")
    wrong: list = []

    def look(where: str, data) -> None:
        if isinstance(data, dict):
            link = data.get("@odata.id")
            if isinstance(link, str) and link.split("#")[0] not in tree.files:
                wrong.append((where, link))
            for value in data.values():
                look(where, value)
        elif isinstance(data, list):
            for value in data:
                look(where, value)

    for path in tree.files:
        look(path, tree.json(path))
    assert not wrong
