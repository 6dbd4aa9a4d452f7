# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a change of an account."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.accounts import (
    DesiredAccount, Password, expected, find, locks_out, plan_account, reached, shown,
)

ROW = {"id": "3", "username": "monitor", "role": "operator", "enabled": True, "locked": False}
THERE, GONE = shown(ROW, "monitor"), shown(None, "monitor")


def wanted(**values):
    """Return a declared account."""
    return DesiredAccount("monitor", **values)


@pytest.mark.parametrize("current, desired, kinds", [
    (GONE, wanted(present=False), []),
    (THERE, wanted(present=False), [("delete", "3", {})]),
    (THERE, wanted(), []),
    (THERE, wanted(role="operator", enabled=True), []),
    (THERE, wanted(role="administrator"), [("update", "3", {"role": "administrator"})]),
    (THERE, wanted(enabled=False), [("update", "3", {"enabled": False})]),
    (THERE, wanted(password="x"), []),
    (THERE, wanted(password="x", set_password=True), [("update", "3", {"password": "x"})]),
    (shown(ROW, "monitor", password=Password.OTHER), wanted(password="x", set_password=True), [("update", "3", {"password": "x"})]),
    (shown(ROW, "monitor", password=Password.AS_GIVEN), wanted(password="x", set_password=True), []),
    (GONE, wanted(password="x"),
     [("create", None, {"username": "monitor", "password": "x", "role": "read_only", "enabled": True})]),
    (GONE, wanted(password="x", role="administrator", enabled=False),
     [("create", None, {"username": "monitor", "password": "x", "role": "administrator", "enabled": False})]),
])
def test_plan(current, desired, kinds):
    """What is as declared takes no step, and a password that was not asked for is not sent."""
    steps = plan_account(current, desired)
    assert [(step.kind, step.account_id, step.values) for step in steps] == kinds
    after = expected(current, desired, steps=steps)
    assert reached(after, desired) and set(after) == set(current)
    assert "password='x'" not in repr(desired) + repr(steps)


@pytest.mark.parametrize("desired, loss", [
    (wanted(present=False), "be deleted"), (wanted(enabled=False), "be disabled"), (wanted(role="read_only"), "lose the role administrator"),
    (wanted(role="administrator"), None), (wanted(password="x", set_password=True), None)])
def test_what_locks_out(desired, loss):
    """Deleting, disabling and demoting an administrator does; a new password does not."""
    assert locks_out(shown(dict(ROW, role="administrator"), "monitor"), desired) == loss
    assert locks_out(GONE, desired) is None


def test_names_are_compared_exactly():
    """BMCs do, too."""
    assert find([ROW], "monitor") == ROW and find([ROW], "Monitor") is None and find([{"username": None}], "x") is None
