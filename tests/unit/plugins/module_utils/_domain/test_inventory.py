# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of inventories and of health, and what follows from rows alone."""

from __future__ import annotations

import importlib

import pytest
import yaml

from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Hardware, Health
from ansible_collections.typeone.metal.plugins.module_utils._domain.health import event_log, summarise, summarise_log
from ansible_collections.typeone.metal.plugins.module_utils._domain.inventory import (
    KEYS, fill, is_display_of_bmc, lldp_text, media_type, neighbour, raid_level, row, totals,
)


@pytest.mark.parametrize("module, key, sections", [("bmc_hardware_info", "hardware", Hardware.SECTIONS), ("bmc_health_info", "health", Health.SECTIONS)])
def test_rows_are_documented(module, key, sections):
    """Every section and every key of its rows stands in the module's documentation, and no other."""
    returned = yaml.safe_load(importlib.import_module(f"ansible_collections.typeone.metal.plugins.modules.{module}").RETURN)
    documented = returned[key]["contains"]
    assert tuple(documented) == sections
    for section in sections:
        named = documented[section]["description"].split("Keys are ")[1].rstrip(".").split(", ")
        assert named == [f"C({name})" for name in KEYS[section]]


def test_rows_have_all_keys():
    """What is not told is None; a key that does not exist is a mistake."""
    assert row("firmware", name="BIOS") == dict.fromkeys(KEYS["firmware"]) | {"name": "BIOS"}
    with pytest.raises(KeyError):
        row("firmware", colour="red")
    target = {"a": 1, "b": None}
    fill(target, {"a": 2, "b": 3, "c": 4})
    assert target == {"a": 1, "b": 3}


@pytest.mark.parametrize("value, expected", [
    ("RAID10", "raid10"), ("Mirrored", "raid1"), ("StripedWithParity", "raid5"), (5, "raid5"), ("1", "raid1"), ("RAID 6", "raid6"), ("None", "none"),
    ("RAID1Triple", "raid1_triple"), ("RawDevice", None), (None, None), (True, None), ("x", None)])
def test_raid_levels(value, expected):
    """By one name, whatever the service calls them."""
    assert raid_level(value) == expected


@pytest.mark.parametrize("media, protocol, rotation, expected", [
    ("SSD", "SATA", None, "ssd"), ("SSD", "NVMe", None, "nvme"), ("SSD", "PCIe", 0, "nvme"), ("HDD", "SAS", 10000, "hdd"), ("SSD", "SAS", 7200, "hdd"),
    (None, "SATA", 7200, "hdd"), (None, None, None, None), (5, [], None, None), ("SMR", "SATA", None, None)])
def test_media_types(media, protocol, rotation, expected):
    """A drive that turns is no SSD."""
    assert media_type(media, protocol, rotation=rotation) == expected


@pytest.mark.parametrize("value, subtype, expected", [
    ("BC:D7:A5:72:F4:00", "MacAddr", "bc:d7:a5:72:f4:00"), ("31:2F:31:2F:31:3A:34", "IfName", "1/1/1:4"), ("Ethernet1/7", "IfName", "Ethernet1/7"),
    ("No Link", None, None), ("", "NotTransmitted", None), ("x", "NotTransmitted", None), (None, None, None), ("02-00-00-00-F0-01", None, "02:00:00:00:f0:01")])
def test_names_of_neighbours(value, subtype, expected):
    """Names that come as hexadecimal pairs are read."""
    assert lldp_text(value, subtype) == expected


def test_a_neighbour_needs_a_name():
    """An address alone is none."""
    assert neighbour(management_address="192.0.2.1") is None
    assert neighbour(port_id="1/1")["chassis_id"] is None


def test_totals_of_processors():
    """A number that one CPU does not tell is not known in sum."""
    assert totals([{"core_count": 8, "thread_count": 16}, {"core_count": 8, "thread_count": None}]) == (2, 16, None)
    assert totals([]) == (None, None, None)


def test_displays_of_bmcs():
    """They are no GPUs."""
    assert is_display_of_bmc("ASPEED", None) and is_display_of_bmc(None, "Integrated Matrox G200eW3")
    assert not is_display_of_bmc("NVIDIA Corporation", 5)


def services(*names):
    """Return logs as a driver lists them."""
    return [{"id": name, "owner": name.split("/", maxsplit=1)[0]} for name in names]


@pytest.mark.parametrize("names, expected", [
    (("bmc/Journal", "system/SEL", "system/EventLog"), "system/SEL"), (("bmc/IEL", "system/Event", "system/IML", "system/SL"), "system/IML"),
    (("bmc/Sel", "bmc/Lclog"), "bmc/Sel"), (("system/AuditLog", "system/PlatformLog"), "system/PlatformLog"), (("bmc/Dump", "bmc/Journal"), None),
    (("bmc/Log", "system/Log"), "system/Log"), (("chassis/Unheard", "system/Unheard"), "system/Unheard"), ((), None)])
def test_the_log_of_events(names, expected):
    """The system's own by its name, the BMC's journals and dumps never."""
    found = event_log(services(*names))
    assert (found or {}).get("id") == expected


def test_summaries():
    """Entries are counted by severity; the health is the worst of the parts."""
    entries = [{"severity": "ok", "created": None}, {"severity": "critical", "created": "2026-01-01T00:00:00Z"}, {"severity": None, "created": None}]
    told = summarise_log("system/SEL", entries, total=900)
    assert (told["read"], told["ok"], told["warning"], told["critical"], told["unknown"], told["total"]) == (3, 1, 0, 1, 1, 900)
    assert told["newest"] == "2026-01-01T00:00:00Z"
    assert summarise(system="ok", storage="critical", bmc=None)["health"] == "critical" and summarise()["health"] is None
