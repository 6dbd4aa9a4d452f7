# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The mini tree's services: sessions, accounts, events, updates, tasks, certificates, registries."""

from __future__ import annotations

from .mini_parts import BASE, MANAGER, OK, action, collection, ref, resource, slots
from .mini_system import BIOS


def services() -> dict:
    """Everything that is neither system nor chassis nor manager."""
    found: dict = {}
    for part in (_sessions, _accounts, _events, _updates, _tasks, _certificates, _registries):
        found.update(part())
    return found


def _sessions() -> dict:
    path = f"{BASE}/SessionService"
    found = collection(f"{path}/Sessions", "Session", [])
    found[path] = resource("SessionService", "1_1_8", "SessionService", ServiceEnabled=True, SessionTimeout=1800, Sessions=ref(f"{path}/Sessions"), Status=OK)
    return found


def _accounts() -> dict:
    path = f"{BASE}/AccountService"
    found = slots(f"{path}/Accounts", "ManagerAccount", "1_8_0", {"1": {
        "UserName": "root", "Password": None, "RoleId": "Administrator", "Enabled": True, "Locked": False, "AccountTypes": ["Redfish"],
        "Links": {"Role": ref(f"{path}/Roles/Administrator")}}})
    roles = {"Administrator": ["Login", "ConfigureManager", "ConfigureUsers", "ConfigureSelf", "ConfigureComponents"],
             "Operator": ["Login", "ConfigureSelf", "ConfigureComponents"], "ReadOnly": ["Login", "ConfigureSelf"]}
    found.update(slots(f"{path}/Roles", "Role", "1_3_0", {
        name: {"RoleId": name, "IsPredefined": True, "AssignedPrivileges": privileges} for name, privileges in roles.items()}))
    found[path] = resource("AccountService", "1_13_0", "AccountService", ServiceEnabled=True, MinPasswordLength=8, MaxPasswordLength=40,
                           AccountLockoutThreshold=0, AccountLockoutDuration=0, Accounts=ref(f"{path}/Accounts"), Roles=ref(f"{path}/Roles"), Status=OK)
    return found


def _events() -> dict:
    path = f"{BASE}/EventService"
    found = collection(f"{path}/Subscriptions", "EventDestination", [])
    found[path] = resource("EventService", "1_10_0", "EventService", ServiceEnabled=True, DeliveryRetryAttempts=3, DeliveryRetryIntervalSeconds=60,
                           EventFormatTypes=["Event", "MetricReport"], RegistryPrefixes=["Base", "TaskEvent", "ResourceEvent"],
                           ResourceTypes=["ComputerSystem", "Chassis", "Task"], Subscriptions=ref(f"{path}/Subscriptions"), Status=OK,
                           Actions=action(path, "EventService.SubmitTestEvent"))
    return found


def _updates() -> dict:
    path = f"{BASE}/UpdateService"
    found = slots(f"{path}/FirmwareInventory", "SoftwareInventory", "1_10_0", {
        "BMC": {"Name": "BMC", "Version": "1.2.3", "Updateable": True, "Status": OK, "SoftwareId": "bmc", "RelatedItem": [ref(MANAGER)]},
        "BIOS": {"Name": "BIOS", "Version": "2.0.1", "Updateable": True, "Status": OK, "SoftwareId": "bios", "RelatedItem": [ref(f"{BASE}/Systems/1/Bios")]},
        "NIC": {"Name": "NIC 1", "Version": "14.30.1", "Updateable": False, "Status": OK, "SoftwareId": "nic"}})
    found[path] = resource("UpdateService", "1_14_0", "UpdateService", ServiceEnabled=True, Status=OK, HttpPushUri=f"{path}/update",
                           MultipartHttpPushUri=f"{path}/upload", MaxImageSizeBytes=4 << 30, FirmwareInventory=ref(f"{path}/FirmwareInventory"),
                           Actions=action(path, "UpdateService.SimpleUpdate", **{"TransferProtocol@Redfish.AllowableValues": ["HTTP", "HTTPS", "TFTP"]}))
    return found


def _tasks() -> dict:
    path = f"{BASE}/TaskService"
    found = collection(f"{path}/Tasks", "Task", [])
    found[path] = resource("TaskService", "1_2_0", "TaskService", ServiceEnabled=True, CompletedTaskOverWritePolicy="Oldest", Tasks=ref(f"{path}/Tasks"),
                           LifeCycleEventOnTaskStateChange=True, Status=OK)
    return found


def _certificates() -> dict:
    path = f"{BASE}/CertificateService"
    https = f"{MANAGER}/NetworkProtocol/HTTPS/Certificates"
    return {path: resource("CertificateService", "1_0_4", "CertificateService", CertificateLocations=ref(f"{path}/CertificateLocations"),
                           Actions={**action(path, "CertificateService.GenerateCSR"), **action(path, "CertificateService.ReplaceCertificate")}),
            f"{path}/CertificateLocations": resource("CertificateLocations", "1_0_2", "CertificateLocations",
                                                     Links={"Certificates": [ref(f"{https}/1")]})}


def _registries() -> dict:
    path, name = f"{BASE}/Registries", "BiosAttributeRegistryMini.v1_0_0"
    found = collection(path, "MessageRegistryFile", [name])
    found[f"{path}/{name}"] = resource("MessageRegistryFile", "1_1_3", name, Languages=["en"], Registry=name,
                                       Location=[{"Language": "en", "Uri": f"{path}/{name}/registry"}])
    found[f"{path}/{name}/registry"] = {"@odata.type": "#AttributeRegistry.v1_3_6.AttributeRegistry", "Id": name, "Name": "BIOS Attribute Registry",
                                        "Language": "en", "OwningEntity": "Contoso", "RegistryVersion": "1.0.0",
                                        "RegistryEntries": {"Attributes": _attributes(), "Menus": [], "Dependencies": []}}
    return found


def _attributes() -> list:
    def enumeration(name: str, *values) -> dict:
        return {"AttributeName": name, "Type": "Enumeration", "ReadOnly": False, "DefaultValue": values[0], "ResetRequired": True,
                "Value": [{"ValueName": value, "ValueDisplayName": value} for value in values]}

    return [enumeration("BootMode", "Uefi", "Bios"), enumeration("ProcVirtualization", "Enabled", "Disabled"),
            enumeration("SriovGlobalEnable", "Disabled", "Enabled"),
            {"AttributeName": "NumLock", "Type": "Boolean", "ReadOnly": False, "DefaultValue": True, "ResetRequired": True},
            {"AttributeName": "BootRetry", "Type": "Integer", "ReadOnly": False, "LowerBound": 0, "UpperBound": 10, "ScalarIncrement": 1, "DefaultValue": 3},
            {"AttributeName": "AssetTag", "Type": "String", "ReadOnly": False, "MinLength": 0, "MaxLength": 32, "DefaultValue": ""},
            {"AttributeName": "SystemMemorySize", "Type": "String", "ReadOnly": True, "CurrentValue": BIOS["SystemMemorySize"]}]
