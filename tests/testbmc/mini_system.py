# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The mini tree's system: processors, memory, network, storage, BIOS."""

from __future__ import annotations

from .mini_parts import BASE, CHASSIS, MANAGER, OK, SYSTEM, action, collection, ethernet, log_service, ref, resource, slots, virtual_media

SERIAL, UUID = "MINI0001", "00000000-0000-0000-0000-00000000a001"
RESETS = ["On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle", "Nmi", "PushPowerButton"]
GIB = 1 << 30

BIOS = {"BootMode": "Uefi", "ProcVirtualization": "Enabled", "SriovGlobalEnable": "Disabled", "NumLock": True, "BootRetry": 3, "AssetTag": "",
        "SystemMemorySize": "64 GB"}


def system() -> dict:
    """All below /redfish/v1/Systems."""
    found = collection(f"{BASE}/Systems", "ComputerSystem", ["1"])
    found[SYSTEM] = _system()
    for part in (_processors, _memory, _network, _storage, _bios, _secure_boot, _boot_options, _pcie):
        found.update(part())
    found.update(virtual_media(SYSTEM, {"CD1": ["CD", "DVD"], "USB1": ["USBStick"]}))
    found.update(log_service(SYSTEM, "SEL", [
        {"EntryType": "SEL", "Severity": "OK", "Created": "2026-01-01T00:00:00Z", "Message": "System power on.", "MessageId": "Event.1.0.PowerOn"},
        {"EntryType": "SEL", "Severity": "Warning", "Created": "2026-01-01T00:01:00Z", "Message": "Fan 2 below threshold.", "MessageId": "Event.1.0.Fan"},
    ]))
    return found


def _system() -> dict:
    parts = ("Processors", "Memory", "EthernetInterfaces", "Storage", "Bios", "SecureBoot", "LogServices", "VirtualMedia", "NetworkInterfaces")
    boot = {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None", "BootSourceOverrideMode": "UEFI",
            "BootSourceOverrideEnabled@Redfish.AllowableValues": ["Disabled", "Once", "Continuous"],
            "BootSourceOverrideMode@Redfish.AllowableValues": ["Legacy", "UEFI"],
            "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Cd", "Usb", "Hdd", "BiosSetup", "UefiTarget", "UefiHttp", "UefiShell"],
            "UefiTargetBootSourceOverride": None, "HttpBootUri": None, "BootOrder": ["Boot0001", "Boot0002"], "BootOptions": ref(f"{SYSTEM}/BootOptions")}
    return resource(
        "ComputerSystem", "1_20_0", "1", Manufacturer="Contoso", Model="Mini 1U", SerialNumber=SERIAL, SKU="MINI-SKU", PartNumber="M1-000", UUID=UUID,
        AssetTag=None, HostName="", SystemType="Physical", BiosVersion="2.0.1", PowerState="Off", PowerRestorePolicy="LastState", IndicatorLED="Off",
        Status={**OK, "HealthRollup": "OK"}, Boot=boot, BootProgress={"LastState": "None"},
        ProcessorSummary={"Count": 2, "CoreCount": 16, "LogicalProcessorCount": 32, "Model": "Contoso CPU 8C", "Status": OK},
        MemorySummary={"TotalSystemMemoryGiB": 64, "Status": OK}, **{name: ref(f"{SYSTEM}/{name}") for name in parts},
        PCIeDevices=[ref(f"{CHASSIS}/PCIeDevices/{number}") for number in ("GPU1", "NIC1")],
        Actions=action(SYSTEM, "ComputerSystem.Reset", **{"ResetType@Redfish.AllowableValues": RESETS}),
        Links={"Chassis": [ref(CHASSIS)], "ManagedBy": [ref(MANAGER)]})


def _processors() -> dict:
    cpu = {"ProcessorType": "CPU", "ProcessorArchitecture": "x86", "InstructionSet": "x86-64", "Manufacturer": "Contoso", "Model": "Contoso CPU 8C",
           "MaxSpeedMHz": 3600, "OperatingSpeedMHz": 2400, "TotalCores": 8, "TotalThreads": 16, "Status": OK}
    gpu = {"ProcessorType": "GPU", "Manufacturer": "Fabrikam", "Model": "Accelerator 40", "Status": OK, "Socket": "GPU1", "SerialNumber": "GPU0001"}
    return slots(f"{SYSTEM}/Processors", "Processor", "1_18_0", {"CPU0": {**cpu, "Socket": "CPU 0"}, "CPU1": {**cpu, "Socket": "CPU 1"}, "GPU1": gpu})


