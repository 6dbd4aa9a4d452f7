# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""CPU lists."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import (
    format_cpu_list,
    format_cpu_mask,
    parse_cpu_list,
)
from hypothesis import given
from hypothesis import strategies as st

CPUS = st.sets(st.integers(min_value=0, max_value=300))


@given(CPUS)
def test_what_is_written_is_read_back(cpus) -> None:
    """Writing and reading are inverse, and the form is canonical."""
    text = format_cpu_list(cpus)
    assert set(parse_cpu_list(text)) == cpus
    assert format_cpu_list(parse_cpu_list(text)) == text


@given(CPUS)
def test_a_mask_has_a_bit_for_each_cpu(cpus) -> None:
    """The mask is the number whose bits are the CPUs, in groups of eight digits."""
    groups = format_cpu_mask(cpus).split(",")
    assert all(len(group) == 8 for group in groups)
    assert int("".join(groups), 16) == sum(1 << cpu for cpu in cpus)


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("", ()),
        (None, ()),
        ("3", (3,)),
        (3, (3,)),
        ("0-2, 8", (0, 1, 2, 8)),
        ("1,1,0-1", (0, 1)),
        ("0-7:2/4", (0, 1, 4, 5)),
        ([2, "1"], (1, 2)),
    ],
)
def test_lists_that_are_read(text, cpus) -> None:
    """Linux's list format."""
    assert parse_cpu_list(text) == cpus


@pytest.mark.parametrize("text", ["a", "1-", "3-1", "0-7:5/4", "0-7:0/4", "-1", "0-70000", [-1], 70000])
def test_lists_that_are_refused(text) -> None:
    """What is not a list says so."""
    with pytest.raises(ValueError, match="is not a list of CPUs"):
        parse_cpu_list(text)
