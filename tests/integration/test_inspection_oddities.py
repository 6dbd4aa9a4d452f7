# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspection of what services do that the standard does not foresee, each on the small tree with one thing changed."""

from __future__ import annotations

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource

SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"
DISKS = ["HDD0000", "HDD0001", "HDD0002", "NVME0001"]
MACS = ["02:00:00:00:a0:01", "02:00:00:00:a0:02"]


def hardware(bmc, *sections, again=(), **params):
    """Inspect and return the sections and the problems; nothing is read twice but what is named in ``again``."""
    result = run(HardwareResource, bmc, **({"sections": list(sections)} if sections else {}), **params)
    assert not result.get("failed"), result["msg"]
    assert not bmc.sessions.open() and bmc.counters.duplicates == dict.fromkeys(again, 2)
    return result["hardware"], result["problems"]


def serials(found):
    """Return the serial numbers of the disks."""
    return [disk["serial_number"] for disk in found["disks"]]


def ref(path):
    """Return a link."""
    return {"@odata.id": path}


def test_a_section_that_fails_costs_that_section_only(test_bmc):
    """HTTP 500 from Storage is told for each section that it costs, and SimpleStorage is taken instead.

    It is read once with its members in the same answer, and once without.
    """
    bmc = test_bmc()
    bmc.set(SYSTEM, {"SimpleStorage": ref(f"{SYSTEM}/SimpleStorage")})
    bmc.store.put(f"{SYSTEM}/SimpleStorage", {"Members": [ref(f"{SYSTEM}/SimpleStorage/1")]})
    bmc.store.put(f"{SYSTEM}/SimpleStorage/1", {"Id": "1", "Devices": [
        {"Name": "vda", "CapacityBytes": 10 ** 10 + 1}, {"Name": "none", "Status": {"State": "Absent"}}, None, "x"]})
    bmc.faults.add("status", method="GET", path="/Storage$", times=None, status=500)
    found, problems = hardware(bmc, again=[f"{SYSTEM}/Storage"])
    assert {problem["section"] for problem in problems} == {"storage_controllers", "disks", "volumes"}
    assert all("HTTP 500" in problem["cause"] and problem["path"].endswith("/Storage") for problem in problems)
    assert [(disk["name"], disk["size_bytes"]) for disk in found["disks"]] == [("vda", 10 ** 10 + 1)]
    assert [nic["mac_address"] for nic in found["network_interfaces"]] == MACS and len(found["memory"]) == 4


@pytest.mark.parametrize("members", [None, "missing", "x", {}, [None, 5, {}, {"@odata.id": None}, {"@odata.id": ""}]])
def test_collections_that_are_none(test_bmc, members):
    """Members that are missing, null or nonsense are an empty collection."""
    bmc = test_bmc()
    for path in (f"{SYSTEM}/Memory", f"{SYSTEM}/Processors", f"{SYSTEM}/Storage"):
        document = bmc.store.edit(path)
        document["Members"] = members
        if members == "missing":
            del document["Members"]
    again = [] if isinstance(members, list) else [f"{SYSTEM}/Processors"]
    found, problems = hardware(bmc, again=again)
    assert found["memory"] == found["processors"] == found["storage_controllers"] == [] and problems == []
    assert found["system"]["processor_count"] == 2, "then the system's own summary counts"


def test_what_is_offline_is_there_and_what_is_absent_is_not(test_bmc):
    """Whatever else an empty slot claims; GPUs among the processors are no CPUs."""
    bmc = test_bmc()
    bmc.set(f"{SYSTEM}/Memory/DIMM0", {"Status": {"State": "Absent"}, "SerialNumber": "NO DIMM", "CapacityMiB": 16384})
    bmc.set(f"{SYSTEM}/Memory/DIMM1", {"Status": {"State": "UnavailableOffline", "Health": None}, "SerialNumber": None})
    bmc.set(f"{SYSTEM}/Processors/CPU1", {"Status": {"State": "StandbyOffline"}})
    found, _problems = hardware(bmc, "processors", "memory", "gpus")
    assert [dimm["id"] for dimm in found["memory"]] == ["DIMM1", "DIMM2", "DIMM3"]
    assert [cpu["id"] for cpu in found["processors"]] == ["CPU0", "CPU1"] and [gpu["id"] for gpu in found["gpus"]] == ["GPU1"]


