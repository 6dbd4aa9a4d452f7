# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of a component's firmware, declared, installed and read back."""

from __future__ import annotations

import os
from typing import Any, Optional
from urllib.parse import urlsplit

from .._bmc.errors import AuthenticationFailed, BmcError, InvalidInput, Rejected, Timeout, Unsupported
from .._bmc.interface import Firmware
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.firmware import installed, select
from .base import Resource
from .restart import RESTART_SPEC, Restart

Json = dict[str, Any]
# Seconds for which a BMC that answers is given to show the new version after its task has ended.
SETTLE = 60.0
# The same where the BMC has forgotten its task, which may go on all the same.
FORGOTTEN = 600.0
_SHOWN = 15


class FirmwareResource(Resource):
    """``bmc_firmware``."""

    NAME = "firmware"
    DOING = "install the firmware"
    CAPABILITY = Firmware
    SPEC = {
        "component": dict(type="str", required=True),
        "version": dict(type="str", required=True),
        "image_path": dict(type="path"),
        "image_url": dict(type="str"),
        "image_username": dict(type="str"),
        "image_password": dict(type="str", no_log=True),
        "targets": dict(type="list", elements="str", default=[]),
        **RESTART_SPEC,
        "wait_timeout": dict(type="int", default=3600),
    }
    CONSTRAINTS = {"mutually_exclusive": [["image_path", "image_url"]],
                   "required_one_of": [["image_path", "image_url"]],
                   "required_by": {"image_password": ["image_username"]}}

    def validate(self) -> None:
        """Refuse an account inside of the URL, which the BMC would show to everybody."""
        url = self.params.get("image_url")
        if url is None:
            return
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc:
            raise InvalidInput("image_url is not a URL", remedy="Give one that the BMC can reach, or image_path.")
        if parts.username or parts.password:
            raise InvalidInput("image_url holds an account", remedy="Give it as image_username and image_password.")

    def read(self) -> list[Json]:
        """Return the components that are meant."""
        self._all = self.bmc.read()
        self._seen = select(self._all, self.params["component"])
        return self._seen

    def plan(self, current: list[Json]) -> Change:
        """Return the update, after the component, the file and the targets were found."""
        params, version = self.params, self.params["version"]
        if not current:
            raise self._not_there(params["component"])
        requested = {key: params[key] for key in ("component", "version", "image_path", "image_url", "reboot")
                     if params.get(key) is not None}
        if self._is_installed(current):
            return Change(before=current, after=current, requested=requested)
        self._source = self._checked_source()
        if params["reboot"]:
            self._restart = Restart(self)
            self._restart.check()
        return Change(before=current, after=[dict(entry, version=version) for entry in current], steps=("update",),
                      requested=requested)

    def _is_installed(self, components: list[Json]) -> bool:
        return bool(components) and all(installed([entry], self.params["version"]) for entry in components)

    def _not_there(self, wanted: str) -> InvalidInput:
        names = sorted({str(entry.get("name") or entry.get("id")) for entry in self._all})
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return InvalidInput(f"no firmware component '{wanted}' is listed",
                            remedy=f"Listed are {', '.join(names[:_SHOWN])}{more}; * stands for anything.")

    def _checked_source(self) -> Json:
        """Return what the driver needs to know of the image."""
        params, path = self.params, self.params.get("image_path")
        if path is not None and not (os.path.isfile(path) and os.path.getsize(path)):
            raise InvalidInput(f"image_path {path} is no file, or an empty one",
                               remedy="Give a file on the machine that runs the task, by default the controller.")
        targets: list[str] = []
        for wanted in params["targets"]:
            found = select(self._all, wanted)
            if not found:
                raise self._not_there(wanted)
            targets += [entry["path"] for entry in found]
        return {"path": path, "url": params.get("image_url"), "username": params.get("image_username"),
                "password": params.get("image_password"), "targets": list(dict.fromkeys(targets))}

    def apply(self, change: Change) -> Effect:
        """Send the image, wait for the BMC's task, see the version; restart the system where it needs that."""
        deadline = Deadline(self.params["wait_timeout"])
        outcome = self.bmc.update(self._source, deadline=deadline, tell=self.tell)
        staged = outcome["reset_required"]
        patience = 0.0 if staged else FORGOTTEN if outcome["state"] == "unknown" else SETTLE
        if self._appears(deadline, patience=patience):
            return Effect(observed=self._seen, verified=True, extra={"reboot_required": False})
        if self._versions(self._seen) != self._versions(change.before):
            raise self._another_version()
        if self.params["reboot"]:
            self.tell("restarting the system, which installs what is staged")
            self._restart.run()
            if self._appears(deadline, patience=None):
                return Effect(observed=self._seen, verified=True, extra={"reboot_required": False})
            raise Timeout(f"{self._shown()} after {deadline.seconds:.0f} s", last_seen=self._versions(self._seen),
                          remedy="Look at the BMC's log and the system's console.")
        if not staged:
            raise self._unchanged(deadline, outcome)
        return Effect(observed=self._seen, verified=False, extra={"reboot_required": True}, warnings=(
            f"The image is staged: {self._shown()} until the system is reset (reboot: true does it).",))

    def _versions(self, components: list[Json]) -> list[Optional[str]]:
        return sorted(str(entry["version"]) for entry in components)

    def _shown(self) -> str:
        name = self._seen[0].get("name") or self._seen[0].get("id") if self._seen else self.params["component"]
        return f"{name} has version {', '.join(self._versions(self._seen)) or 'unknown'}, not {self.params['version']},"

    def _another_version(self) -> Rejected:
        return Rejected(f"the image was installed, but {self._shown().rstrip(',')}", observed=self._seen,
                        remedy="Give the image of that version, or the version as the BMC shows it.")

    def _unchanged(self, deadline: Deadline, outcome: Json) -> BmcError:
        """Return the error for an update that changed nothing."""
        if outcome["state"] == "unknown" and deadline.passed:
            return Timeout(f"{self._shown()} after {deadline.seconds:.0f} s", last_seen=self._versions(self._seen),
                           remedy="Look at the BMC's log.")
        said = f" (it says: {'; '.join(outcome['messages'])})" if outcome["messages"] else ""
        return Rejected(f"the BMC's task ended{said}, but {self._shown().rstrip(',')}", observed=self._seen,
                        remedy="It may be staged until a reset of the system: set reboot: true. Else look at the "
                        "BMC's log, and whether the image is for this component.")

    def _appears(self, deadline: Deadline, *, patience: Optional[float]) -> bool:
        """Wait until the version is there, through restarts of the BMC; no longer than ``patience`` seconds in which
        the BMC answers and shows another. Tell whether it came."""
        paths = tuple(entry["path"] for entry in self._seen)
        calm = Deadline(patience)
        away = False

        def look() -> bool:
            nonlocal calm, away
            try:
                components = self.bmc.read(paths)
            except (AuthenticationFailed, Unsupported):
                raise
            except BmcError as error:
                self.tell(f"the BMC does not answer ({error.cause}); it may be restarting")
                calm, away = Deadline(max(patience, SETTLE) if patience is not None else None), True
                return False
            self._seen = select(components, self.params["component"]) or self._seen
            if away:
                self.tell("the BMC answers again")
                away = False
            return self._is_installed(self._seen)

        wait_until(lambda: (look(), calm.passed), any, deadline=deadline)
        return self._is_installed(self._seen)
