# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""UpdateService: images pulled (SimpleUpdate) or pushed (multipart, plain), taken in constant memory; versions change at the end."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re

from .messages import Response, normalise, refusal
from .multipart import Reader
from .routes import action, check_allowable, check_parameters, check_properties, patches


@dataclasses.dataclass
class Plan:  # pylint: disable=too-many-instance-attributes
    """What the next update does: the version it installs, where, how long, and what goes wrong."""

    version: str = "9.99.1"
    targets: tuple = ()            # FirmwareInventory paths; () for those named by the client, else the first updateable
    seconds: float = 0.0           # duration of the task
    needs_reset: bool = False      # the version changes at the next start of the system only
    restart: float = 0.0           # the BMC restarts for so many seconds while the task runs
    restart_after: float = 0.0     # ... so long after its start
    fail: str | None = None        # the task ends in Exception with this text
    location: str = "monitor"      # Location of the 202: monitor or task
    retry_after: object = None     # Retry-After of the 202
    keeps_tasks: bool = True       # tasks survive the BMC's restart


@dataclasses.dataclass
class Upload:
    """A pushed image, as received: not kept, counted and hashed."""

    size: int = 0
    sha256: str = ""
    name: str = ""
    parameters: dict = dataclasses.field(default_factory=dict)
    content_length: bool = True
    expect: bool = False