def test_pages_and_repeated_members(test_bmc):
    """Members go on at nextLink; one that is listed twice is read once; a page that is missing is a problem."""
    bmc = test_bmc()
    collection = bmc.store.edit(f"{SYSTEM}/Memory")
    first, rest = collection["Members"][:2], collection["Members"][2:]
    collection["Members"] = first + first
    collection["Members@odata.nextLink"] = f"{SYSTEM}/MemoryPage2"
    bmc.store.put(f"{SYSTEM}/MemoryPage2", {"Members": rest, "Members@odata.nextLink": f"{SYSTEM}/MemoryPage3"})
    found, problems = hardware(bmc, "memory")
    assert [dimm["id"] for dimm in found["memory"]] == ["DIMM0", "DIMM1", "DIMM2", "DIMM3"]
    assert [problem["path"] for problem in problems] == [f"{SYSTEM}/MemoryPage3"]


@pytest.mark.parametrize("fault", [("malformed", {}), ("status", {"status": 404}), ("truncated", {}), ("reset_before", {}),
                                   ("content_type", {"value": "text/html"})])
def test_a_document_that_cannot_be_read_costs_that_document_only(test_bmc, fault):
    """The others of its section are returned."""
    bmc = test_bmc()
    kind, parameters = fault
    bmc.faults.add(kind, method="GET", path="/Drives/Disk1$", times=None, **parameters)
    result = run(HardwareResource, bmc, sections=["disks"])
    assert not result.get("failed"), result["msg"]
    found, problems = result["hardware"], result["problems"]
    if kind == "content_type":
        assert serials(found) == DISKS and not problems
    else:
        assert serials(found) == ["HDD0000", "HDD0002", "NVME0001"]
        assert [problem["path"].rsplit("/", 1)[-1] for problem in problems] == ["Disk1"]
    assert not bmc.sessions.open()


def test_a_broken_property_costs_that_property_only(test_bmc):
    """Everything else of the row is there."""
    bmc = test_bmc()
    bmc.store.edit(SYSTEM).update(MemorySummary="x", Status=5, Boot=[], UUID=17, PowerState={}, BiosVersion=None)
    bmc.store.edit(f"{SYSTEM}/Storage/RAID1/Drives/Disk0").update(CapacityBytes="?", Identifiers="?", MediaType=[1], Protocol=2)
    found, problems = hardware(bmc, "system", "disks")
    assert found["system"]["serial_number"] == "MINI0001" and found["system"]["core_count"] == 16
    assert found["system"]["uuid"] is None and found["system"]["memory_bytes"] == 4 * 16 * 1024 ** 3
    disk = found["disks"][0]
    assert disk["serial_number"] == "HDD0000" and disk["size_bytes"] is None and disk["wwn"] is None and not problems


@pytest.mark.parametrize("query", ["ignore", "refuse", "not_found", "nonsense", "broken"])
def test_members_are_read_one_by_one_where_they_cannot_come_together(test_bmc, query):
    """The result is the same; a BMC that does not keep its offer is asked once for it."""
    bmc = test_bmc()
    together = hardware(bmc)
    requests = len(bmc.counters.requests)
    bmc.options.query = query
    asked = {"times": None, "match": lambda request: "$expand" in request.query}
    if query == "not_found":
        bmc.faults.add("status", status=404, **asked)
    elif query == "nonsense":
        bmc.faults.add("replaced", body=b'{"Name": "x"}', **asked)
    elif query == "broken":
        bmc.faults.add("replaced", body=b"<html>", **asked)
    bmc.counters.reset()
    assert hardware(bmc, again=[] if query == "ignore" else [f"{SYSTEM}/Processors"]) == together
    assert len(bmc.counters.requests) > 1.5 * requests


