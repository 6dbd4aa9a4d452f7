# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_hardware_info, bmc_health_info and bmc_capability_info on every tree: what they cost, and whether it is true."""

from __future__ import annotations

import json

import pytest
import testbmc
from running import run
from servers import Emulator, has_libvirt
from tree_reading import GIB, MIB, TreeReading, plain

from ansible_collections.typeone.metal.plugins.module_utils._domain.inventory import KEYS
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource

# Where several systems are behind a BMC: the one to inspect.
SYSTEMS = {"nvidia-gh200-24.05": "System_0"}


def inspect(bmc, name, resource, **params):
    """Run a resource and hold it to what every inspection must keep."""
    if name in SYSTEMS:
        params.setdefault("bmc_system", SYSTEMS[name])
    bmc.counters.reset()
    result = run(resource, bmc, **params)
    assert not result.get("failed"), result["msg"]
    counters = bmc.counters
    assert (counters.logins, counters.connections, counters.duplicates) == (1, 1, {})
    assert not bmc.sessions.open() and not counters.effective_writes()
    json.dumps(result, allow_nan=False)
    for section, rows in result[resource.NAME].items():
        for row in rows if isinstance(rows, list) else [rows]:
            if section in KEYS and row is not None:
                assert tuple(row) == KEYS[section]
    return result


@pytest.fixture(name="inspected", params=testbmc.names())
def fixture_inspected(request, test_bmc):
    """A tree, its name, a running BMC and the reading of it that shares no code with the collection."""
    bmc = test_bmc(request.param)
    chosen = SYSTEMS.get(request.param)
    system = next(path for path in bmc.systems if chosen is None or path.endswith(f"/{chosen}"))
    return request.param, bmc, TreeReading(bmc.tree, system)


def test_hardware(inspected):
    """Counts, serial numbers, MACs and sizes are those of the tree."""
    name, bmc, tree = inspected
    result = inspect(bmc, name, HardwareResource)
    hardware = result["hardware"]
    check_system(hardware, tree)
    cpus = tree.processors("CPU")
    assert [cpu["core_count"] for cpu in hardware["processors"]] == [cpu.get("TotalCores") for cpu in cpus]
    assert [cpu["thread_count"] for cpu in hardware["processors"]] == [cpu.get("TotalThreads") for cpu in cpus]
    assert [cpu["model"] for cpu in hardware["processors"]] == [plain(cpu.get("Model")) for cpu in cpus]
    assert [dimm["size_bytes"] for dimm in hardware["memory"]] == [dimm["CapacityMiB"] * MIB for dimm in tree.dimms()]
    assert [dimm["serial_number"] for dimm in hardware["memory"]] == [
        plain(dimm.get("SerialNumber")) for dimm in tree.dimms()]
    assert tree.macs() <= {nic["mac_address"] for nic in hardware["network_interfaces"]}
    check_storage(hardware, tree)
    gpus = [plain(gpu.get("SerialNumber")) for gpu in tree.processors("GPU")]
    assert [gpu["serial_number"] for gpu in hardware["gpus"]][:len(gpus)] == gpus
    assert len(hardware["firmware"]) == len(tree.members("/redfish/v1/UpdateService/FirmwareInventory"))
    missing = {problem["path"] for problem in result["problems"]}
    assert not [path for path in missing if path in tree.documents], "a problem with what is there"


def check_system(hardware, tree):
    """The system's own row."""
    system, own = hardware["system"], tree.own
    for key, name in (("manufacturer", "Manufacturer"), ("model", "Model"), ("serial_number", "SerialNumber"),
                      ("bios_version", "BiosVersion")):
        assert system[key] == plain(own.get(name)), key
    assert system["uuid"] == (own["UUID"].lower() if own.get("UUID") else None)
    memory = (own.get("MemorySummary") or {}).get("TotalSystemMemoryGiB")
    assert system["memory_bytes"] == (memory * GIB if memory else None)
    cpus = tree.processors("CPU")
    assert system["processor_count"] == (len(cpus) or (own.get("ProcessorSummary") or {}).get("Count") or None)
    if cpus:
        assert system["core_count"] == sum(cpu["TotalCores"] for cpu in cpus)
        assert system["thread_count"] == sum(cpu["TotalThreads"] for cpu in cpus)


