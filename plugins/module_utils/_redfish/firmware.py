# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firmware over Redfish: UpdateService, its inventory, pushed and pulled images (DMTF DSP0266, DSP0268)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from .._bmc.errors import AnswerLost, BmcError, InvalidInput, Rejected, Unsupported
from .._bmc.interface import Driver, Firmware
from .._domain.deadline import Deadline
from .actions import find_action
from .answers import Answer
from .client import dig, link_of
from .tasks import TaskWait
from .upload import Upload, multipart
from .virtual_media import PROTOCOLS

Json = dict[str, Any]
Tell = Callable[[str], None]
FORM_REFUSED = (400, 415, 422)
# Seconds in which a BMC shows the task of a request whose answer was lost.
TASK_APPEARS = 20.0
WHAT = "the update"


class RedfishFirmware(Firmware):
    """The inventory, multipart or plain push, and SimpleUpdate."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _service(self) -> Json:
        link = link_of(self._driver.root.get("UpdateService"))
        if link is None:
            raise Unsupported("the BMC has no update service", capability=self.title, protocol="redfish",
                              remedy="Its firmware may be too old; use the maker's own tool.")
        return self._driver.client.read(link)

    def read(self, only: tuple[str, ...] = ()) -> list[Json]:
        """Read the inventory anew, or the entries of ``only`` as long as all of them are still there."""
        client = self._driver.client
        try:
            rows = [_row(link, client.reread(link)) for link in only]
            if rows:
                return rows
        except Rejected:  # some name an entry by its version
            client.forget()
        inventory = link_of(self._service().get("FirmwareInventory"))
        if inventory is None:
            raise Unsupported("the BMC lists no firmware", capability=self.title, protocol="redfish",
                              remedy="Use the maker's own tool.")
        links = list(client.member_links(client.reread(inventory)))
        for link in links:
            client.forget(link)

        def missing(link: str, error: BmcError) -> None:
            self._driver.warn(f"The firmware at {link} could not be read ({error.cause}).")

        documents = client.documents(links, on_error=missing)
        return [_row(link_of(document) or "", document) for document in documents]

    def update(self, source: Json, *, deadline: Deadline, tell: Tell) -> Json:
        """Send or name the image and wait for the BMC's task, through restarts of the BMC.

        Return ``{state, messages, reset_required}`` as :class:`tasks.Outcome` has them.
        """
        send = self._push if source.get("path") else self._pull
        wait = TaskWait(self._driver.client, deadline=deadline, tell=tell, what=WHAT)
        try:
            outcome = wait.follow(send(source, deadline=deadline, tell=tell), until_scheduled=True)
        except AnswerLost as error:
            tell(f"{error.cause}; looking for the BMC's task instead of sending again")
            outcome = wait.find(within=TASK_APPEARS, until_scheduled=True)
        silent = self._driver.quirks.behaviour("firmware_staged_silently") is not None
        return {"state": outcome.state, "messages": list(outcome.messages),
                "reset_required": outcome.reset_required or outcome.state == "scheduled" or silent}

    # Pushing a file

    def _push(self, source: Json, *, deadline: Deadline, tell: Tell) -> Answer:
        """Send the file; the first form that the BMC takes counts."""
        service = self._service()
        many, plain = (_uri(service.get(name)) for name in ("MultipartHttpPushUri", "HttpPushUri"))
        if self._driver.quirks.behaviour("firmware_push_own_protocol") is not None and many is None:
            plain = None
        if many is None and plain is None:
            raise Unsupported("the BMC takes no files by Redfish", capability=self.title, protocol="redfish",
                              remedy="Serve the file by HTTP, and give image_url instead of image_path.")
        targets, path = source.get("targets") or [], source["path"]
        _check_size(service.get("MaxImageSizeBytes"), path)
        if many is None:
            self._set_targets(service, targets)
            return self._send(plain, [lambda: Upload(path, tell=tell)], deadline)
        # Some want the targets named although there are none.
        forms = ({"Targets": targets},) if targets else ({}, {"Targets": []})
        return self._send(many, [lambda form=form: multipart(path, parameters=form, tell=tell) for form in forms], deadline)

    def _send(self, uri: str, forms: list[Callable[[], Upload]], deadline: Deadline) -> Answer:
        first: Optional[Rejected] = None
        for make in forms:
            with ExitStack() as stack:
                body = stack.enter_context(_opened(make))
                try:
                    return self._driver.client.write("POST", uri, body, headers={"Content-Type": body.content_type},
                                                     deadline=deadline)
                except Rejected as error:
                    first = first or error
                    if error.details.get("status") not in FORM_REFUSED:
                        raise
        raise first

    def _set_targets(self, service: Json, targets: list[str]) -> None:
        """Name the targets of a plain push, which are kept at the service (DSP0268, HttpPushUriTargets)."""
        if not targets:
            return
        if "HttpPushUriTargets" not in service:
            raise Unsupported("the BMC takes no targets with a pushed file", capability=self.title, protocol="redfish",
                              remedy="Leave targets out: the image tells what it is for. Or give image_url.")
        self._driver.client.write("PATCH", link_of(service) or "", {"HttpPushUriTargets": targets})

    # Naming an URL

    def _pull(self, source: Json, *, deadline: Deadline, tell: Tell) -> Answer:
        """Send SimpleUpdate, with the transfer protocol first and then without."""
        client, url = self._driver.client, source["url"]
        action = find_action(client, self._service(), "#UpdateService.SimpleUpdate", "TransferProtocol")
        if action is None:
            raise Unsupported("the BMC fetches no images by itself", capability=self.title, protocol="redfish",
                              remedy="Give image_path instead of image_url.")
        protocol = PROTOCOLS.get(urlsplit(url).scheme.lower())
        if action.allowed and protocol not in action.allowed:
            raise InvalidInput(f"the BMC does not fetch by {urlsplit(url).scheme}",
                               remedy=f"It offers {', '.join(sorted(word.lower() for word in action.allowed))}.")
        base: Json = {"ImageURI": url, **({"Targets": source["targets"]} if source.get("targets") else {})}
        if source.get("username") is not None:
            base.update({"Username": source["username"], "Password": source.get("password") or ""})
        tell(f"asking the BMC to fetch {url}")
        try:
            return client.write("POST", action.target, {**base, **({"TransferProtocol": protocol} if protocol else {})},
                                deadline=deadline)
        except Rejected as error:
            if error.details.get("status") not in FORM_REFUSED or not protocol:
                raise
            try:
                return client.write("POST", action.target, base, deadline=deadline)
            except Rejected:
                raise error from None


def _opened(make: Callable[[], Upload]) -> Upload:
    """Return the upload; a file that cannot be read is the user's to mend."""
    try:
        return make()
    except OSError as error:
        raise InvalidInput(f"the image cannot be read ({error.strerror})", remedy="Check image_path.") from error


def _check_size(limit: Any, path: str) -> None:
    """Refuse a file that the BMC says is too large, before its first byte is sent."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 and os.path.getsize(path) > limit:
        raise InvalidInput(f"the image has {os.path.getsize(path)} bytes, and the BMC takes {limit} at most",
                           remedy="Check image_path.")


def _uri(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value.strip("/ ") else None


def _row(link: str, document: Json) -> Json:
    """Return an entry of the inventory in plain form."""
    def text(name: str) -> Optional[str]:
        value = document.get(name)
        return value.strip() if isinstance(value, str) and value.strip() else None

    updateable, state = document.get("Updateable"), dig(document, "Status", "State")
    return {"id": text("Id"), "name": text("Name"), "version": text("Version") or text("VersionString"),
            "software_id": text("SoftwareId"), "updateable": updateable if isinstance(updateable, bool) else None,
            "state": state if isinstance(state, str) else None, "path": link}
