# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The mini tree's chassis (thermal, power, sensors) and manager."""

from __future__ import annotations

from .mini_parts import BASE, CHASSIS, MANAGER, OK, SYSTEM, action, collection, ethernet, log_service, ref, resource, slots, virtual_media


def chassis() -> dict:
    """All below /redfish/v1/Chassis and /redfish/v1/Managers."""
    found = collection(f"{BASE}/Chassis", "Chassis", ["1"])
    parts = ("Thermal", "Power", "Sensors", "ThermalSubsystem", "PowerSubsystem", "NetworkAdapters", "PCIeDevices")
    found[CHASSIS] = resource("Chassis", "1_22_0", "1", ChassisType="RackMount", Manufacturer="Contoso", Model="Mini 1U", SerialNumber="MINI0001",
                              PartNumber="M1-000", PowerState="Off", Status={**OK, "HealthRollup": "OK"}, IndicatorLED="Off",
                              **{name: ref(f"{CHASSIS}/{name}") for name in parts},
                              Links={"ComputerSystems": [ref(SYSTEM)], "ManagedBy": [ref(MANAGER)]})
    for part in (_thermal, _power, _subsystems, _sensors, _manager):
        found.update(part())
    return found


def _thermal() -> dict:
    temperatures = [{"@odata.id": f"{CHASSIS}/Thermal#/Temperatures/{place}", "MemberId": str(place), "Name": name, "ReadingCelsius": value,
                     "UpperThresholdCritical": 90, "UpperThresholdFatal": 100, "PhysicalContext": where, "Status": OK}
                    for place, (name, value, where) in enumerate((("CPU0 Temp", 41, "CPU"), ("CPU1 Temp", 43, "CPU"), ("Inlet Temp", 22, "Intake")))]
    fans = [{"@odata.id": f"{CHASSIS}/Thermal#/Fans/{place}", "MemberId": str(place), "Name": f"Fan {place + 1}", "Reading": 5200 + place,
             "ReadingUnits": "RPM", "LowerThresholdCritical": 1000, "Status": OK} for place in range(2)]
    return {f"{CHASSIS}/Thermal": resource("Thermal", "1_7_0", "Thermal", Temperatures=temperatures, Fans=fans, Redundancy=[])}


def _power() -> dict:
    supplies = [{"@odata.id": f"{CHASSIS}/Power#/PowerSupplies/{place}", "MemberId": str(place), "Name": f"PSU {place + 1}", "Status": OK,
                 "PowerCapacityWatts": 800, "LastPowerOutputWatts": 120, "LineInputVoltage": 230, "SerialNumber": f"PSU000{place + 1}",
                 "Manufacturer": "Contoso", "Model": "P800"} for place in range(2)]
    redundancy = [{"@odata.id": f"{CHASSIS}/Power#/Redundancy/0", "MemberId": "0", "Name": "PSU Redundancy", "Mode": "N+m", "MinNumNeeded": 1,
                   "MaxNumSupported": 2, "Status": OK, "RedundancySet": [ref(item["@odata.id"]) for item in supplies]}]
    control = [{"@odata.id": f"{CHASSIS}/Power#/PowerControl/0", "MemberId": "0", "Name": "System Power Control", "PowerConsumedWatts": 240,
                "PowerCapacityWatts": 1600}]
    return {f"{CHASSIS}/Power": resource("Power", "1_7_0", "Power", PowerControl=control, PowerSupplies=supplies, Redundancy=redundancy)}


def _subsystems() -> dict:
    thermal, power = f"{CHASSIS}/ThermalSubsystem", f"{CHASSIS}/PowerSubsystem"
    found = {thermal: resource("ThermalSubsystem", "1_0_0", "ThermalSubsystem", Status=OK, Fans=ref(f"{thermal}/Fans"),
                               ThermalMetrics=ref(f"{thermal}/ThermalMetrics")),
             f"{thermal}/ThermalMetrics": resource("ThermalMetrics", "1_0_0", "ThermalMetrics", TemperatureReadingsCelsius=[
                 {"DeviceName": "CPU0", "DataSourceUri": f"{CHASSIS}/Sensors/CPU0Temp", "Reading": 41}]),
             power: resource("PowerSubsystem", "1_1_0", "PowerSubsystem", Status=OK, PowerSupplies=ref(f"{power}/PowerSupplies"), CapacityWatts=1600)}
    found.update(slots(f"{thermal}/Fans", "Fan", "1_1_0", {str(place): {
        "Name": f"Fan {place}", "Status": OK, "SpeedPercent": {"Reading": 35, "SpeedRPM": 5199 + place}} for place in (1, 2)}))
    found.update(slots(f"{power}/PowerSupplies", "PowerSupply", "1_3_0", {str(place): {
        "Name": f"PSU {place}", "Status": OK, "PowerCapacityWatts": 800, "SerialNumber": f"PSU000{place}", "Model": "P800"} for place in (1, 2)}))
    return found