def check_storage(hardware, tree):
    """Disks by serial number, volumes by id; a tree without drives may have the plainer SimpleStorage."""
    drives = tree.drives()
    told = {disk["serial_number"]: disk for disk in hardware["disks"] if disk["serial_number"]}
    assert set(told) == set(drives)
    for serial, drive in drives.items():
        assert told[serial]["size_bytes"] == drive["CapacityBytes"]
        assert told[serial]["media_type"] == media(drive)
        assert told[serial]["model"] == plain(drive.get("Model"))
    if not drives:
        simple = [device for storage in tree.below("{s}/SimpleStorage/[^/]+") for device in storage["Devices"]]
        sizes = [device["CapacityBytes"] for device in simple if device.get("CapacityBytes")]
        assert [disk["size_bytes"] for disk in hardware["disks"]] == sizes
    volumes = tree.volumes()
    assert [volume["size_bytes"] for volume in hardware["volumes"]][:len(volumes)] == [
        volume["CapacityBytes"] for volume in volumes]


def media(drive):
    """The kind of a drive, by another way than the collection's."""
    kind, line = drive.get("MediaType"), drive.get("Protocol")
    if line == "NVMe" or (line == "PCIe" and kind == "SSD"):
        return "nvme"
    return kind.lower() if kind else None


def test_health(inspected):
    """Readings are those of Thermal and Power; a log's entries are counted."""
    name, bmc, tree = inspected
    result = inspect(bmc, name, HealthResource)
    health = result["health"]
    for section, resource, key, field, value in (
            ("temperatures", "Thermal", "Temperatures", "reading_celsius", "ReadingCelsius"),
            ("power_supplies", "Power", "PowerSupplies", "capacity_watts", "PowerCapacityWatts")):
        older = [entry.get(value) for entry in tree.readings(resource, key) if entry.get("Name") != "nil"]
        told = [row[field] for row in health[section]]
        assert sorted(set(older), key=str) == sorted(set(told) & set(older), key=str) and len(older) <= len(told)
    speeds = [entry.get("Reading") for entry in tree.readings("Thermal", "Fans")]
    told = [row["reading_rpm"] if row["reading_rpm"] is not None else row["reading_percent"] for row in health["fans"]]
    assert not speeds or told == speeds
    own = tree.own.get("Status") or {}
    assert health["summary"]["system"] == ((own.get("HealthRollup") or own.get("Health") or "").lower() or None)
    assert health["summary"]["health"] in ("ok", "warning", "critical")
    log = health["log_summary"]
    if log is not None:
        assert log["read"] == log["ok"] + log["warning"] + log["critical"] + log["unknown"] == min(log["total"], 50)


def test_capabilities(inspected):
    """What is linked to is there; values to choose from are in neutral words."""
    name, bmc, tree = inspected
    told = inspect(bmc, name, CapabilitiesResource)["capability"]
    assert set(told["systems"]) == {path.rsplit("/", 1)[-1] for path in bmc.systems}
    rows = told["capabilities"]
    assert rows["bios"]["supported"] is ("Bios" in tree.own)
    assert rows["secure_boot"]["supported"] is ("SecureBoot" in tree.own)
    assert all(row["reason"] for row in rows.values() if row["supported"] is not True)
    if rows["power"]["supported"]:
        assert "off_hard" in rows["power"]["values"]["actions"]
    assert all(rule["behaviour"] in told["behaviours"] for rule in told["quirks"])


@pytest.mark.parametrize("driver", ["fake", "libvirt"])
def test_emulator(driver, tmp_path):
    """sushy-tools' emulator, which has no sessions, answers Storage with HTTP 500 and knows no firmware."""
    if driver == "libvirt" and not has_libvirt():
        pytest.skip("libvirt's bindings are not at hand (python3-libvirt)")
    emulator = Emulator(driver, tmp_path)
    try:
        result = run(HardwareResource, None, **emulator.options())
        health = run(HealthResource, None, **emulator.options())
        told = run(CapabilitiesResource, None, **emulator.options())
    finally:
        emulator.stop()
    system = result["hardware"]["system"]
    assert system["power_state"] in ("on", "off") and system["uuid"]
    assert {"storage_controllers", "disks", "firmware"} <= {problem["section"] for problem in result["problems"]}
    assert [nic["mac_address"] for nic in result["hardware"]["network_interfaces"] if nic["mac_address"]]
    assert health["health"]["summary"]["health"] == "ok" and told["capability"]["capabilities"]["power"]["supported"]
    if driver == "libvirt":
        assert system["memory_bytes"] == 8 * GIB and system["processor_count"] == 2