def test_drives_that_only_chassis_hold(test_bmc):
    """They are found there, without empty bays; a drive that stands in two collections is one."""
    bmc = test_bmc()
    drives = f"{CHASSIS}/Drives"
    bmc.set(CHASSIS, {"Drives": ref(drives)})
    bmc.store.put(drives, {"Members": []})
    again = dict(bmc.get(f"{SYSTEM}/Storage/RAID1/Drives/Disk0"), Id="Bay0")
    for name, body in (("0", dict(again)), ("1", {"Id": "Bay1", "Status": {"State": "Absent"}}),
                       ("2", {"Id": "Bay2", "SerialNumber": "ONLYHERE", "CapacityBytes": 480103981056, "MediaType": "SSD"})):
        body.pop("@odata.id", None)
        bmc.store.put(f"{drives}/{name}", body, collection=drives)
    found, problems = hardware(bmc, "disks")
    assert serials(found) == [*DISKS, "ONLYHERE"] and not problems
    assert found["disks"][-1]["size_bytes"] == 480103981056 and found["disks"][-1]["controller"] is None


def test_interfaces_are_put_together_by_mac(test_bmc):
    """Functions of adapters add to interfaces by permanent address; those that only an adapter knows are added."""
    bmc = test_bmc()
    adapter = f"{CHASSIS}/NetworkAdapters/NIC1"
    bmc.set(f"{SYSTEM}/EthernetInterfaces/NIC2", {"MACAddress": "02-00-00-00-BB-02", "LinkStatus": None, "SpeedMbps": 0})
    bmc.set(f"{adapter}/Ports/2", {"LinkStatus": "LinkUp", "CurrentSpeedGbps": 10, "MaxSpeedGbps": 25})
    bmc.set(adapter, {"NetworkDeviceFunctions": ref(f"{adapter}/NetworkDeviceFunctions"),
                      "Location": {"PartLocation": {"LocationType": "Slot", "LocationOrdinalValue": 4}},
                      "Controllers": [{"FirmwarePackageVersion": "1.0", "Links": {"Processors": [ref(f"{SYSTEM}/Processors/CPU1")]}}]})
    functions = f"{adapter}/NetworkDeviceFunctions"
    bmc.store.put(functions, {"Members": []})
    for name, mac, port in (("F1", MACS[0], "1"), ("F2", MACS[1], "2"), ("F3", "02:00:00:00:CC:03", "2")):
        bmc.store.put(f"{functions}/{name}", {
            "Id": name, "Ethernet": {"MACAddress": "00:00:00:00:00:00", "PermanentMACAddress": mac},
            "Links": {"PhysicalNetworkPortAssignment": ref(f"{adapter}/Ports/{port}")}}, collection=functions)
    found, _problems = hardware(bmc, "network_interfaces")
    first, second, third = found["network_interfaces"]
    assert (second["mac_address"], second["permanent_mac_address"]) == ("02:00:00:00:bb:02", MACS[1])
    assert (second["link"], second["speed_mbps"], second["max_speed_mbps"]) == ("up", 10000, 25000)
    assert first["lldp"]["port_id"] == "Ethernet1/7" and second["lldp"] is None
    assert third["permanent_mac_address"] == "02:00:00:00:cc:03" and third["id"] == "NIC1/F3"
    assert {(nic["adapter"], nic["slot"], nic["socket"]) for nic in (first, second, third)} == {("NIC1", "Slot 4", "CPU 1")}


