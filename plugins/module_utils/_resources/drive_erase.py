# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives erased securely: by serial number only, and only where that was said outright."""

from __future__ import annotations

from typing import Any

from .._bmc.errors import InvalidInput
from .._bmc.interface import Storage
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline
from .._domain.volumes import drive_of, unknown_serials
from .base import Resource

Json = dict[str, Any]
METHODS = ("block", "cryptographic", "overwrite")
_KEYS = ("serial", "id", "model", "size_bytes", "media_type", "controller", "volumes", "path")


class DriveEraseResource(Resource):
    """``bmc_drive_erase``."""

    NAME = "drive_erase"
    DOING = "erase the drives"
    CAPABILITY = Storage
    SPEC = {
        "serials": dict(type="list", elements="str", required=True),
        "destroy_data": dict(type="bool", default=False),
        "method": dict(type="str", choices=list(METHODS)),
        "wait_timeout": dict(type="int", default=14400),
    }

    def validate(self) -> None:
        """Refuse a task that names no drive."""
        if not self.params["serials"]:
            raise InvalidInput("serials is empty", remedy="Name each drive by its serial number.")

    def read(self) -> list[Json]:
        """Return the drives that are named; whether one was erased before, a BMC does not tell."""
        self._found = self.bmc.read()
        named = (drive_of(serial, self._found["drives"]) for serial in self.params["serials"])
        self._drives = [drive for drive in named if drive is not None]
        return [self._shown(drive, None) for drive in self._drives]

    @staticmethod
    def _shown(drive: Json, erased: Any) -> Json:
        return {**{key: drive.get(key) for key in _KEYS}, "erased": erased}

    def plan(self, current: list[Json]) -> Change:
        """Return the drives to erase, after everything that speaks against it was looked for."""
        problem = unknown_serials(self.params["serials"], self._found["drives"])
        if problem is not None:
            raise InvalidInput(problem.cause, remedy=problem.remedy)
        used = [f"{drive['serial']} (volume {', '.join(drive['volumes'])})" for drive in self._drives if drive["volumes"]]
        if used:
            raise InvalidInput(f"drive {'; '.join(used)} is part of a volume",
                               remedy="Remove the volume first: typeone.metal.bmc_storage_volume with state: absent.")
        self._check_method()
        if not self.params["destroy_data"]:
            drives = "; ".join(f"{drive['serial']} ({drive['model'] or 'model unknown'}, {drive['size_bytes'] or '?'} bytes)"
                               for drive in self._drives)
            raise InvalidInput(f"all data would be lost on drive {drives}, and destroy_data is not set",
                               remedy="Set destroy_data: true to lose them.")
        return Change(before=current, after=[self._shown(drive, True) for drive in self._drives],
                      steps=tuple(self._drives), requested={"serials": self.params["serials"], "method": self.params["method"]})

    def _check_method(self) -> None:
        method = self.params.get("method")
        for drive in self._drives:
            offered = self.bmc.erase_methods(drive)
            if method and offered and method not in offered:
                raise InvalidInput(f"drive {drive['serial']} is not erased by method {method}",
                                   remedy=f"The BMC offers {', '.join(offered)}.")

    def apply(self, change: Change) -> Effect:
        """Erase one drive after the other; what was not seen to end is not verified."""
        deadline = Deadline(self.params["wait_timeout"])
        rows: list[Json] = []
        warnings: list[str] = []
        for drive in change.steps:
            self.tell(f"erasing drive {drive['serial']}")
            outcome = self.bmc.erase_drive(drive, deadline=deadline, tell=self.tell, method=self.params.get("method"))
            seen = outcome["state"] == "done" and outcome["seen"] and not outcome["reset_required"]
            if outcome["reset_required"]:
                warnings.append(f"The erasure of drive {drive['serial']} waits for a reset of the system.")
            elif not seen:
                warnings.append(f"The BMC took the erasure of drive {drive['serial']} and shows nothing of it: no task, "
                                "no progress. Whether the drive was erased is not known.")
            rows.append(self._shown(drive, True if seen else None))
        return Effect(observed=rows, verified=not warnings, warnings=tuple(warnings))
