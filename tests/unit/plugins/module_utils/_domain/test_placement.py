# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers are chosen, and why the others are not."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.typeone.metal.plugins.plugin_utils._placement import match_nodes, place_nodes

GIB = 1024 ** 3


def node(name, memory=64, threads=16, nics=2, **more):
    """Return an inspected server."""
    macs = [{"mac_address": f"02:00:00:00:00:{number:02x}"} for number in range(nics)]
    return {"name": name, "hardware": {"system": {"memory_bytes": memory * GIB, "thread_count": threads},
                                       "processors": [{"thread_count": threads}], "network_interfaces": macs,
                                       "disks": [{"media_type": "ssd"}]}, **more}


FLEET = [node("big", 512, 128, rack="r1", traits=["gpu"]), node("mid-a", 128, 32, rack="r1"),
         node("mid-b", 128, 32, rack="r2", reserved_for="storage"), node("small", 32, 8, rack="r3")]


@pytest.mark.parametrize("request_, chosen", [
    ({}, ["small"]),
    ({"fit": "worst"}, ["big"]),
    ({"min_memory_gib": 64}, ["mid-a"]),
    ({"min_memory_gib": 64, "count": 2}, ["mid-a", "big"]),
    ({"min_memory_gib": 64, "count": 2, "reserved_for": "storage", "spread_by": "rack"}, ["mid-a", "mid-b"]),
    ({"traits": ["gpu"]}, ["big"]),
    ({"forbidden_traits": ["gpu"], "fit": "worst"}, ["mid-a"]),
    ({"queries": ["rack == 'r3'"]}, ["small"]),
    ({"queries": ["hardware.disks[?media_type=='hdd']"]}, []),
    ({"count": 0}, []),
])
def test_choice(request_, chosen):
    """The right nodes in the right order."""
    assert place_nodes(FLEET, request_)["chosen"] == chosen


def test_every_rejected_node_is_explained():
    """All reasons, in words and numbers; the same by names."""
    outcome = place_nodes({item.pop("name"): item for item in map(dict, FLEET)},
                          {"count": 2, "min_memory_gib": 256, "min_cpus": 64, "traits": ["ssd"], "queries": ["rack=='r9'"]})
    assert not outcome["satisfied"] and outcome["chosen"] == [] and set(outcome["rejected"]) == {node["name"] for node in FLEET}
    assert outcome["rejected"]["small"] == ["it has 32 GiB of memory and min_memory_gib is 256",
                                            "it has 8 logical CPUs and min_cpus is 64", "it lacks the trait ssd",
                                            "the query rack=='r9' is not true for it"]
    assert "it is reserved for storage" in outcome["rejected"]["mid-b"]
    assert outcome["explanation"][0] == "0 of 2 asked for chosen among 4: none"


def test_unknown_hardware_is_never_chosen_for_its_size():
    """A node that was not inspected suits no number."""
    outcome = place_nodes([{"name": "new"}], {"min_cpus": 1})
    assert outcome["rejected"] == {"new": ["its hardware is not known (inspect it first)"]}
    assert place_nodes([{"name": "new"}], {})["chosen"] == ["new"]


def test_spread_takes_each_group_before_any_twice():
    """Even over racks, best fit within."""
    fleet = [node(f"n{number}", 64, 16, rack=f"r{number % 3}") for number in range(9)]
    chosen = place_nodes(fleet, {"count": 6, "spread_by": "rack"})["chosen"]
    assert sorted(name[1:] for name in chosen[:3]) == ["0", "1", "2"] and len({int(name[1:]) % 3 for name in chosen[3:]}) == 3


@pytest.mark.parametrize("request_, words", [
    ({"min_ram": 1}, "min_ram"), ({"count": "two"}, "count is 'two'"), ({"fit": "first"}, "best, worst"),
    ({"traits": "gpu"}, "traits is 'gpu'"), ({"queries": ["a["]}, "a["),
    ({"traits": ["x"], "forbidden_traits": ["x"]}, "both asked for and forbidden"),
])
def test_wrong_requests_are_named(request_, words):
    """The key, the value, and what is valid."""
    with pytest.raises(AnsibleFilterError) as caught:
        place_nodes(FLEET, request_)
    assert words in str(caught.value)


def test_nodes_must_have_names():
    """Two of one name, or none."""
    for fleet in ([{}], [FLEET[0], FLEET[0]], "node1"):
        with pytest.raises(AnsibleFilterError):
            place_nodes(fleet, {})


def test_match():
    """One node, or enough of many."""
    assert match_nodes(FLEET[0], {"min_cpus": 64}) and not match_nodes(FLEET[3], {"min_cpus": 64})
    assert match_nodes(FLEET, {"count": 3}) and not match_nodes(FLEET, {"count": 4})