class Firmware:
    """The update service of a BMC. `uploads` and `pulls` tell what came; `plan` what is made of it."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self.plan = Plan()
        self.uploads: list = []
        self.pulls: list = []
        self.staged: list = []
        bmc.power.on_boot.append(self.started)

    @property
    def service(self) -> str:
        """The update service's path."""
        return self._bmc.store.link("/redfish/v1", "UpdateService")

    def _uris(self) -> dict:
        data = self._bmc.store.get(self.service) if self.service else {}
        return {normalise(data[name]): name for name in ("HttpPushUri", "MultipartHttpPushUri") if isinstance(data.get(name), str)}

    def is_push(self, path: str) -> bool:
        """Whether images are posted to this path."""
        return path in self._uris()

    def receive(self, request) -> None:
        """Take the body off the wire (without the BMC's lock), in constant memory."""
        digest, upload = hashlib.sha256(), Upload()
        upload.content_length = "content-length" in request.headers
        upload.expect = "expect" in request.headers
        kind = request.headers.get("content-type") or ""
        boundary = re.search(r'multipart/form-data;.*boundary="?([^";]+)"?', kind, re.I)
        pieces = request.chunks()
        if boundary:
            pieces = _image_part(pieces, boundary.group(1), upload)
        for piece in pieces:
            upload.size += len(piece)
            digest.update(piece)
        upload.sha256 = digest.hexdigest()
        request.upload = upload

    def pushed(self, request) -> Response:
        """The image is here: check it and start the task."""
        upload = request.upload
        only_multipart = self._uris().get(request.path) == "MultipartHttpPushUri" and "HttpPushUri" not in self._uris().values()
        if only_multipart and "multipart/form-data" not in (request.headers.get("content-type") or ""):
            raise refusal("UnsupportedMediaType", request.headers.get("content-type"))
        if not upload.size:
            raise refusal("UnrecognizedRequestBody")
        targets = upload.parameters.get("Targets") or []
        if self._uris().get(request.path) == "HttpPushUri":
            targets = self._bmc.store.get(self.service).get("HttpPushUriTargets") or targets
        self._check_targets(targets)
        self.uploads.append(upload)
        return self._begin(targets)

    def pulled(self, owner: str, data: dict) -> Response:
        """SimpleUpdate."""
        name = "UpdateService.SimpleUpdate"
        known = ("ImageURI", "TransferProtocol", "Targets", "Username", "Password", "ForceUpdate", "Stage", "LocalImage")
        check_parameters(name, data, known=known, required=("ImageURI",))
        if not isinstance(data["ImageURI"], str) or not data["ImageURI"]:
            raise refusal("ActionParameterValueTypeError", data["ImageURI"], "ImageURI", name)
        if "TransferProtocol" in data:
            check_allowable(self._bmc, owner, name, "TransferProtocol", value=data["TransferProtocol"])
        elif "://" not in data["ImageURI"]:
            raise refusal("ActionParameterMissing", name, "TransferProtocol")
        targets = data.get("Targets") or []
        self._check_targets(targets)
        self.pulls.append(dict(data))
        return self._begin(targets)

    def inventory(self) -> list:
        """Paths of the FirmwareInventory."""
        return self._bmc.store.members(self._bmc.store.link(self.service, "FirmwareInventory"))

    def _check_targets(self, targets) -> None:
        for target in targets:
            if not isinstance(target, str) or normalise(target) not in self._bmc.store:
                raise refusal("PropertyValueNotInList", target, "Targets", related=["Targets"])

    def _begin(self, targets) -> Response:
        plan = self.plan
        chosen = [normalise(item) for item in (plan.targets or targets)]
        if not chosen:
            chosen = [path for path in self.inventory() if self._bmc.store.get(path).get("Updateable", True)][:1]
        task = self._bmc.tasks.start("Firmware Update", seconds=plan.seconds, fail=plan.fail,
                                     done=lambda: self._install(chosen, plan.version, plan.needs_reset))
        response = self._bmc.tasks.accepted(task, location=plan.location, retry_after=plan.retry_after)
        if plan.restart:
            self._restart_during(task, plan, response)
        return response

    def _restart_during(self, task, plan: Plan, response: Response) -> None:
        def away() -> None:
            if not plan.keeps_tasks:
                self._bmc.store.delete(task.path, collection=self._bmc.tasks.collection)
            self._bmc.restart(plan.restart)

        if plan.restart_after:
            self._bmc.clock.at(plan.restart_after, away)
        else:
            response.close = True
            response.after = away

    def _install(self, targets: list, version: str, needs_reset: bool) -> None:
        if needs_reset:
            self.staged.append((targets, version))
            return
        for path in targets:
            self._bmc.store.edit(path)["Version"] = version
            self._follow(path, version)

    def _follow(self, path: str, version: str) -> None:
        """What repeats a version elsewhere follows where it is linked."""
        for manager in self._bmc.store.of_kind("Manager"):
            if self._bmc.store.link(manager, "Links", "ActiveSoftwareImage") == path:
                self._bmc.store.edit(manager)["FirmwareVersion"] = version

    def started(self, _system: str) -> None:
        """A start: what was only staged is installed."""
        staged, self.staged = self.staged, []
        for targets, version in staged:
            self._install(targets, version, needs_reset=False)


@patches("UpdateService")
def patch_service(bmc, path: str, data: dict, _request) -> None:
    """The targets of the next plain push."""
    check_properties(bmc, path, data, {"HttpPushUriTargets": list} if "HttpPushUriTargets" in bmc.store.get(path) else {})
    bmc.store.merge(path, data)


@action("UpdateService.SimpleUpdate")
def simple_update(bmc, owner: str, data: dict, _request) -> Response:
    """DSP0268, UpdateService: SimpleUpdate."""
    return bmc.firmware.pulled(owner, data)


def _image_part(pieces, boundary: str, upload: Upload):
    """The bytes of the part UpdateFile; UpdateParameters is parsed on the way (DSP0266, 13.2)."""
    for head, content in Reader(pieces, boundary).parts():
        if 'name="UpdateFile"' in head or "filename=" in head:
            found = re.search(r'filename="([^"]*)"', head)
            upload.name = found.group(1) if found else ""
            yield from content
        else:
            text = b"".join(content)
            if 'name="UpdateParameters"' in head:
                upload.parameters = _json(text)


def _json(text: bytes) -> dict:
    try:
        data = json.loads(text)
    except ValueError:
        raise refusal("MalformedJSON") from None
    if not isinstance(data, dict):
        raise refusal("UnrecognizedRequestBody")
    return data
