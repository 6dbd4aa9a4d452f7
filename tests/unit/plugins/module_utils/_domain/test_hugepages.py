# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Huge pages planned per node."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import (
    GIB,
    Node,
    format_size,
    parse_size,
    plan_hugepages,
)
from hypothesis import given
from hypothesis import strategies as st

MIB2 = 2 * 1024**2
SIZES = {MIB2: 0, GIB: 0}


def nodes(*gibibytes: int) -> list:
    """Nodes with both page sizes."""
    return [Node(number, size * GIB, SIZES) for number, size in enumerate(gibibytes)]


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_a_count_is_spread_evenly_and_whole(count, number) -> None:
    """Nothing is lost, and no node has more than one page above another."""
    plan = plan_hugepages([{"size": "2M", "count": count}], nodes(*[4] * number))
    held = [pages[MIB2] for pages in plan.pages.values()]
    assert sum(held) == count
    assert max(held) - min(held) <= 1


@given(st.floats(0, 1), st.integers(1, 512))
def test_a_share_always_fits(share, size) -> None:
    """A share is of what a node can give, so it is feasible."""
    plan = plan_hugepages([{"size": "2M", "share": share}], nodes(size, size))
    assert plan.feasible
    assert plan.pages[0][MIB2] * MIB2 <= max(0, size * GIB - max(GIB, size * GIB // 10)) + MIB2


@given(st.integers(0, 40), st.integers(0, 20000))
def test_feasible_is_what_the_sum_says(large, small) -> None:
    """A plan fits if, and only if, pages and reserve are no more than the node has."""
    plan = plan_hugepages([{"size": "1G", "count": large}, {"size": "2M", "count": small}], nodes(32), reserve="4G")
    assert plan.feasible == (large * GIB + small * MIB2 <= 28 * GIB)


@pytest.mark.parametrize(
    ("pools", "arguments"),
    [
        ([{"size": "1G", "nodes": {0: 4, "1": 2}}], ["hugepagesz=1G", "hugepages=0:4,1:2"]),
        ([{"size": "1G", "nodes": {1: 2}}], ["hugepagesz=1G", "hugepages=1:2"]),
        ([{"size": "2M", "count": 512}], []),
        ([{"size": "2M", "count": 512, "reserve_at": "boot"}], ["hugepagesz=2M", "hugepages=0:256,1:256"]),
        ([{"size": "2M", "memory": "20G"}], ["hugepagesz=2M", "hugepages=0:5120,1:5120"]),
        ([{"size": "1G", "count": 2, "reserve_at": "runtime"}], []),
        ([{"size": "1G", "count": 0}], []),
        ([], []),
    ],
)
def test_what_is_reserved_at_boot(pools, arguments) -> None:
    """1 GiB pages, and what takes more than half of a node."""
    plan = plan_hugepages(pools, nodes(16, 16))
    assert plan.feasible, plan.problems
    assert plan.arguments() == arguments


def test_one_node_has_plain_counts_and_large_pages_come_first() -> None:
    """The form without nodes is understood by every kernel."""
    plan = plan_hugepages([{"size": "2M", "count": 9, "reserve_at": "boot"}, {"size": "1G", "count": 4}], nodes(16))
    assert plan.arguments() == ["hugepagesz=1G", "hugepages=4", "hugepagesz=2M", "hugepages=9"]


def test_the_arithmetic_is_told() -> None:
    """A request that cannot be says by how much, for the node that lacks it."""
    plan = plan_hugepages([{"size": "1G", "nodes": {0: 4, 1: 15}}], nodes(16, 16))
    assert not plan.feasible
    assert plan.problems == (
        "NUMA node 1: 15 x 1 GiB = 15 GiB asked; 16 GiB - 1.6 GiB for the system = 14.4 GiB to give; 614.4 MiB too much",
    )


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([{"size": "2M"}], "one of count, nodes, share and memory, not none"),
        ([{"size": "2M", "count": 1, "share": 0.1}], "not count and share"),
        ([{"size": "2M", "nodes": {3: 1}}], "NUMA node 3 is not there: this host has 0, 1"),
        ([{"size": "2M", "share": 1.5}], "not between 0 and 1"),
        ([{"size": "2M", "count": -1}], "fewer than none"),
        ([{"size": "two", "count": 1}], "is not a size"),
        ([{"size": "2M", "count": 1}, {"size": "2048K", "count": 1}], "name each size once"),
    ],
)
def test_requests_that_make_no_sense(pools, words) -> None:
    """Refused before any arithmetic."""
    with pytest.raises(ValueError, match=words):
        plan_hugepages(pools, nodes(16, 16))


def test_a_size_that_the_kernel_lacks() -> None:
    """A page size without a pool is named, with those that there are."""
    plan = plan_hugepages([{"size": "1G", "count": 1}], [Node(0, 16 * GIB, {MIB2: 0})])
    assert plan.problems == ("NUMA node 0: the kernel has no pages of 1 GiB (it has 2 MiB)",)


@pytest.mark.parametrize(("text", "size"), [("2M", MIB2), ("1 GiB", GIB), ("512KB", 524288), ("1.5g", GIB * 3 // 2), (7, 7)])
def test_sizes(text, size) -> None:
    """Sizes are read in powers of 1024."""
    assert parse_size(text) == size


def test_sizes_are_written_short() -> None:
    """One digit after the point, and none where it is nought."""
    assert [format_size(n) for n in (GIB, GIB * 3 // 2, MIB2, 1024, 5)] == ["1 GiB", "1.5 GiB", "2 MiB", "1 KiB", "5 B"]