def _sensors() -> dict:
    return slots(f"{CHASSIS}/Sensors", "Sensor", "1_5_0", {
        "CPU0Temp": {"Name": "CPU0 Temp", "ReadingType": "Temperature", "Reading": 41, "ReadingUnits": "Cel", "Status": OK},
        "Inlet": {"Name": "Inlet Temp", "ReadingType": "Temperature", "Reading": 22, "ReadingUnits": "Cel", "Status": OK},
        "Fan1": {"Name": "Fan 1", "ReadingType": "Rotational", "Reading": 5200, "ReadingUnits": "RPM", "Status": OK}})


def _manager() -> dict:
    found = collection(f"{BASE}/Managers", "Manager", ["1"])
    parts = ("NetworkProtocol", "EthernetInterfaces", "VirtualMedia", "LogServices", "SerialInterfaces")
    found[MANAGER] = resource("Manager", "1_17_0", "1", ManagerType="BMC", Model="Contoso BMC", FirmwareVersion="1.2.3", Status=OK, PowerState="On",
                              DateTime="2026-01-01T00:00:00Z", DateTimeLocalOffset="+00:00", UUID="00000000-0000-0000-0000-00000000b001",
                              SerialConsole={"ServiceEnabled": True, "MaxConcurrentSessions": 1, "ConnectTypesSupported": ["SSH", "IPMI"]},
                              **{name: ref(f"{MANAGER}/{name}") for name in parts if name != "SerialInterfaces"},
                              Actions={**action(MANAGER, "Manager.Reset", **{"ResetType@Redfish.AllowableValues": ["ForceRestart", "GracefulRestart"]}),
                                       **action(MANAGER, "Manager.ResetToDefaults", **{"ResetType@Redfish.AllowableValues": ["ResetAll"]})},
                              Links={"ManagerForServers": [ref(SYSTEM)], "ManagerForChassis": [ref(CHASSIS)],
                                     "ActiveSoftwareImage": ref(f"{BASE}/UpdateService/FirmwareInventory/BMC")})
    path = f"{MANAGER}/NetworkProtocol"
    found[path] = resource("ManagerNetworkProtocol", "1_9_0", "NetworkProtocol", HostName="bmc-mini", FQDN="bmc-mini.example.com", Status=OK,
                           HTTP={"ProtocolEnabled": False, "Port": 80}, SSH={"ProtocolEnabled": True, "Port": 22},
                           HTTPS={"ProtocolEnabled": True, "Port": 443, "Certificates": ref(f"{path}/HTTPS/Certificates")},
                           IPMI={"ProtocolEnabled": False, "Port": 623}, SNMP={"ProtocolEnabled": False, "Port": 161}, SSDP={"ProtocolEnabled": True},
                           NTP={"ProtocolEnabled": True, "NTPServers": ["192.0.2.1"]}, KVMIP={"ProtocolEnabled": True, "Port": 5900},
                           VirtualMedia={"ProtocolEnabled": True, "Port": 5901})
    found.update(slots(f"{path}/HTTPS/Certificates", "Certificate", "1_6_0", {"1": {
        "CertificateType": "PEM", "CertificateString": None, "Issuer": {"CommonName": "testbmc CA"}, "Subject": {"CommonName": "bmc-mini"}}}))
    address = {"Address": "192.0.2.50", "SubnetMask": "255.255.255.0", "AddressOrigin": "Static", "Gateway": "192.0.2.1"}
    found.update(ethernet(MANAGER, {"1": {
        "InterfaceEnabled": True, "MACAddress": "02:00:00:00:B0:01", "PermanentMACAddress": "02:00:00:00:B0:01", "SpeedMbps": 1000, "LinkStatus": "LinkUp",
        "Status": OK, "HostName": "bmc-mini", "FQDN": "bmc-mini.example.com", "MTUSize": 1500, "DHCPv4": {"DHCPEnabled": False, "UseDNSServers": False},
        "IPv4Addresses": [dict(address)], "IPv4StaticAddresses": [{key: address[key] for key in ("Address", "SubnetMask", "Gateway")}],
        "IPv6Addresses": [], "NameServers": ["192.0.2.1"], "StaticNameServers": ["192.0.2.1"],
        "VLAN": {"VLANEnable": False, "VLANId": 1}}}))
    found.update(virtual_media(MANAGER, {"CD1": ["CD", "DVD"]}))
    found.update(log_service(MANAGER, "Log", [
        {"EntryType": "Event", "Severity": "OK", "Created": "2026-01-01T00:00:00Z", "Message": "BMC started.", "MessageId": "Event.1.0.BmcStart"}]))
    return found