def test_macs_of_the_bios_where_there_are_no_others(test_bmc):
    """Some BMCs show adapters without addresses, and the addresses among the BIOS attributes."""
    bmc = test_bmc()
    for name in ("NIC1", "NIC2"):
        bmc.store.delete(f"{SYSTEM}/EthernetInterfaces/{name}", collection=f"{SYSTEM}/EthernetInterfaces")
    bmc.store.edit(CHASSIS).pop("NetworkAdapters")
    bmc.store.edit(SYSTEM).pop("NetworkInterfaces")
    bmc.set(f"{SYSTEM}/Bios", {"Attributes": {"Adapter__Slot3_MACAddress": "08:C0:EB:53:C9:F0",
                                              "Adapter__Slot3_VirtualMACAddress": "08:C0:EB:53:C9:FF"}})
    found, _problems = hardware(bmc, "network_interfaces")
    assert [(nic["mac_address"], nic["slot"]) for nic in found["network_interfaces"]] == [("08:c0:eb:53:c9:f0", "Slot 3")]


def test_older_services(test_bmc):
    """Storage, memory and firmware in trees of their own, fans that are no more than links."""
    bmc = test_bmc()
    system = bmc.store.edit(SYSTEM)
    for name in ("Storage", "Memory", "MemorySummary"):
        system.pop(name)
    system["Memory"] = {"TotalSystemMemoryGB": 32}
    bmc.store.edit("/redfish/v1").pop("UpdateService")
    bmc.set(SYSTEM, {"Oem": {"Hp": {"links": {name: ref(f"{SYSTEM}/{name}") for name in (
        "SmartStorage", "Memory", "FirmwareInventory", "PCIDevices")}}}})
    system.pop("PCIeDevices")
    bmc.store.edit(CHASSIS).pop("PCIeDevices")
    bmc.store.put(f"{SYSTEM}/PCIDevices", {"Members": [ref(f"{SYSTEM}/PCIDevices/1")]})
    bmc.store.put(f"{SYSTEM}/PCIDevices/1", {"Id": "1", "Name": "NIC", "ClassCode": 2, "VendorID": 5555, "DeviceID": 4129, "BusNumber": 35,
                                             "DeviceNumber": 0, "FunctionNumber": 1, "DeviceLocation": "PCI-E Slot 2"})
    array = f"{SYSTEM}/SmartStorage/ArrayControllers"
    bmc.store.put(f"{SYSTEM}/SmartStorage", {"links": {"ArrayControllers": ref(array)}})
    bmc.store.put(array, {"Members": [ref(f"{array}/0")]})
    bmc.store.put(f"{array}/0", {"Id": "0", "Model": "P440ar", "SerialNumber": "ARR1", "Links": {
        "PhysicalDrives": ref(f"{array}/0/DiskDrives"), "LogicalDrives": ref(f"{array}/0/LogicalDrives")}})
    bmc.store.put(f"{array}/0/DiskDrives", {"Members": [ref(f"{array}/0/DiskDrives/1")]})
    bmc.store.put(f"{array}/0/DiskDrives/1", {"Id": "1", "SerialNumber": "OLD1", "BlockSizeBytes": 512, "CapacityLogicalBlocks": 937703088,
                                              "InterfaceType": "SAS", "MediaType": "HDD", "EncryptedDrive": False})
    bmc.store.put(f"{array}/0/LogicalDrives", {"Members": [ref(f"{array}/0/LogicalDrives/1")]})
    bmc.store.put(f"{array}/0/LogicalDrives/1", {"Id": "1", "Raid": "1", "CapacityMiB": 1000, "Links": {
        "DataDrives": ref(f"{array}/0/DiskDrives")}})
    bmc.store.put(f"{SYSTEM}/FirmwareInventory", {"Current": {"SystemRom": [{"Name": "ROM", "VersionString": "P89 2.50"}]}})
    found, problems = hardware(bmc)
    assert not problems and found["system"]["memory_bytes"] == 32 * 1024 ** 3 and len(found["memory"]) == 4
    assert [(disk["serial_number"], disk["size_bytes"], disk["media_type"]) for disk in found["disks"]] == [("OLD1", 480103981056, "hdd")]
    assert [(volume["raid_level"], volume["drives"]) for volume in found["volumes"]] == [("raid1", ["OLD1"])]
    assert [(part["name"], part["version"]) for part in found["firmware"]] == [("ROM", "P89 2.50")]
    assert found["storage_controllers"][0]["model"] == "P440ar"
    device = found["pcie_devices"][0]
    assert (device["class"], device["slot"]) == ("network_controller", "PCI-E Slot 2")
    assert (device["functions"][0]["vendor_id"], device["functions"][0]["pci_address"]) == ("0x15b3", "0000:23:00.1")


