# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""A BMC's resources: a recorded tree below, what has changed since above it."""

from __future__ import annotations

import copy
import json
import zlib

from .messages import normalise
from .trees import Tree, actions_of, kind_of


class Store:
    """Reads fall through to the tree; the first edit of a resource copies it. Not locked: the BMC's lock is."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.changed: dict = {}
        self.versions: dict = {}
        self.actions = {target: (name, self.real(owner)) for target, (name, owner) in tree.actions.items()}
        self.settings = {self.real(path): self.real(owner) for path, owner in tree.settings.items()}

    def real(self, path: str) -> str:
        """A path without trailing slash, in the spelling under which its resource is kept."""
        path = normalise(path)
        return self.tree.aliases.get(path, path)

    def __contains__(self, path: str) -> bool:
        path = self.real(path)
        if path in self.changed:
            return self.changed[path] is not None
        return path in self.tree.files

    def raw(self, path: str):
        """A resource's bytes, None where there is none."""
        path = self.real(path)
        if path in self.changed:
            data = self.changed[path]
            return None if data is None else json.dumps(data, indent=1).encode()
        return self.tree.files.get(path)

    def get(self, path: str) -> dict:
        """A resource as data to look at (not to change); {} where there is none or it is malformed."""
        path = self.real(path)
        if path in self.changed:
            return self.changed[path] or {}
        try:
            data = self.tree.json(path)
        except (KeyError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def edit(self, path: str) -> dict:
        """A resource as data to change in place; its ETag moves on."""
        path = self.real(path)
        if self.changed.get(path) is None:
            self.changed[path] = copy.deepcopy(self.get(path))
        self.versions[path] = self.versions.get(path, 0) + 1
        data = self.changed[path]
        if "@odata.etag" in data:
            data["@odata.etag"] = f'W/"{self._plain(path)}"'
        return data

    def merge(self, path: str, values: dict) -> None:
        """Merge values into a resource, objects within objects; a None inside replaces."""
        _merge(self.edit(path), values)

    def put(self, path: str, data: dict, *, collection: str | None = None) -> None:
        """Add or replace a resource, listed in `collection` where given."""
        path = self.real(path)
        data.setdefault("@odata.id", path)
        self.changed[path] = data
        self.versions[path] = self.versions.get(path, 0) + 1
        self.actions.update(actions_of(path, data))
        if collection:
            listing = self.edit(collection)
            listing.setdefault("Members", [])
            if path not in [normalise(item.get("@odata.id", "")) for item in listing["Members"]]:
                listing["Members"].append({"@odata.id": path})
            listing["Members@odata.count"] = len(listing["Members"])

    def delete(self, path: str, *, collection: str | None = None) -> None:
        """Remove a resource, and its line in `collection`."""
        path = self.real(path)
        self.changed[path] = None
        if collection:
            listing = self.edit(collection)
            listing["Members"] = [item for item in listing.get("Members", []) if normalise(item.get("@odata.id", "")) != path]
            listing["Members@odata.count"] = len(listing["Members"])

    def kind(self, path: str) -> str:
        """The schema's name of what is at a path, "" where there is nothing."""
        path = self.real(path)
        if path in self.changed:
            return kind_of(self.changed[path])
        return self.tree.kinds.get(path, "")

    def of_kind(self, kind: str) -> list:
        """Paths of all resources of a schema, recorded order first."""
        found = [path for path in self.tree.of_kind(kind) if self.changed.get(path, True) is not None and path not in self.tree.aliases]
        return found + [path for path, data in self.changed.items()
                        if data is not None and path not in self.tree.files and kind_of(data) == kind]

    def members(self, path: str) -> list:
        """Paths that a collection lists."""
        listed = self.get(path).get("Members") or []
        return [self.real(item["@odata.id"]) for item in listed if isinstance(item, dict) and "@odata.id" in item]

    def link(self, path: str, *keys: str) -> str:
        """Follow keys inside a resource to a link; "" where a step is missing."""
        data = self.get(path)
        for key in keys:
            data = data.get(key) if isinstance(data, dict) else None
        found = data.get("@odata.id") if isinstance(data, dict) else None
        return self.real(found) if isinstance(found, str) else ""

    def collection_of(self, path: str) -> str:
        """The collection above a member."""
        return path.rpartition("/")[0]

    def _plain(self, path: str) -> str:
        base = self.tree.etags.get(path)
        text = base.replace("W/", "").strip('"') if base else f"{zlib.crc32(self.tree.files.get(path, path.encode())):08x}"
        version = self.versions.get(path, 0)
        return f"{text}-{version}" if version else text

    def etag(self, path: str, style: str):
        """A resource's ETag as `weak`, `strong`, `recorded` (weak where changed since) or None for `none`."""
        path = self.real(path)
        if style == "none":
            return None
        if style == "recorded" and path in self.tree.etags and not self.versions.get(path):
            return self.tree.etags[path]
        return f'"{self._plain(path)}"' if style == "strong" else f'W/"{self._plain(path)}"'


def _merge(into: dict, values: dict) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)
