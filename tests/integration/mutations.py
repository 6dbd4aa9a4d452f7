# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a BMC with something wrong in them: properties gone or of other types, broken JSON, odd headers, other statuses.

A mutation never turns one valid word into another (Off into On): that would be a BMC that lies, and no client can tell.
"""

from __future__ import annotations

import copy
import json
import random

from testbmc.quirks import Quirk

VALUES = (None, True, False, 0, -1, 7.5, 1e308, 10 ** 30, "", " ", "x", "\u0000", "\U0001f9ff", "a" * 5000, [], {}, [[]], [None], [{}], {"a": {}},
          {"@odata.id": None}, {"@odata.id": 7}, {"@odata.id": ""}, {"@odata.id": "x"}, {"@odata.id": "/no/such/thing"},
          {"@odata.id": "https://192.0.2.1/redfish/v1"}, {"@odata.id": "//192.0.2.1"}, {"@odata.id": "http://[::1"}, "http://192.0.2.1/", "\\", "%zz")
STATUSES = (200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 406, 409, 412, 415, 428, 429, 500, 501, 502, 503, 504, 599)
TEXTS = ("", "x", "-1", "nan", "1e400", "W/", '"', "/", "//", "http://[", "\t", "a" * 3000, "identity", "text/html", "in a while")


def _places(data, found=None) -> list:
    """All (container, key) of a document."""
    found = [] if found is None else found
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        found.append((data, key))
        if isinstance(value, (dict, list)):
            _places(value, found)
    return found


class Mutations(Quirk):
    """Changes a share of the answers; `chance` is that share, 0 switches it off. `log` tells what was done."""

    name = "mutations"
    chance = 0.0

    def setup(self) -> None:
        self.random = random.Random(0)
        self.log: list = []

    def begin(self, seed: int) -> None:
        """Mutate from here on, in the way that the seed stands for."""
        self.random = random.Random(seed)
        self.log = []
        self.chance = self.random.choice((0.1, 0.25, 0.5))

    def after(self, request, response):
        if self.random.random() >= self.chance or (request.method == "DELETE" and self.random.random() < 0.8):
            return None
        kinds = (self._document, self._document, self._document, self._document, self._bytes, self._headers, self._status)
        if "Sessions" in request.path or request.path == "/redfish/v1":
            kinds += (self._nothing,) * 20
        kind = self.random.choice(kinds)
        self.log.append((request.method, request.path, kind.__name__, kind(response)))
        return None

    def _nothing(self, _response) -> None:
        return None

    def _document(self, response) -> list:
        data, done = response.json(), []
        if not isinstance(data, dict):
            return done
        for _unused in range(self.random.randint(1, 3)):
            places = _places(data)
            if not places:
                break
            holder, key = self.random.choice(places)
            way = self.random.choice(("delete", "value", "value", "value", "list", "add"))
            done.append((way, str(key)))
            if way == "delete":
                del holder[key]
            elif way == "value":
                holder[key] = copy.deepcopy(self.random.choice(VALUES))
            elif way == "list":
                holder[key] = [holder[key], copy.deepcopy(holder[key])]
            elif isinstance(holder, dict):
                holder[self.random.choice(("", "@odata.id", "Members", "error", "Oem", "x"))] = copy.deepcopy(self.random.choice(VALUES))
            else:
                holder.insert(0, copy.deepcopy(self.random.choice(VALUES)))
        response.body = json.dumps(data).encode()
        return done

    def _bytes(self, response) -> str:
        body, place = response.body, self.random.randrange(len(response.body) + 1)
        ways = {"cut": body[:place], "noise": body[:place] + self.random.randbytes(4) + body[place:], "empty": b"", "mark": b"\xef\xbb\xbf" + body,
                "deep": b'{"a":' * 3000, "nan": b'{"Id": NaN, "PowerState": Infinity}', "list": b"[]", "null": b"null", "html": b"<html></html>",
                "wide": body.decode("latin-1").encode("utf-16"), "short": body}
        way = self.random.choice(list(ways))
        response.body = ways[way]
        if way == "short":
            response.truncate = place
        return way

    def _headers(self, response) -> str:
        name = self.random.choice(("ETag", "Location", "X-Auth-Token", "Content-Type", "Retry-After", "Content-Encoding", "OData-Version"))
        if self.random.random() < 0.3:
            response.headers.pop(name, None)
        else:
            response.headers[name] = self.random.choice(TEXTS)
        return name

    def _status(self, response) -> int:
        response.status = self.random.choice(STATUSES)
        return response.status