def test_fans_that_are_links(test_bmc):
    """They are read one by one; a link into the document itself is none."""
    bmc = test_bmc()
    bmc.store.edit(f"{CHASSIS}/Thermal")["Fans"] = [ref(f"{CHASSIS}/Sensors/Fans/0x17"), ref(f"{CHASSIS}/Thermal#/Fans/1")]
    bmc.store.put(f"{CHASSIS}/Sensors/Fans/0x17", {"FanName": "Fan1", "Reading": 0, "ReadingUnits": "RPM"})
    result = run(HealthResource, bmc, sections=["fans"])
    told = [(fan["name"], fan["reading_rpm"]) for fan in result["health"]["fans"] if fan["reading_rpm"] is not None]
    assert told == [("Fan1", 0)]


def test_newer_health_resources(test_bmc):
    """Without Thermal and Power the subsystems and sensors tell the same."""
    bmc = test_bmc()
    for name in ("Thermal", "Power"):
        bmc.store.edit(CHASSIS).pop(name)
    result = run(HealthResource, bmc)
    health = result["health"]
    assert not result["problems"] and not bmc.counters.duplicates
    assert [(row["name"], row["reading_celsius"]) for row in health["temperatures"]] == [("CPU0 Temp", 41)]
    assert [(row["name"], row["reading_rpm"], row["reading_percent"]) for row in health["fans"]][0] == ("Fan 1", 5200, 35)
    assert [row["serial_number"] for row in health["power_supplies"]] == ["PSU0001", "PSU0002"]


def test_the_worst_part_is_the_summary(test_bmc):
    """A warning of the storage is a warning on the whole."""
    bmc = test_bmc()
    bmc.set(f"{SYSTEM}/Storage/RAID1", {"Status": {"HealthRollup": "Warning"}})
    summary = run(HealthResource, bmc, sections=["summary"])["health"]["summary"]
    assert (summary["storage"], summary["system"], summary["health"]) == ("warning", "ok", "warning")


def test_sections_are_what_is_asked_for(test_bmc):
    """Fewer sections, fewer requests; the order is always the same."""
    bmc = test_bmc()
    found, _problems = hardware(bmc, "memory", "processors")
    assert list(found) == ["processors", "memory"] and len(bmc.counters.gets) < 16


def test_concurrency_is_bounded(test_bmc):
    """More requests at a time use as many connections at most, and read nothing twice."""
    bmc = test_bmc(latency=0.05, query="ignore")
    found, problems = hardware(bmc, bmc_concurrency=4)
    assert serials(found) == DISKS and not problems
    assert 1 < bmc.counters.max_requests <= 4 and bmc.counters.connections <= 4 and bmc.counters.logins == 1


def test_several_systems(test_bmc):
    """An ambiguity is an error that lists them; each may be named."""
    bmc = test_bmc("nvidia-gh200-24.05")
    for resource in (HardwareResource, HealthResource):
        result = run(resource, bmc)
        assert result["failed"] and result["error"]["kind"] == "invalid_input"
        assert set(result["error"]["systems"]) == {"System_0", "HGX_Baseboard_0"} and "bmc_system" in result["msg"]
    bmc.counters.reset()
    found, problems = hardware(bmc, bmc_system="HGX_Baseboard_0")
    assert [gpu["serial_number"] for gpu in found["gpus"]] == ["1640124000234", "1640124000373"] and not problems
    assert {cpu["socket"] for cpu in found["processors"]} == {"G1:0.0", "G1:1.0"}


