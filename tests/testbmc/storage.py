# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Volumes made and removed by tasks, drives erased."""

from __future__ import annotations

from .messages import Response, normalise, refusal
from .routes import action, check_allowable, check_parameters, check_properties, creates, deletes, patches

# RAIDType: (fewest drives, drives lost to redundancy, as a function of how many there are).
LEVELS = {"RAID0": (1, lambda n: 0), "RAID1": (2, lambda n: n - 1), "RAID5": (3, lambda n: 1), "RAID6": (4, lambda n: 2),
          "RAID10": (4, lambda n: n // 2), "RAID50": (6, lambda n: 2), "RAID60": (8, lambda n: 4), "RAID1Triple": (3, lambda n: n - 1),
          "RAID10Triple": (6, lambda n: 2 * n // 3)}
OLD_TYPES = {"RawDevice": "RAID0", "NonRedundant": "RAID0", "Mirrored": "RAID1", "StripedWithParity": "RAID5", "SpannedMirrors": "RAID10"}


class Storage:
    """What happened to the disks: `erased` and `initialized` list paths. `apply` "on_reset" waits for the next start; `fail` ends tasks so."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self.erased: list = []
        self.initialized: list = []
        self.apply = "immediate"
        self.seconds: float | None = None
        self.fail: str | None = None
        self._waiting: list = []
        bmc.power.on_boot.append(self._started)

    def work(self, name: str, done) -> Response:
        """202 with a task that ends in done(), now or after the next start."""
        if self.apply == "immediate":
            return self._bmc.tasks.accepted(self._bmc.tasks.start(name, done=done, seconds=self.seconds, fail=self.fail))
        task = self._bmc.tasks.start(name, waiting=True)
        self._waiting.append((task, done))
        return self._bmc.tasks.accepted(task)

    def _started(self, _system: str) -> None:
        waiting, self._waiting = self._waiting, []
        for task, done in waiting:
            task.done = done
            self._bmc.tasks.finish(task)

    def drives_of(self, storage: str) -> list:
        """Paths of a storage's drives."""
        listed = self._bmc.store.get(storage).get("Drives") or []
        return [normalise(item["@odata.id"]) for item in listed if isinstance(item, dict) and "@odata.id" in item]

    def volumes_on(self, drive: str) -> list:
        """Paths of the volumes that use a drive; a drive that is listed as a volume of its own is none."""
        found = []
        for path in self._bmc.store.of_kind("Volume"):
            if self._bmc.store.get(path).get("VolumeType") == "RawDevice":
                continue
            links = (self._bmc.store.get(path).get("Links") or {}).get("Drives") or []
            if drive in [normalise(item.get("@odata.id", "")) for item in links if isinstance(item, dict)]:
                found.append(path)
        return found

    def levels(self, collection: str):
        """RAID types that may be made here, None where nothing is told."""
        store, storage = self._bmc.store, collection.rpartition("/")[0]
        told = store.get(f"{collection}/Capabilities").get("RAIDType@Redfish.AllowableValues")
        if told:
            return told
        for path in store.members(store.link(storage, "Controllers")):
            if "SupportedRAIDTypes" in store.get(path):
                return store.get(path)["SupportedRAIDTypes"]
        for item in store.get(storage).get("StorageControllers") or []:
            if isinstance(item, dict) and item.get("SupportedRAIDTypes"):
                return item["SupportedRAIDTypes"]
        return None


@creates("VolumeCollection")
def create_volume(bmc, path: str, data: dict, _request) -> Response:
    """A new volume: drives free and of this storage, level possible with them."""
    known = {"RAIDType": str, "VolumeType": str, "Name": str, "DisplayName": str, "CapacityBytes": int, "Links": dict, "Drives": list,
             "StripSizeBytes": int, "OptimumIOSizeBytes": int, "ReadCachePolicy": str, "WriteCachePolicy": str, "InitializeMethod": str,
             "Encrypted": bool, "ReadPolicy": str, "WritePolicy": str}
    check_properties(bmc, path, {key: value for key, value in data.items() if not key.startswith("@Redfish.")}, known)
    level = data.get("RAIDType") or OLD_TYPES.get(data.get("VolumeType", ""))
    levels = bmc.storage.levels(path)
    if level not in LEVELS or (levels is not None and level not in levels):
        raise refusal("PropertyValueNotInList", level, "RAIDType", related=["RAIDType"])
    drives = _free_drives(bmc, path, (data.get("Links") or {}).get("Drives") or data.get("Drives") or [])
    if len(drives) < LEVELS[level][0]:
        raise refusal("PropertyValueConflict", "RAIDType", "Links/Drives", related=["RAIDType"])
    sizes = [bmc.store.get(drive).get("CapacityBytes") or 0 for drive in drives]
    most = min(sizes) * (len(drives) - LEVELS[level][1](len(drives)))
    if data.get("CapacityBytes", 0) > most:
        raise refusal("PropertyValueOutOfRange", data["CapacityBytes"], "CapacityBytes", related=["CapacityBytes"])
    body = {"RAIDType": level, "CapacityBytes": data.get("CapacityBytes") or most, "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"Drives": [{"@odata.id": drive} for drive in drives]}, "Name": data.get("Name") or data.get("DisplayName") or "Volume",
            **{key: data[key] for key in ("DisplayName", "StripSizeBytes", "ReadCachePolicy", "WriteCachePolicy", "Encrypted") if key in data}}
    return bmc.storage.work("Create Volume", lambda: _made(bmc, path, body))


def _free_drives(bmc, collection: str, listed: list) -> list:
    storage = collection.rpartition("/")[0]
    drives = [normalise(item.get("@odata.id", "")) for item in listed if isinstance(item, dict)]
    for drive in drives:
        if drive not in bmc.storage.drives_of(storage) or drives.count(drive) > 1:
            raise refusal("PropertyValueNotInList", drive, "Links/Drives", related=["Links/Drives"])
        if bmc.storage.volumes_on(drive):
            raise refusal("ResourceInUse", related=["Links/Drives"])
    return drives


def _made(bmc, path: str, body: dict) -> None:
    taken = [item.rpartition("/")[2] for item in bmc.store.members(path)]
    number = next(str(place) for place in range(1, 1000) if str(place) not in taken)
    new = f"{path}/{number}"
    targets = {f"#{name}": {"target": f"{new}/Actions/{name}"} for name in ("Volume.Initialize",)}
    bmc.store.put(new, {"@odata.type": "#Volume.v1_8_0.Volume", "@odata.id": new, "Id": number, **body, "Actions": targets,
                        "Identifiers": [{"DurableNameFormat": "NAA", "DurableName": f"600508B1000000{len(taken):02d}"}]}, collection=path)
    for drive in body["Links"]["Drives"]:
        _link_volumes(bmc, drive["@odata.id"])


def _link_volumes(bmc, drive: str) -> None:
    if "Links" in bmc.store.get(drive):
        bmc.store.edit(drive)["Links"]["Volumes"] = [{"@odata.id": path} for path in bmc.storage.volumes_on(drive)]


@deletes("Volume")
def delete_volume(bmc, path: str, _request) -> Response:
    """A volume and its data are gone when the task has ended."""
    collection = bmc.store.collection_of(path)
    if path not in bmc.store.members(collection):
        raise refusal("ResourceCannotBeDeleted")

    def done() -> None:
        drives = [item["@odata.id"] for item in (bmc.store.get(path).get("Links") or {}).get("Drives") or []]
        bmc.store.delete(path, collection=collection)
        for drive in drives:
            _link_volumes(bmc, drive)

    return bmc.storage.work("Delete Volume", done)


@patches("Volume")
def patch_volume(bmc, path: str, data: dict, _request) -> None:
    """Name and cache policies."""
    check_properties(bmc, path, data, {"Name": str, "DisplayName": str, "ReadCachePolicy": str, "WriteCachePolicy": str, "Encrypted": bool})
    bmc.store.merge(path, data)


@action("Volume.Initialize")
def initialize(bmc, owner: str, data: dict, _request) -> Response:
    """Contents overwritten."""
    check_parameters("Volume.Initialize", data, known=("InitializeType", "InitializeMethod"))
    return bmc.storage.work("Initialize Volume", lambda: bmc.storage.initialized.append(owner))


@action("Drive.SecureErase")
def secure_erase(bmc, owner: str, data: dict, _request) -> Response:
    """A drive that no volume uses is erased."""
    check_parameters("Drive.SecureErase", data, known=("SanitizationType", "OverwritePasses"))
    if data.get("SanitizationType") is not None:
        check_allowable(bmc, owner, "Drive.SecureErase", "SanitizationType", value=data["SanitizationType"],
                        fallback=["BlockErase", "CryptographicErase", "Overwrite"])
    if bmc.storage.volumes_on(owner):
        raise refusal("ResourceInUse")
    return bmc.storage.work("Secure Erase", lambda: bmc.storage.erased.append(owner))
