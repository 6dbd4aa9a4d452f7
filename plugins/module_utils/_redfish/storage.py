# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes made and removed, drives erased, over Redfish: Storage, Volume, Drive (DMTF DSP0268)."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator, Optional

from .._bmc.errors import AnswerLost, BmcError, Rejected, Unsupported
from .._bmc.interface import Driver, Storage
from .._domain.deadline import Deadline
from .._domain.inventory import media_type, raid_level
from .._domain.units import identifier, positive, text
from .actions import Action, find_action
from .answers import Answer
from .client import dig, link_of
from .hardware_storage import controllers_of, storages
from .reading import Reader, absent, first, links_at, values_at
from .tasks import WAITING_FOR_RESET, TaskWait, state_of, unfinished

Json = dict[str, Any]
Tell = Callable[[str], None]
FORM_REFUSED = (400, 415, 422)
# RAIDType words, and the VolumeType of services that know no RAIDType (Volume before 1.3).
TYPES = {"raid0": ("RAID0", "NonRedundant"), "raid1": ("RAID1", "Mirrored"), "raid5": ("RAID5", "StripedWithParity"),
         "raid6": ("RAID6", None), "raid10": ("RAID10", "SpannedMirrors"), "raid50": ("RAID50", "SpannedStripesWithParity"),
         "raid60": ("RAID60", None), "raid1_triple": ("RAID1Triple", None), "raid10_triple": ("RAID10Triple", None)}
METHODS = {"block": "BlockErase", "cryptographic": "CryptographicErase", "overwrite": "Overwrite"}
OF_STORAGE = re.compile(r"volume|virtual ?disk|raid|erase|sanitiz", re.IGNORECASE)
# Seconds in which a BMC shows the task of a request whose answer was lost.
TASK_APPEARS = 5.0
# Seconds between two looks at a drive's operations.
POLL = 2.0
APPLY_TIME = "@Redfish.OperationApplyTime"