def _memory() -> dict:
    dimm = {"MemoryType": "DRAM", "MemoryDeviceType": "DDR4", "BaseModuleType": "RDIMM", "CapacityMiB": 16384, "OperatingSpeedMhz": 3200,
            "Manufacturer": "Tailspin", "PartNumber": "T16G-3200", "RankCount": 2, "ErrorCorrection": "MultiBitECC", "Status": OK}
    found = {f"DIMM{place}": {**dimm, "SerialNumber": f"DIMM000{place}", "DeviceLocator": f"P{place // 2} DIMM {'AB'[place % 2]}",
                              "MemoryLocation": {"Socket": place // 2, "Channel": place % 2, "Slot": 0, "MemoryController": 0}} for place in range(4)}
    found["DIMM4"] = {"MemoryDeviceType": None, "CapacityMiB": 0, "DeviceLocator": "P0 DIMM C", "Status": {"State": "Absent"}}
    return slots(f"{SYSTEM}/Memory", "Memory", "1_17_0", found)


def _network() -> dict:
    nic = {"InterfaceEnabled": True, "FullDuplex": True, "Status": OK, "MTUSize": 1500, "IPv4Addresses": [], "IPv6Addresses": []}
    adapter = f"{CHASSIS}/NetworkAdapters/NIC1"
    found = ethernet(SYSTEM, {
        "NIC1": {**nic, "MACAddress": "02:00:00:00:A0:01", "PermanentMACAddress": "02:00:00:00:A0:01", "SpeedMbps": 25000, "LinkStatus": "LinkUp"},
        "NIC2": {**nic, "MACAddress": "02:00:00:00:A0:02", "PermanentMACAddress": "02:00:00:00:A0:02", "SpeedMbps": None, "LinkStatus": "LinkDown"}})
    found.update(collection(f"{SYSTEM}/NetworkInterfaces", "NetworkInterface", ["NIC1"]))
    found[f"{SYSTEM}/NetworkInterfaces/NIC1"] = resource("NetworkInterface", "1_2_0", "NIC1", Status=OK, Links={"NetworkAdapter": ref(adapter)})
    found.update(collection(f"{CHASSIS}/NetworkAdapters", "NetworkAdapter", ["NIC1"]))
    found[adapter] = resource("NetworkAdapter", "1_9_0", "NIC1", Manufacturer="Fabrikam", Model="Dual 25G", SerialNumber="NA0001", Status=OK,
                              Controllers=[{"FirmwarePackageVersion": "14.30.1"}], Ports=ref(f"{adapter}/Ports"))
    lldp = {"ChassisId": "02-00-00-00-F0-01", "ChassisIdSubtype": "MacAddr", "PortId": "Ethernet1/7", "PortIdSubtype": "IfName", "SystemName": "leaf1"}
    ports = {"1": {"LinkStatus": "LinkUp", "CurrentSpeedGbps": 25, "Status": OK,
                   "Ethernet": {"AssociatedMACAddresses": ["02:00:00:00:A0:01"], "LLDPEnabled": True, "LLDPReceive": lldp}},
             "2": {"LinkStatus": "LinkDown", "CurrentSpeedGbps": None, "Status": OK, "Ethernet": {"AssociatedMACAddresses": ["02:00:00:00:A0:02"]}}}
    found.update(slots(f"{adapter}/Ports", "Port", "1_9_0", ports))
    return found


def _storage() -> dict:
    base = f"{SYSTEM}/Storage"
    raid, direct = f"{base}/RAID1", f"{base}/NVME1"
    disks = {f"Disk{place}": (raid, {"SerialNumber": f"HDD000{place}", "MediaType": "HDD", "Protocol": "SAS", "CapacityBytes": 600 * 10**9,
                                     "RotationSpeedRPM": 10000, "Identifiers": [{"DurableNameFormat": "NAA", "DurableName": f"5000C5000000000{place}"}]})
             for place in range(3)}
    disks["NVMe0"] = (direct, {"SerialNumber": "NVME0001", "MediaType": "SSD", "Protocol": "NVMe", "CapacityBytes": 960197124096,
                               "Identifiers": [{"DurableNameFormat": "NGUID", "DurableName": "eui.0025385000000001"}]})
    found = collection(base, "Storage", ["RAID1", "NVME1"])
    for number, path in (("RAID1", raid), ("NVME1", direct)):
        mine = [f"{path}/Drives/{name}" for name, item in disks.items() if item[0] == path]
        values = {"Status": OK, "Drives": [ref(item) for item in mine], "Drives@odata.count": len(mine), "Volumes": ref(f"{path}/Volumes"),
                  "Controllers": ref(f"{path}/Controllers")}
        found[path] = resource("Storage", "1_13_0", number, **values)
        found.update(slots(f"{path}/Controllers", "StorageController", "1_5_0", {"0": {
            "Manufacturer": "Fabrikam", "Model": "RAID 12G" if path == raid else "Direct NVMe", "SerialNumber": f"SC-{number}", "FirmwareVersion": "5.1.2",
            "Status": OK, "SupportedDeviceProtocols": ["SAS"] if path == raid else ["NVMe"],
            "SupportedRAIDTypes": ["RAID0", "RAID1", "RAID5"] if path == raid else []}}))
        volumes = {"1": {"RAIDType": "RAID0", "CapacityBytes": 600 * 10**9, "VolumeType": "NonRedundant", "Status": OK,
                         "Identifiers": [{"DurableNameFormat": "NAA", "DurableName": "600508B100000001"}],
                         "Links": {"Drives": [ref(f"{raid}/Drives/Disk0")]}, "Actions": action(f"{raid}/Volumes/1", "Volume.Initialize")}}
        found.update(slots(f"{path}/Volumes", "Volume", "1_8_0", volumes if path == raid else {}))
    for name, (path, values) in disks.items():
        mine = f"{path}/Drives/{name}"
        volumes = [ref(f"{raid}/Volumes/1")] if name == "Disk0" else []
        found[mine] = resource("Drive", "1_16_0", name, Manufacturer="Tailspin", Model="TD-600", Revision="A1", Status=OK, BlockSizeBytes=512, **values,
                               PhysicalLocation={"PartLocation": {"ServiceLabel": f"Bay {name[-1]}", "LocationType": "Bay"}},
                               Links={"Volumes": volumes, "Chassis": ref(CHASSIS)}, Actions=action(mine, "Drive.SecureErase"))
    return found


def _bios() -> dict:
    path, registry = f"{SYSTEM}/Bios", "BiosAttributeRegistryMini.v1_0_0"
    settings = {"@odata.type": "#Settings.v1_3_5.Settings", "SettingsObject": ref(f"{path}/Settings"), "SupportedApplyTimes": ["OnReset"]}
    return {path: resource("Bios", "1_2_0", "Bios", AttributeRegistry=registry, Attributes=dict(BIOS),
                           Actions={**action(path, "Bios.ResetBios"), **action(path, "Bios.ChangePassword")}, **{"@Redfish.Settings": settings}),
            f"{path}/Settings": resource("Bios", "1_2_0", "Settings", AttributeRegistry=registry, Attributes={})}


def _secure_boot() -> dict:
    path = f"{SYSTEM}/SecureBoot"
    kinds = ["ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK"]
    return {path: resource("SecureBoot", "1_1_0", "SecureBoot", SecureBootEnable=False, SecureBootCurrentBoot="Disabled", SecureBootMode="UserMode",
                           Actions=action(path, "SecureBoot.ResetKeys", **{"ResetKeysType@Redfish.AllowableValues": kinds}))}


def _boot_options() -> dict:
    return slots(f"{SYSTEM}/BootOptions", "BootOption", "1_0_4", {
        "Boot0001": {"BootOptionReference": "Boot0001", "DisplayName": "NIC 1 PXE IPv4", "BootOptionEnabled": True, "UefiDevicePath": "PciRoot(0x0)/MAC(1)"},
        "Boot0002": {"BootOptionReference": "Boot0002", "DisplayName": "Disk", "BootOptionEnabled": True, "UefiDevicePath": "PciRoot(0x0)/NVMe(1)"}})


def _pcie() -> dict:
    base = f"{CHASSIS}/PCIeDevices"
    where = {"PartLocation": {"ServiceLabel": "PCIe Slot 2", "LocationType": "Slot", "LocationOrdinalValue": 2}}
    found = slots(base, "PCIeDevice", "1_13_0", {
        "GPU1": {"Manufacturer": "Fabrikam", "Model": "Accelerator 40", "SerialNumber": "GPU0001", "FirmwareVersion": "96.1", "DeviceType": "SingleFunction",
                 "Status": OK, "PCIeInterface": {"PCIeType": "Gen4", "LanesInUse": 16, "MaxLanes": 16}, "Slot": {"Location": where, "SlotType": "FullLength"},
                 "PCIeFunctions": ref(f"{base}/GPU1/PCIeFunctions")},
        "NIC1": {"Manufacturer": "Fabrikam", "Model": "Dual 25G", "SerialNumber": "NA0001", "DeviceType": "MultiFunction", "Status": OK,
                 "PCIeFunctions": ref(f"{base}/NIC1/PCIeFunctions")}})
    for number, code, kind in (("GPU1", "0x030200", "DisplayController"), ("NIC1", "0x020000", "NetworkController")):
        found.update(slots(f"{base}/{number}/PCIeFunctions", "PCIeFunction", "1_5_0", {"0": {
            "ClassCode": code, "DeviceClass": kind, "VendorId": "0x10DE" if number == "GPU1" else "0x15B3", "DeviceId": "0x20B5", "FunctionId": 0}}))
    return found
