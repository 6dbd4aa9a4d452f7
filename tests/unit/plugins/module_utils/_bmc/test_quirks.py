# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of quirks: matching, order, the user's own, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import InvalidInput
from ansible_collections.typeone.metal.plugins.module_utils._bmc.quirk_rules import BEHAVIOURS, RULES
from ansible_collections.typeone.metal.plugins.module_utils._bmc.quirks import Quirks, check_rule, version_key


def quirks(identity, *extra):
    """Return the quirks of a BMC."""
    return Quirks(lambda: identity, protocol="redfish", extra=extra)


def test_every_rule_is_sound():
    """Rules are readable, their ids differ, and every behaviour is described."""
    assert len({rule["id"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        check_rule(rule)
        assert rule["why"] and rule["source"]
    assert all(BEHAVIOURS.values())


@pytest.mark.parametrize("manufacturer, behaviour, holds", [
    ("Supermicro", "boot_override_complete", True), ("Super Micro Computer", "boot_override_complete", True),
    ("HPE", "boot_override_complete", False), (None, "boot_override_complete", False),
])
def test_matching(manufacturer, behaviour, holds):
    """An unknown fact matches nothing."""
    found = quirks({"manufacturer": manufacturer, "model": None, "firmware": None}).behaviour(behaviour)
    assert (found is not None) is holds


@pytest.mark.parametrize("firmware, condition, holds", [
    ("6.10.30", ">=6.00, <7", True), ("7.00", ">=6.00, <7", False), ("iLO 5 v3.11", "==5.3.11", True), ("x", ">1", False),
])
def test_firmware(firmware, condition, holds):
    """Versions are compared number by number."""
    rule = {"id": "mine", "match": {"firmware": condition}, "behaviour": "boot_override_complete", "parameters": {"a": 1}}
    assert (quirks({"firmware": firmware}, rule).behaviour("boot_override_complete") == {"a": 1}) is holds


def test_own_rules_come_first_and_can_turn_off():
    """A user's rule overrides the collection's."""
    off = {"id": "off", "match": {"manufacturer": "supermicro"}, "behaviour": "boot_override_complete",
           "parameters": {"enabled": False}}
    assert quirks({"manufacturer": "Supermicro"}, off).behaviour("boot_override_complete") is None


@pytest.mark.parametrize("rule, word", [
    ({"id": "a", "behaviour": "nonsense"}, "nonsense"), ({"id": "a", "colour": 1}, "colour"),
    ({"id": "a", "behaviour": "boot_override_complete", "match": {"firmware": "about 5"}}, "about 5"),
    ({"id": "a", "behaviour": "boot_override_complete", "match": {"model": "("}}, "regular expression"),
])
def test_refused(rule, word):
    """The error names the rule and what is wrong."""
    with pytest.raises(InvalidInput) as caught:
        quirks({}, rule)
    assert word in str(caught.value)


def test_version_key():
    """The numbers of a version, in order."""
    assert version_key("iLO 5 v3.11") == (5, 3, 11)