class RedfishStorage(Storage):
    """Drives are named by serial number everywhere; links stay inside."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._collections: dict[str, str] = {}
        self._fresh = True

    def read(self) -> Json:
        """Read controllers, drives and volumes; what cannot be read is an error, since data depend on it."""
        if not self._fresh:
            self._driver.client.forget()
        self._fresh = False
        reader = Reader(self._driver)
        reader.section = self.title
        found: Json = {"controllers": [], "drives": [], "volumes": []}
        for _link, storage in storages(reader):
            self._read_one(reader, storage, found)
        if reader.problems:
            worst = reader.problems[0]
            raise Rejected(f"the storage cannot be read as a whole ({worst['path']}: {worst['cause']})",
                           problems=reader.problems, remedy="Nothing is changed where it is not known what is there.")
        if not found["controllers"]:
            raise Unsupported("the system shows no storage", capability=self.title, protocol="redfish",
                              remedy="Some BMCs show it only once the system was started.")
        return found

    def _read_one(self, reader: Reader, storage: Json, found: Json) -> None:
        """Add what one Storage holds."""
        name = identifier(storage.get("Id")) or ""
        levels = [level for document in controllers_of(reader, storage) for level in (
            raid_level(value) for path in ("SupportedRAIDTypes/*", "Oem/*/SupportedRAIDLevels/*")
            for value in values_at(document, path)) if level in TYPES]
        self._collections[name] = link_of(storage.get("Volumes")) or ""
        found["controllers"].append({"id": name, "levels": list(dict.fromkeys(levels))})
        drives = [_drive(link, document, name) for link, document in reader.documents(links_at(storage, "Drives"))
                  if not absent(document)]
        volumes = [_volume(link, document, name, drives) for link, document in reader.collections_at(storage, "Volumes")]
        for drive in drives:
            drive["volumes"] = [volume["id"] for volume in volumes if drive["path"] in volume["drive_paths"]
                                and not volume["raw"]]
        found["drives"] += drives
        found["volumes"] += volumes

    def pending(self) -> list[str]:
        """Return the names of tasks and jobs about storage that wait for a reset."""
        waiting = [task for task in unfinished(self._driver.client) if state_of(task) in WAITING_FOR_RESET]
        names = (f"{task.get('Name')} {task.get('JobType') or ''}".strip() for task in waiting)
        return [name for name in names if OF_STORAGE.search(name)]

    # Volumes

    def create_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Create ``{name?, controller, level, drives: [path], size_bytes?}`` and wait for the BMC's task."""
        collection = self._collections.get(volume["controller"])
        if not collection:
            raise Unsupported(f"controller {volume['controller']} takes no volumes", capability=self.title,
                              protocol="redfish", remedy="Its drives are used one by one.")
        now = self._apply_time(self._driver.client.read(collection))
        forms = ({**form, **now} for form in _forms(volume))
        return self._finished(lambda: self._first_taken(collection, forms), "the new volume", deadline, tell)

    def _apply_time(self, collection: Json) -> Json:
        """Return the wish that it be done at once, where the BMC offers a choice."""
        offered = dig(collection, "@Redfish.OperationApplyTimeSupport", "SupportedValues")
        offered = offered if isinstance(offered, list) else []
        word = next((word for word in ("Immediate", "OnReset") if word in offered), None)
        return {APPLY_TIME: word} if word else {}

    def delete_volume(self, volume: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Delete the volume, as it was read, and wait for the BMC's task."""
        return self._finished(lambda: self._driver.client.write("DELETE", volume["path"]),
                              f"the removal of volume {volume['name'] or volume['id']}", deadline, tell)

    def rename_volume(self, volume: Json, name: str) -> None:
        """Give the volume a name, by whichever of its two names the BMC lets be written."""
        self._first_taken(volume["path"], iter([{"Name": name}, {"DisplayName": name}]), method="PATCH")

    def _first_taken(self, link: str, forms: Iterator[Json], *, method: str = "POST") -> Answer:
        """Send the first form that the BMC takes; raise the refusal of the first form where it takes none."""
        refused: Optional[Rejected] = None
        for form in forms:
            try:
                return self._driver.client.write(method, link, form)
            except Rejected as error:
                refused = refused or error
                if error.details.get("status") not in FORM_REFUSED:
                    raise
        raise refused

    def _finished(self, send: Callable[[], Answer], what: str, deadline: Deadline, tell: Tell) -> Json:
        """Send, and wait for the task; where the answer was lost the effect has to tell."""
        wait = TaskWait(self._driver.client, deadline=deadline, tell=tell, what=what)
        try:
            answer = send()
            outcome = wait.follow(answer, until_scheduled=True)
        except AnswerLost as error:
            tell(f"{error.cause}; looking for the BMC's task instead of asking again")
            outcome = wait.find(within=TASK_APPEARS, until_scheduled=True)
        return {"state": outcome.state, "task": outcome.link is not None, "messages": list(outcome.messages),
                "reset_required": outcome.reset_required or outcome.state == "scheduled"}

    # Drives

    def erase_methods(self, drive: Json) -> list[str]:
        """Return the ways of erasing that the BMC tells for a drive, empty where it tells none."""
        allowed = self._erasure(drive).allowed
        return [ours for ours, word in METHODS.items() if word in allowed]

    def _erasure(self, drive: Json) -> Action:
        """Return the drive's action, after it was made sure that the place still holds that drive."""
        document = self._driver.client.read(drive["path"])
        if first(document, text, "SerialNumber") != drive["serial"]:
            raise Rejected(f"another drive is in the place of {drive['serial']}", remedy="Nothing was erased.")
        action = find_action(self._driver.client, document, "#Drive.SecureErase", "SanitizationType")
        if action is None:
            raise Unsupported(f"the BMC cannot erase drive {drive['serial']}", capability=self.title,
                              protocol="redfish", remedy="Erase it from an operating system.")
        return action

    def erase_drive(self, drive: Json, *, deadline: Deadline, tell: Tell, method: Optional[str] = None) -> Json:
        """Erase the drive and wait for the BMC's task, or where there is none for the drive's own progress."""
        self._driver.client.forget(drive["path"])
        target = self._erasure(drive).target
        outcome = self._finished(lambda: self._driver.client.write(
            "POST", target, {"SanitizationType": METHODS[method]} if method else {}),
            f"the erasure of drive {drive['serial']}", deadline, tell)
        return {**outcome, "seen": outcome["task"] or self._watch(drive, deadline, tell)}

    def _watch(self, drive: Json, deadline: Deadline, tell: Tell) -> bool:
        """Follow the drive's own list of operations where there is no task; tell whether an erasure was seen."""
        seen = False
        while True:
            try:
                operations = self._driver.client.reread(drive["path"]).get("Operations")
            except BmcError:
                operations = None
            running = [entry for entry in operations if isinstance(entry, dict)] if isinstance(operations, list) else []
            if not running or deadline.passed:
                return seen and not running
            seen = True
            tell(f"the erasure of drive {drive['serial']}: {running[0].get('PercentageComplete', '?')} %")
            deadline.sleep(POLL)


def _drive(link: str, document: Json, controller: str) -> Json:
    return {"serial": first(document, text, "SerialNumber"), "id": identifier(document.get("Id")),
            "model": first(document, text, "Model"), "size_bytes": first(document, positive, "CapacityBytes"),
            "media_type": media_type(document.get("MediaType"), document.get("Protocol")),
            "controller": controller, "path": link,
            "volume_paths": [path.rstrip("/") for path in links_at(document, "Links/Volumes")]}


def _volume(link: str, document: Json, controller: str, drives: list[Json]) -> Json:
    """Return a volume; which drives it has is told by it, or by them."""
    mine = {path.rstrip("/") for path in links_at(document, "Links/Drives")}
    members = [drive for drive in drives if drive["path"].rstrip("/") in mine or link.rstrip("/") in drive["volume_paths"]]
    level = first(document, raid_level, "RAIDType", "Oem/*/VolumeRaidLevel", "VolumeType")
    raw = document.get("VolumeType") == "RawDevice" and document.get("RAIDType") in (None, "None", "")
    return {"id": identifier(document.get("Id")), "name": first(document, text, "DisplayName", "Name"),
            "level": None if raw else level, "size_bytes": first(document, positive, "CapacityBytes"),
            "controller": controller, "drives": [drive["serial"] or drive["id"] for drive in members],
            "drive_paths": [drive["path"] for drive in members], "raw": raw, "path": link}


def _forms(volume: Json) -> Iterator[Json]:
    """Yield the properties of a new volume: the standard's of today, with either name, then the older ones."""
    word, older = TYPES[volume["level"]]
    drives = [{"@odata.id": path} for path in volume["drives"]]
    size = {"CapacityBytes": volume["size_bytes"]} if volume.get("size_bytes") else {}
    named = [{"Name": volume["name"]}, {"DisplayName": volume["name"]}] if volume.get("name") else [{}]
    for name in named:
        yield {"RAIDType": word, "Links": {"Drives": drives}, **size, **name}
    for name in named[:1] if older else ():
        yield {"VolumeType": older, "Links": {"Drives": drives}, **size, **name}
        yield {"VolumeType": older, "Drives": drives, **size, **name}
    if volume.get("name"):  # some name volumes themselves
        yield {"RAIDType": word, "Links": {"Drives": drives}, **size}
