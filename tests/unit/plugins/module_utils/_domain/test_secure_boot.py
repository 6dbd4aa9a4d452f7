# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves a state of Secure Boot."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.secure_boot import (
    Keys, asked_for, expected, in_effect, keys_are, reboot_required,
)

UNKNOWN = {"enabled": None, "current": None, "mode": None}


@pytest.mark.parametrize(("mode", "keys", "answer"), [
    ("setup", Keys.DEFAULT, False), ("user", Keys.DEFAULT, True), ("deployed", Keys.DEFAULT, True), ("setup", Keys.DELETED, True),
    ("user", Keys.NO_PLATFORM_KEY, False), (None, Keys.DEFAULT, None), (None, None, True)])
def test_keys(mode, keys, answer):
    """The mode tells, or nothing does."""
    assert keys_are({"mode": mode}, keys) is answer


@pytest.mark.parametrize(("enabled", "current", "waits"), [(True, False, True), (True, True, False), (None, True, False), (True, None, False)])
def test_reboot_required(enabled, current, waits):
    """Where both are told and differ."""
    assert reboot_required({"enabled": enabled, "current": current}) is waits


def test_unknown_is_neither_done_nor_undone():
    """It is asked for, and not taken as proven."""
    assert not asked_for(UNKNOWN, True) and in_effect(UNKNOWN, True) is None and asked_for(UNKNOWN, None) and in_effect(UNKNOWN, None)


def test_expected():
    """What a dry run shows."""
    state = {"enabled": False, "current": False, "mode": "setup"}
    assert expected(state, enabled=True, keys=Keys.DEFAULT, restarted=False) == {
        "enabled": True, "current": False, "mode": "user", "reboot_required": True}
    assert expected(state, enabled=True, keys=None, restarted=True) == {
        "enabled": True, "current": True, "mode": "setup", "reboot_required": False}
