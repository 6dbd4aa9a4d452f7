# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What values of BMCs mean: tables, and the promise that no value raises."""

from __future__ import annotations

import json

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain import units

ANYTHING = (None, True, False, 0, -1, 7, 2 ** 70, -2 ** 70, 1.5, -0.0, 1e308, float("nan"), float("inf"), "", " ", "x", "\x00", "\ud800", "\u0661", "1e999",
            "-1", "0x", "0x1f", "a" * 5000, "9" * 5000, "00:00", "::::::", b"bytes", [], [1], {}, {"a": 1}, (), object())
CONVERSIONS = (units.text, units.identifier, units.number, units.integer, units.positive, units.boolean, units.mib, units.gib,
               units.gbps, units.mac, units.uuid, units.snake, units.health, units.link, units.wwn, units.pci_id)


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_no_value_raises(convert):
    """Whatever is given, plain data comes back or None, and JSON takes it."""
    for value in ANYTHING:
        found = convert(value)
        assert found is None or isinstance(found, (str, int, float, bool)), value
        json.dumps(found, allow_nan=False).encode()


@pytest.mark.parametrize("convert, value, expected", [
    (units.text, "  PowerEdge R750 \x00", "PowerEdge R750"), (units.text, "To Be Filled By O.E.M.", None), (units.text, "", None), (units.text, 5, None),
    (units.identifier, 7, "7"), (units.identifier, "N/A", "N/A"), (units.identifier, True, None), (units.identifier, " ", None),
    (units.number, "41.5", 41.5), (units.number, 41.0, 41), (units.number, True, None), (units.number, "nan", None), (units.number, float("inf"), None),
    (units.integer, 0, 0), (units.integer, -1, None), (units.integer, 2 ** 53 + 1, 2 ** 53 + 1), (units.integer, 2 ** 70, None),
    (units.positive, 0, None), (units.positive, 512, 512), (units.mib, 15625, 15625 * 1024 ** 2), (units.gib, 95.5, 102542344192), (units.gib, 0, None),
    (units.gbps, 0.1, 100), (units.gbps, 25.0, 25000),
    (units.mac, "88-E9-A4-6B-A8-AC", "88:e9:a4:6b:a8:ac"), (units.mac, "88e9.a46b.a8ac", "88:e9:a4:6b:a8:ac"), (units.mac, "00:00:00:00:00:00", None),
    (units.mac, "FF:FF:FF:FF:FF:FF", None), (units.mac, "Not Available", None), (units.mac, "88:e9:a4:6b:a8", None),
    (units.uuid, "4C4C4544-0042-3310-8058-B7C04F595331", "4c4c4544-0042-3310-8058-b7c04f595331"), (units.uuid, "0" * 32, None), (units.uuid, "x", None),
    (units.snake, "StandbyOffline", "standby_offline"), (units.snake, "MultiBitECC", "multi_bit_ecc"), (units.snake, "NVMe", "nvme"),
    (units.snake, "NVMeOverFabrics", "nvme_over_fabrics"), (units.snake, "DisplayController", "display_controller"), (units.snake, "NPlusM", "n_plus_m"),
    (units.health, "OK", "ok"), (units.health, "Fine", None), (units.link, "LinkUp", "up"), (units.link, "NoLink", "down"), (units.link, None, None),
    (units.wwn, "0x5000C500A1B2C3D4", "5000c500a1b2c3d4"), (units.wwn, "F3:57:71:41:1C:38:25:00", "f35771411c382500"),
    (units.wwn, "naa.5000c500a1b2c3d4", "5000c500a1b2c3d4"),
    (units.wwn, "0000000000000000", None), (units.wwn, "SerialNumber", None),
    (units.pci_id, "0X102B", "0x102b"), (units.pci_id, 5555, "0x15b3"), (units.pci_id, "10de", "0x10de"), (units.pci_id, 70000, None),
    (units.pci_id, "x", None),
])
def test_values(convert, value, expected):
    """Units are one, names are in one case, placeholders are nothing."""
    found = convert(value)
    assert found == expected and type(found) is type(expected)


def test_the_worst_of_several():
    """Unknown ones do not count."""
    assert units.worst(["ok", None, "warning", "x"]) == "warning"
    assert units.worst(["ok", "critical", "warning"]) == "critical" and units.worst([None]) is None
