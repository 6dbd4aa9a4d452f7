# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry allows, and what is to be written."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.bios import (
    check, close_to, converted, defaults_of, kind_of, not_yet, to_write, together, unknown,
)

ENUM = {"type": "enumeration", "values": ["Auto", "Enabled", "Disabled", "1"]}
INTEGER = {"type": "integer", "minimum": 2, "maximum": 10, "increment": 2}
TEXT = {"type": "string", "min_length": 1, "max_length": 4, "pattern": "^[a-z]+$"}


@pytest.mark.parametrize(("value", "entry", "present", "cause"), [
    ("Auto", ENUM, "Enabled", None), ("auto", ENUM, "Enabled", "not an allowed value"), (True, ENUM, "Enabled", "not a word"),
    (4, INTEGER, 2, None), (3, INTEGER, 2, "between two steps"), (12, INTEGER, 2, "out of range"), (0, INTEGER, 2, "out of range"),
    (True, INTEGER, 2, "not a whole number"), ("abc", TEXT, "", None), ("", TEXT, "", "0 characters"), ("abcde", TEXT, "", "5 characters"),
    ("ABC", TEXT, "", "form"), ("abc", {"type": "string", "pattern": "("}, "", None), (True, {"type": "boolean"}, False, None),
    (1, {"type": "boolean"}, False, "true or false"), ("x", {"type": "password"}, None, "password"), ("x", {"read_only": True}, "y", "read-only"),
    (5, {}, 3, None), ("5", {}, 3, "whole number"), ([1], {}, "x", "not a text"), ("anything", {}, None, None)])
def test_check(value, entry, present, cause):
    """Types, ranges, steps, lengths, forms; without a registry the present value's type."""
    wrong = check(value, entry=entry, present=present)
    assert (cause in wrong.cause and wrong.remedy) if cause else wrong is None


@pytest.mark.parametrize(("value", "kind", "expected"), [
    ("5", "integer", 5), (" -5 ", "integer", -5), ("five", "integer", "five"), ("True", "boolean", True), ("no", "boolean", "no"),
    (1, "enumeration", "1"), (2, "enumeration", 2), (True, "enumeration", True), ("5", "string", "5"), ("5", None, "5")])
def test_converted(value, kind, expected):
    """What a template or YAML changed is changed back, and nothing else."""
    assert converted(value, kind, ENUM["values"]) == expected and isinstance(converted(value, kind, ENUM["values"]), type(expected))


def test_kinds():
    """The registry's word comes first."""
    assert kind_of(ENUM, 5) == "enumeration" and kind_of({}, 5) == "integer" and kind_of({}, True) == "boolean" and kind_of({}, None) is None


@pytest.mark.parametrize(("pending", "expected"), [({}, {"b": 2}), ({"b": 2}, {}), ({"a": 9}, {"a": 1, "b": 2}), ({"a": 9, "b": 2}, {"a": 1})])
def test_to_write(pending, expected):
    """Pending counts as asked for; a value about to be changed back does not."""
    assert to_write({"a": 1, "b": 2}, current={"a": 1, "b": 0}, pending=pending) == expected
    assert not_yet({"a": 1, "b": 2}, {"a": 1, "b": 0}) == {"b": 2}


def test_names():
    """What was meant is found by likeness, and by a part of it."""
    known = ["SriovGlobalEnable", "ProcVirtualization", "NumLock"]
    assert close_to("sriovglobalenabled", known) == ["SriovGlobalEnable"] and close_to("virtualization", known)[0] == "ProcVirtualization"
    assert "Did you mean SriovGlobalEnable?" in unknown("SriovGlobal", known).remedy and "3 attributes" in unknown("q", known).remedy


def test_defaults():
    """Those that exist, are told and may be written."""
    registry = {"a": {"default": 1}, "b": {"default": None}, "c": {"default": 1, "read_only": True}, "d": {"default": 4}}
    assert defaults_of(registry, {"a": 0, "b": 0, "c": 0}) == {"a": 1}


def test_attributes_that_are_written_together():
    """Each value is used once; others are left alone."""
    current = {"Order0": "HDD", "Order1": "PXE", "Order2": "CD", "Other": 1}
    assert together({"Order0": "CD", "Other": 2}, current, "^Order") == {"Order0": "CD", "Order1": "HDD", "Order2": "PXE", "Other": 2}
    assert together({"Order0": "CD", "Order1": "PXE"}, current, "^Order") == {"Order0": "CD", "Order1": "PXE", "Order2": "HDD"}
    assert together({"Other": 2}, current, "^Order") == {"Other": 2}
