# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which component is meant, and whether it has the version."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.firmware import installed, is_version, running, select

INVENTORY = [
    {"id": "Installed-159-1.6.5", "name": "BIOS", "software_id": "159", "version": "1.6.5", "state": "Enabled"},
    {"id": "Previous-159-1.5.0", "name": "BIOS", "software_id": "159", "version": "1.5.0", "state": "Enabled"},
    {"id": "BMC-Backup", "name": "BMC Backup", "version": "3.0", "state": "StandbyOffline"},
    {"id": "NIC1", "name": "Port [0] NIC", "version": "22.1"}, {"id": "NIC2", "name": "Port [1] NIC", "version": "22.2"},
]


@pytest.mark.parametrize(("wanted", "ids"), [
    ("bios", ["Installed-159-1.6.5"]), ("159", ["Installed-159-1.6.5"]), ("Previous-159-1.5.0", ["Previous-159-1.5.0"]), ("nic?", ["NIC1", "NIC2"]),
    ("BMC-*", ["BMC-Backup"]), ("Port [0] NIC", ["NIC1"]), ("GPU", [])])
def test_select(wanted, ids):
    """What runs comes before what is kept beside it; brackets in a name are brackets."""
    assert [entry["id"] for entry in select(INVENTORY, wanted)] == ids


@pytest.mark.parametrize(("shown", "wanted", "answer"), [
    ("3.11", "3.11", True), ("iLO 5 v3.11", "3.11", True), ("U46 v2.10 (07/21/2023)", "2.10", True), ("U46 v2.10 (07/21/2023)", "v2.10", True),
    ("U46 v2.10 (07/21/2023)", "2.1", False), ("iLO 5 v3.11", "5", False), ("iLO 5 v3.11", "iLO 5 v3.11 ", True), ("3.110", "3.11", False),
    (None, "3.11", False), ("7", "7", True), ("13.11", "3.11", False), ("CNE-4.2-b1", "CNE-4.2-b1", True), ("", "1.0", False)])
def test_is_version(shown, wanted, answer):
    """The same text, or a whole word of it; never a part of a word, nor a lone number."""
    assert is_version(shown, wanted) is answer


def test_running_and_installed():
    """Spares do not count as running."""
    assert [running(entry) for entry in INVENTORY] == [True, False, False, True, True]
    assert installed(INVENTORY, "1.5.0") and not installed(select(INVENTORY, "bios"), "1.5.0")
