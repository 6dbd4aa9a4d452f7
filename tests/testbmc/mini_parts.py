# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Small helpers to write a tree in code."""

from __future__ import annotations

BASE = "/redfish/v1"
SYSTEM = f"{BASE}/Systems/1"
CHASSIS = f"{BASE}/Chassis/1"
MANAGER = f"{BASE}/Managers/1"
OK = {"State": "Enabled", "Health": "OK"}


def ref(path: str) -> dict:
    """A link."""
    return {"@odata.id": path}


def collection(path: str, schema: str, members, *, name: str | None = None) -> dict:
    """{path: a collection of members}; members are Ids or whole paths."""
    paths = [item if item.startswith("/") else f"{path}/{item}" for item in members]
    return {path: {"@odata.type": f"#{schema}Collection.{schema}Collection", "Name": name or f"{schema} Collection",
                   "Members": [ref(item) for item in paths], "Members@odata.count": len(paths)}}


def resource(schema: str, version: str, number: str, **values) -> dict:
    """A resource's data; its Name is its Id unless given."""
    return {"@odata.type": f"#{schema}.v{version}.{schema}", "Id": number, "Name": number, **values}


def slots(base: str, schema: str, version: str, items: dict) -> dict:
    """A collection and its members: items {Id: values}."""
    found = collection(base, schema, list(items))
    for number, values in items.items():
        found[f"{base}/{number}"] = resource(schema, version, number, **values)
    return found


def action(owner: str, name: str, **values) -> dict:
    """{"#Name": {target, ...}}, for Actions."""
    return {f"#{name}": {"target": f"{owner}/Actions/{name}", **values}}


def log_service(owner: str, number: str, entries: list) -> dict:
    """A log with its entries (dictionaries)."""
    base = f"{owner}/LogServices"
    path = f"{base}/{number}"
    found = collection(base, "LogService", [number])
    found[path] = resource("LogService", "1_3_0", number, Status=OK, ServiceEnabled=True, MaxNumberOfRecords=512, OverWritePolicy="WrapsWhenFull",
                           DateTime="2026-01-01T00:00:00Z", DateTimeLocalOffset="+00:00", LogEntryType="SEL", Entries=ref(f"{path}/Entries"),
                           Actions=action(path, "LogService.ClearLog"))
    found.update(slots(f"{path}/Entries", "LogEntry", "1_9_0", {str(place): item for place, item in enumerate(entries, 1)}))
    return found


def virtual_media(owner: str, items: dict) -> dict:
    """Virtual drives: {Id: media types}."""
    base = f"{owner}/VirtualMedia"
    found = {}
    for number, types in items.items():
        path = f"{base}/{number}"
        found[number] = {"MediaTypes": types, "Image": None, "ImageName": None, "Inserted": False, "WriteProtected": True, "ConnectedVia": "NotConnected",
                         "TransferProtocolType": None, "TransferMethod": "Stream", "UserName": None, "Password": None,
                         "Actions": {**action(path, "VirtualMedia.InsertMedia"), **action(path, "VirtualMedia.EjectMedia")}}
    return slots(base, "VirtualMedia", "1_6_0", found)


def ethernet(owner: str, items: dict) -> dict:
    """Ethernet interfaces."""
    return slots(f"{owner}/EthernetInterfaces", "EthernetInterface", "1_8_0", items)
