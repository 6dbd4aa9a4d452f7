# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Recorded Redfish trees: straight from their archives into memory, indexed once, kept in build/."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import pickle
import re
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
_FORMAT = 4


class Tree:
    """What a BMC answered: files by path, and an index of what kind of resource each is. Never changed."""

    def __init__(self, name: str, files: dict, index: dict | None = None) -> None:
        self.name = name
        self.files = files
        index = index or _index(files)
        self.kinds = index["kinds"]
        self.etags = index["etags"]
        self.actions = index["actions"]
        self.settings = index["settings"]
        self.aliases = _aliases(files)

    def json(self, path: str):
        """A resource as data; raises KeyError where there is none, ValueError where it was recorded malformed."""
        return json.loads(self.files[path])

    def of_kind(self, kind: str) -> list:
        """Paths of all resources of a schema, for instance "ComputerSystem"."""
        return [path for path, found in self.kinds.items() if found == kind]


def _aliases(files: dict) -> dict:
    """Paths that differ from another in case only, by the one that is taken for both (some services link to both)."""
    best: dict = {}
    for path in files:
        other = best.get(path.lower())
        if other is None or sum(map(str.isupper, path)) > sum(map(str.isupper, other)):
            best[path.lower()] = path
    return {path: best[path.lower()] for path in files if best[path.lower()] != path}


def kind_of(data) -> str:
    """The schema's name out of @odata.type ("#Chassis.v1_2_0.Chassis" is "Chassis")."""
    text = data.get("@odata.type") if isinstance(data, dict) else None
    return text.lstrip("#").split(".")[0] if isinstance(text, str) else ""


def _index(files: dict) -> dict:
    index: dict = {"kinds": {}, "etags": {}, "actions": {}, "settings": {}}
    for path, body in files.items():
        try:
            data = json.loads(body)
        except ValueError:
            continue
        if not isinstance(data, dict):
            continue
        index["kinds"][path] = kind_of(data)
        if isinstance(data.get("@odata.etag"), str):
            index["etags"][path] = data["@odata.etag"]
        index["actions"].update(actions_of(path, data))
        settings = data.get("@Redfish.Settings")
        target = settings.get("SettingsObject") if isinstance(settings, dict) else None
        if isinstance(target, dict) and isinstance(target.get("@odata.id"), str):
            index["settings"][target["@odata.id"].rstrip("/")] = path
    return index


def actions_of(path: str, data: dict) -> dict:
    """Action targets that a resource advertises: {target: (action, owner)}. Old services put them on the resource itself."""
    found: dict = {}

    def look(block) -> None:
        for key, value in block.items():
            if isinstance(value, dict) and key.startswith("#") and isinstance(value.get("target"), str):
                found[value["target"].rstrip("/")] = (key.lstrip("#"), path)
            elif isinstance(value, dict):
                look(value)

    actions = data.get("Actions")
    if isinstance(actions, dict):
        look(actions)
    look({key: value for key, value in data.items() if key.startswith("#")})
    return found


def folder() -> pathlib.Path:
    """Where the archives are: $TYPEONE_REDFISH_TREES, else ../shared/redfish-trees beside the project."""
    given = os.environ.get("TYPEONE_REDFISH_TREES")
    return pathlib.Path(given) if given else ROOT.parent / "shared" / "redfish-trees"


def recorded() -> list:
    """Names of the archives at hand, sorted; empty where there are none."""
    return sorted(item.name[:-len(".tar.xz")] for item in folder().glob("*.tar.xz"))


def names() -> list:
    """All trees that can be served: `mini`, then the recorded ones."""
    return ["mini", *recorded()]


@functools.lru_cache(maxsize=None)
def load(name: str) -> Tree:
    """A tree by name; FileNotFoundError where its archive is not at hand."""
    if name == "mini":
        from .mini import build  # pylint: disable=import-outside-toplevel
        return build()
    archive = folder() / f"{name}.tar.xz"
    stamp = archive.stat()
    cache = ROOT / "build" / "testbmc" / f"{name}-{int(stamp.st_mtime)}-{stamp.st_size}-{_FORMAT}.pickle"
    if cache.exists():
        try:
            files, index = pickle.loads(cache.read_bytes())
            return Tree(name, files, index)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            pass
    tree = Tree(name, _unpack(archive))
    _keep(cache, tree)
    return tree


def _keep(cache: pathlib.Path, tree: Tree) -> None:
    index = {"kinds": tree.kinds, "etags": tree.etags, "actions": tree.actions, "settings": tree.settings}
    temporary = cache.with_suffix(f".{os.getpid()}")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(pickle.dumps((tree.files, index), protocol=4))
        temporary.replace(cache)
    except OSError:
        pass


def _unpack(archive: pathlib.Path) -> dict:
    files: dict = {}
    wanted = re.compile(r"[^/]+(/redfish(?:/.*)?)/index\.(json|xml)$")
    with tarfile.open(archive, "r:xz") as bundle:
        for member in bundle:
            found = wanted.match(member.name[2:] if member.name.startswith("./") else member.name)
            if found and member.isfile():
                path = found.group(1)
                if found.group(2) == "json" or path not in files:
                    files[path] = bundle.extractfile(member).read()
    return files
