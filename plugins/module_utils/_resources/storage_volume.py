# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of a system's controllers, declared by drives, level and name, and read back."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .._bmc.errors import AuthenticationFailed, BmcError, InvalidInput, Rejected, Timeout, Unsupported
from .._bmc.interface import Storage
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.volumes import (
    LEVELS, Problem, drive_of, guard, layout_problem, matching, plan_volume, same_layout, same_name, unknown_serials, words,
)
from .base import Resource
from .restart import RESTART_SPEC, Restart

Json = dict[str, Any]
# Seconds in which a BMC shows the effect of a task that has ended.
SHOWN = 60.0
_KEYS = ("id", "name", "level", "size_bytes", "controller", "drives", "path")


class StorageVolumeResource(Resource):
    """``bmc_storage_volume``."""

    NAME = "storage_volume"
    CAPABILITY = Storage
    DOING = "change the volume"
    SPEC = {
        "state": dict(type="str", choices=["present", "absent"], default="present"),
        "name": dict(type="str"),
        "drives": dict(type="list", elements="str", default=[]),
        "level": dict(type="str", choices=list(LEVELS)),
        "size_bytes": dict(type="int"),
        "replace": dict(type="list", elements="str", default=[]),
        **RESTART_SPEC,
    }
    CONSTRAINTS = {"required_if": [["state", "present", ["drives", "level"]]]}

    @property
    def doing(self) -> str:
        """Return the change asked for in words."""
        return {"present": "create the volume", "absent": "remove the volume"}.get(self.params.get("state"), self.DOING)

    def validate(self) -> None:
        """Refuse a volume without drives, and a removal that does not say of what."""
        params = self.params
        if params["state"] == "present" and not params["drives"]:
            raise InvalidInput("drives is empty", remedy="Give the serial numbers of the volume's drives.")
        if params["state"] == "absent" and not (params.get("name") or params["drives"]):
            raise InvalidInput("neither name nor drives tell which volume is to go", remedy="Give at least one of them.")

    _waiting: list[str] = []

    def read(self) -> list[Json]:
        """Return the volumes. Drives that a BMC lists as volumes of their own are none."""
        self._found = self.bmc.read()
        return self._shown(self._found["volumes"])

    def _shown(self, volumes: list[Json]) -> list[Json]:
        return [{key: volume.get(key) for key in _KEYS} for volume in volumes if not volume["raw"]]

    # The plan

    @property
    def _wanted(self) -> Json:
        params = self.params
        return {"name": params.get("name"), "drives": params["drives"], "level": params.get("level"),
                "size_bytes": params.get("size_bytes")}

    def plan(self, current: list[Json]) -> Change:
        """Return what is to be deleted, renamed and created, after it was found possible and allowed."""
        plan = self._plan_present if self.params["state"] == "present" else self._plan_absent
        steps, after = plan()
        requested = {key: value for key, value in {"state": self.params["state"], **self._wanted}.items() if value}
        self._waiting = self.bmc.pending() if steps else []
        if self._waiting and not self.params["reboot"]:
            return Change(before=current, after=current, requested=requested, warnings=(
                f"Nothing was sent: {', '.join(self._waiting)} waits for a reset of the system (reboot: true resets it).",))
        if self._waiting:
            steps = [("restart", None)]
        if steps and self.params["reboot"]:
            self._restart = Restart(self)
            self._restart.check()
        return Change(before=current, after=self._shown(after) if steps else current, steps=tuple(steps), requested=requested)

    def extra(self) -> Json:
        """Tell whether a change waits for a reset; what waits is not verified."""
        return {"reboot_required": True, "verified": False} if self._waiting else {"reboot_required": False}

    def _plan_present(self) -> tuple[list[tuple], list[Json]]:
        wanted, found = self._wanted, self._found
        _refuse(layout_problem(wanted, found["drives"], found["controllers"]))
        plan = plan_volume(wanted, found["volumes"])
        if plan.kept is not None:
            renamed = dict(plan.kept, name=wanted["name"])
            steps = [("rename", plan.kept)] if plan.rename else []
            return steps, [renamed if plan.rename and volume is plan.kept else volume for volume in found["volumes"]]
        _refuse(guard(plan.delete, self.params["replace"]))
        drives = [drive_of(serial, found["drives"]) for serial in wanted["drives"]]
        new = {**wanted, "id": None, "path": None, "raw": False, "controller": drives[0]["controller"],
               "drive_paths": [drive["path"] for drive in drives]}
        left = [volume for volume in found["volumes"] if volume not in plan.delete]
        return [*(("delete", volume) for volume in plan.delete), ("create", new)], [*left, new]

    def _plan_absent(self) -> tuple[list[tuple], list[Json]]:
        wanted, found = self._wanted, self._found
        if wanted["drives"]:
            _refuse(unknown_serials(wanted["drives"], found["drives"]))
        gone = matching(wanted, found["volumes"])
        if len(gone) > 1:
            raise InvalidInput(f"{len(gone)} volumes match: {'; '.join(words(volume) for volume in gone)}",
                               remedy="Give name, drives and level, so that one is meant.")
        return [("delete", volume) for volume in gone], [volume for volume in found["volumes"] if volume not in gone]

    # Applying it

    def apply(self, change: Change) -> Effect:
        """Take the steps one by one, each seen before the next."""
        deadline = Deadline(self.params["wait_timeout"])
        warnings: list[str] = []
        for kind, volume in change.steps:
            done = {"delete": self._delete, "create": self._create, "rename": self._rename,
                    "restart": self._wait_for_what_waits}[kind](volume, deadline, warnings)
            if not done:
                return Effect(observed=self._shown(self._found["volumes"]), verified=False, warnings=tuple(warnings),
                              extra={"reboot_required": True})
        return Effect(observed=self._shown(self._found["volumes"]), verified=not warnings, warnings=tuple(warnings))

    def _wait_for_what_waits(self, _volume: None, deadline: Deadline, warnings: list[str]) -> bool:
        """Restart, and see that what was pending has brought what is declared."""
        present = self.params["state"] == "present"
        otherwise = f"no {words(self._wanted)} has appeared" if present else "the volume is still there"
        reached = self._seen({"reset_required": True}, otherwise, deadline, warnings, self._as_declared)
        self._waiting = []
        return reached

    def _as_declared(self, found: Json) -> bool:
        if self.params["state"] == "present":
            return self._made(found) is not None
        return not matching(self._wanted, found["volumes"])

    def _delete(self, volume: Json, deadline: Deadline, warnings: list[str]) -> bool:
        self.tell(f"deleting {words(volume)}")
        outcome = self.bmc.delete_volume(volume, deadline=deadline, tell=self.tell)
        return self._seen(outcome, f"{words(volume)} is still there", deadline, warnings, lambda found: not any(
            entry["path"] == volume["path"] and same_layout(entry, volume) for entry in found["volumes"]))

    def _create(self, volume: Json, deadline: Deadline, warnings: list[str]) -> bool:
        self.tell(f"creating {words(volume)}")
        outcome = self.bmc.create_volume({**volume, "drives": volume["drive_paths"]}, deadline=deadline, tell=self.tell)
        if not self._seen(outcome, f"no {words(volume)} has appeared", deadline, warnings,
                          lambda found: self._made(found) is not None):
            return False
        made = self._made(self._found)
        if volume["name"] and not same_name(made, volume["name"]):
            self._name_it(made, warnings)
        return True

    def _made(self, found: Json) -> Optional[Json]:
        """Return the volume that is as declared but for its name."""
        return next((entry for entry in found["volumes"] if not entry["raw"] and same_layout(entry, self._wanted)), None)

    def _name_it(self, made: Json, warnings: list[str]) -> None:
        """Give a new volume its name; one that cannot be named is there all the same."""
        try:
            self._rename(made, Deadline(SHOWN), warnings)
        except (Rejected, Unsupported, Timeout) as error:
            warnings.append(f"The volume is there under the name {made['name']}; it cannot be renamed ({error.cause}).")

    def _rename(self, volume: Json, deadline: Deadline, warnings: list[str]) -> bool:
        name = self.params["name"]
        self.tell(f"naming {words(volume)} {name}")
        self.bmc.rename_volume(volume, name)
        return self._seen({"reset_required": False}, f"it is not named {name}", deadline, warnings, lambda found: any(
            entry["path"] == volume["path"] and same_name(entry, name) for entry in found["volumes"]))

    def _seen(self, outcome: Json, otherwise: str, deadline: Deadline, warnings: list[str],
              accept: Callable[[Json], bool]) -> bool:
        """Wait until the effect is seen, after a restart where it needs one; ``False`` where it waits for a reset."""
        restarted = False
        if outcome["reset_required"]:
            self._look()
            if accept(self._found):
                return True
            if not self.params["reboot"]:
                warnings.append(f"The change waits for a reset of the system: {otherwise} (reboot: true resets it).")
                return False
            self.tell("restarting the system, which makes the change")
            self._restart.run()
            restarted = True
        seconds = deadline.remaining if restarted else min(SHOWN, max(1.0, deadline.remaining))
        reached, _found = wait_until(self._look, accept, deadline=Deadline(seconds))
        if not reached:
            raise Rejected(f"the BMC took the request, but {otherwise}", observed=self._shown(self._found["volumes"]),
                           remedy="Look at the BMC's log.")
        return True

    def _look(self) -> Json:
        """Read the storage anew; what was last seen where it cannot be read just now."""
        try:
            self._found = self.bmc.read()
        except (AuthenticationFailed, Unsupported):
            raise
        except BmcError as error:
            self.tell(f"the storage cannot be read just now ({error.cause})")
        return self._found


def _refuse(problem: Optional[Problem]) -> None:
    if problem is not None:
        raise InvalidInput(problem.cause, remedy=problem.remedy)
