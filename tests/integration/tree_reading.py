# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recorded tree holds, read without any code of the collection: by the kinds of its files, not by its links."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator

MIB, GIB = 1024 ** 2, 1024 ** 3
NOTHING = {"", "N/A", "NA", "Not Available", "None", "Unknown", "NULL", "nil", "Not Specified"}


class TreeReading:
    """One tree and one of its systems."""

    def __init__(self, tree: Any, system: str) -> None:
        self.tree = tree
        self.system = system
        self.documents = {}
        for path, raw in tree.files.items():
            try:
                document = json.loads(raw)
            except ValueError:
                continue
            if isinstance(document, dict) and path not in tree.aliases and "error" not in document:
                self.documents[path] = document

    def below(self, *patterns: str) -> Iterator[dict]:
        """Yield the documents whose whole path is one of the patterns, ``{s}`` being the system."""
        wanted = re.compile("|".join(pattern.replace("{s}", re.escape(self.system)) for pattern in patterns))
        for path, document in self.documents.items():
            if wanted.fullmatch(path):
                yield document

    def listed(self, collection: str) -> list:
        """Return the member paths of a collection."""
        members = self.documents.get(collection.replace("{s}", self.system), {}).get("Members") or []
        return list(dict.fromkeys(member["@odata.id"].rstrip("/") for member in members))

    def members(self, collection: str) -> list:
        """Return the documents of the members of a collection that are there."""
        return [self.documents[path] for path in self.listed(collection) if path in self.documents]

    @property
    def own(self) -> dict:
        """Return the system's document."""
        return self.documents[self.system]

    def processors(self, kind: str) -> list:
        """Return the processors of a kind that are there."""
        return [entry for entry in self.members("{s}/Processors")
                if entry.get("ProcessorType") == kind and there(entry)]

    def dimms(self) -> list:
        """Return the modules that are there."""
        return [entry for entry in self.members("{s}/Memory") if there(entry) and entry.get("CapacityMiB")]

    def macs(self) -> set:
        """Return the MACs of interfaces and functions."""
        found = [entry.get("MACAddress") for entry in self.below("{s}/EthernetInterfaces/[^/]+")]
        found += [(entry.get("Ethernet") or {}).get("MACAddress")
                  for entry in self.below("/redfish/v1/Chassis/[^/]+/NetworkAdapters/[^/]+/NetworkDeviceFunctions/[^/]+")]
        return {str(value).lower() for value in found if re.fullmatch("([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", value or "")}

    def drives(self) -> dict:
        """Return the drives that are there, by serial number."""
        found = self.below("{s}/Storages?/[^/]+/Drives/[^/]+", "/redfish/v1/Chassis/[^/]+/Drives/[^/]+")
        return {entry["SerialNumber"].strip(): entry for entry in found if there(entry) and entry.get("SerialNumber")}

    def volumes(self) -> list:
        """Return the volumes that are listed."""
        found = []
        for path in self.documents:
            if re.fullmatch(re.escape(self.system) + "/Storages?/[^/]+/Volumes", path):
                found += self.members(path)
        return found

    def readings(self, resource: str, key: str) -> list:
        """Return the entries of Thermal or Power in all chassis."""
        return [entry for document in self.below(f"/redfish/v1/Chassis/[^/]+/{resource}")
                for entry in document.get(key) or [] if there(entry)]


def there(document: dict) -> bool:
    """Tell whether a part is not marked as absent."""
    return (document.get("Status") or {}).get("State") != "Absent"


def plain(value: Any) -> Any:
    """Return a text without its blanks, ``None`` for what says nothing."""
    text = value.strip() if isinstance(value, str) else None
    return None if text in NOTHING else text
