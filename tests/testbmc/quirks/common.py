# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What any BMC may do: untidy links, slow resources, paging, odd headers."""

from __future__ import annotations

import re

from ..messages import Response
from .base import Quirk, quirk


@quirk("any_trailing_slashes")
class TrailingSlashes(Quirk):
    """Links end in a slash, and a path without it is redirected to the one with it."""

    redirect = True
    status = 308

    def before(self, request):
        plain = not request.raw_path.endswith("/") and request.path in self.bmc.store
        if self.redirect and plain and request.method == "GET":
            return self.hit(Response(self.status, headers={"Location": request.raw_path + "/"}))
        return None

    def after(self, request, response) -> None:
        if request.method == "GET" and response.status == 200:
            self.change_json(response, lambda data: _links(data, lambda link: link if "#" in link or link.endswith("/") else link + "/"))


@quirk("any_absolute_links")
class AbsoluteLinks(Quirk):
    """Links carry scheme, host and port; `host` names another than the BMC's own."""

    host = ""

    def after(self, request, response) -> None:
        base = self.host or self.bmc.url
        if request.method == "GET" and response.status == 200:
            self.change_json(response, lambda data: _links(data, lambda link: base + link if link.startswith("/") else link))


@quirk("any_relative_links")
class RelativeLinks(Quirk):
    """Links of members are relative to the collection's path (Id alone, or ./Id)."""

    def after(self, request, response) -> None:
        if request.method != "GET" or response.status != 200:
            return
        base = request.raw_path.rstrip("/").rpartition("/")[0] + "/"
        here = request.raw_path.rstrip("/") + "/"
        root = here if request.raw_path.endswith("/") else base

        def change(data: dict) -> None:
            for item in data.get("Members", []) if isinstance(data.get("Members"), list) else []:
                if isinstance(item, dict) and str(item.get("@odata.id", "")).startswith(root):
                    item["@odata.id"] = item["@odata.id"][len(root):]

        self.change_json(response, change)


@quirk("any_messy_collections")
class MessyCollections(Quirk):
    """Members are listed twice, with nulls and empty objects between them."""

    def after(self, request, response) -> None:
        def change(data: dict) -> None:
            if isinstance(data.get("Members"), list):
                self.hits += 1
                data["Members"] = [*data["Members"], None, {}, *data["Members"]]

        if request.method == "GET" and response.status == 200:
            self.change_json(response, change)


@quirk("any_null_links")
class NullLinks(Quirk):
    """Resources that are not there are linked as null (`names`)."""

    names: tuple = ("SecureBoot", "Bios")

    def after(self, request, response) -> None:
        def change(data: dict) -> None:
            for name in self.names:
                if isinstance(data.get(name), dict) and "@odata.id" in data[name]:
                    data[name] = {"@odata.id": None} if self.hits % 2 else None
                    self.hits += 1

        if request.method == "GET" and response.status == 200:
            self.change_json(response, change)


@quirk("any_paged_collections")
class PagedCollections(Quirk):
    """Collections come in pages of `size` members, the next one behind Members@odata.nextLink."""

    size = 2

    def after(self, request, response) -> None:
        start = int(request.query.get("$skip", "0") or 0) if request.query.get("$skip", "0").isdigit() else 0

        def change(data: dict) -> None:
            members = data.get("Members")
            if not isinstance(members, list) or len(members) <= self.size:
                return
            data["Members"] = members[start:start + self.size]
            if start + self.size < len(members):
                data["Members@odata.nextLink"] = f"{request.path}?$skip={start + self.size}"

        if request.method == "GET" and response.status == 200:
            self.change_json(response, change)

    def before(self, request) -> None:
        if set(request.query) == {"$skip"}:
            self.hits += 1
            self.bmc.options.query = "ignore"


@quirk("any_slow_resource")
class SlowResource(Quirk):
    """Some resources take long (the service root of some machines 3 to 30 s, a storage of 42 drives 11 s)."""

    path = r"/Storage"
    seconds = 0.5

    def after(self, request, response) -> None:
        if request.method == "GET" and re.search(self.path, request.path):
            self.hits += 1
            response.wait = self.seconds


@quirk("any_retry_after_text")
class RetryAfterText(Quirk):
    """Retry-After of a task is not a number."""

    value = "in a few seconds"

    def after(self, _request, response) -> None:
        if response.status == 202:
            self.hits += 1
            response.headers["Retry-After"] = self.value


def _links(data, change) -> None:
    if isinstance(data, list):
        for item in data:
            _links(item, change)
    elif isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and (key in ("@odata.id", "target", "@Redfish.ActionInfo") or key.endswith("nextLink")):
                data[key] = change(value)
            else:
                _links(value, change)