def test_neighbours_that_the_manager_lists(test_bmc):
    """A maker may list switch ports by interface below its manager; what a port tells itself counts first."""
    bmc = test_bmc()
    listed = f"{SYSTEM}/NetworkPorts/Oem/Maker/SwitchConnections"
    bmc.set("/redfish/v1/Managers/1", {"Links": {"Oem": {"Maker": {"MakerSwitchConnectionCollection": ref(listed)}}}})
    bmc.store.put(listed, {"Members": [ref(f"{listed}/{name}") for name in ("NIC1", "NIC2", "BMC")]})
    for name, chassis, port in (("NIC1", "02:00:00:00:f0:99", "x"), ("NIC2", "02:00:00:00:F0:02", "Ethernet2/7"), ("BMC", "No Link", "No Link")):
        bmc.store.put(f"{listed}/{name}", {"Id": name, "SwitchConnectionID": chassis, "SwitchPortConnectionID": port})
    found, _problems = hardware(bmc, "network_interfaces")
    first, second = found["network_interfaces"]
    assert first["lldp"]["port_id"] == "Ethernet1/7"
    assert (second["lldp"]["chassis_id"], second["lldp"]["port_id"]) == ("02:00:00:00:f0:02", "Ethernet2/7")


def test_chassis_of_the_other_node(test_bmc):
    """Of several nodes behind one BMC each has its own parts, and those of the enclosure around them."""
    bmc = test_bmc()
    bmc.store.put("/redfish/v1/Systems/2", {"Id": "2", "Name": "2"}, collection="/redfish/v1/Systems")
    for name, links in (("2", {}), ("Sled", {"ComputerSystems": [ref("/redfish/v1/Systems/2")]}), ("Enclosure", {}),
                        ("Bay", {"ContainedBy": ref(CHASSIS)}), ("OtherBay", {"ContainedBy": ref("/redfish/v1/Chassis/Sled")})):
        drives = f"/redfish/v1/Chassis/{name}/Drives"
        bmc.store.put(f"/redfish/v1/Chassis/{name}", {"Id": name, "Links": links, "Drives": ref(drives)}, collection="/redfish/v1/Chassis")
        bmc.store.put(drives, {"Members": [ref(f"{drives}/1")]})
        bmc.store.put(f"{drives}/1", {"Id": "1", "SerialNumber": f"IN-{name}", "CapacityBytes": 1})
    found, problems = hardware(bmc, "disks", bmc_system="1")
    assert serials(found) == [*DISKS, "IN-Enclosure", "IN-Bay"] and not problems


def test_a_bmc_that_hangs_costs_its_timeout_once(test_bmc):
    """What was read is returned; each thing that was not is told."""
    bmc = test_bmc()
    bmc.faults.add("hang", method="GET", path="/Memory", times=None, seconds=3)
    result = run(HardwareResource, bmc, bmc_timeout=1, sections=["processors", "memory", "disks"])
    assert not result.get("failed"), result["msg"]
    assert len(result["hardware"]["processors"]) == 2 and result["hardware"]["memory"] == []
    assert result["problems"][0]["section"] == "memory"


def test_the_password_is_wrong(test_bmc):
    """That is told as such, and not as an inspection without results."""
    bmc = test_bmc()
    for resource in (HardwareResource, HealthResource):
        result = run(resource, bmc, bmc_password="not-the-password")
        assert result["failed"] and result["error"]["kind"] == "authentication_failed"
    assert "not-the-password" not in str(result)


def test_nothing_to_be_read_is_a_failure(test_bmc):
    """Where every document fails, the task does."""
    bmc = test_bmc()
    bmc.faults.add("status", method="GET", path="/redfish/v1/(Systems/1|Chassis|Managers)", times=None, status=500)
    result = run(HardwareResource, bmc, sections=["processors", "memory"])
    assert result["failed"] and "nothing could be read" in result["msg"] and result["error"]["problems"]


def test_check_mode_is_the_same(test_bmc):
    """It only reads anyway."""
    bmc = test_bmc()
    assert run(HardwareResource, bmc, check_mode=True)["hardware"] == run(HardwareResource, bmc)["hardware"]
    assert not bmc.counters.effective_writes()
