# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections that come with their members in one answer (DSP0266, section on $expand), where a BMC offers that.

Some offer it and refuse it, or answer as if there were no query, or with what is none. What is then lost is one
request: links and members are read one by one.
"""

from __future__ import annotations

from typing import Any

from .._bmc.errors import BmcError, Timeout, Unreachable
from .client import Client, Json, OnError, dig, link_of

KINDS = (("NoLinks", "."), ("ExpandAll", "*"))
# Statuses by which a BMC refuses a query.
UNWILLING = (400, 405, 406, 412, 414, 501)
BROKEN = (500, 502, 503, 504)


def query_for(root: Json) -> str:
    """Return the query to add to the link of a collection; empty where none is on offer."""
    offered = dig(root, "ProtocolFeaturesSupported", "ExpandQuery")
    levels = dig(offered, "MaxLevels")
    kind = next((kind for word, kind in KINDS if dig(offered, word) is True), None)
    if kind is None or (isinstance(levels, int) and levels < 1):
        return ""
    return f"?$expand={kind}" + ("($levels=1)" if dig(offered, "Levels") is True else "")


class Expansion:
    """Reads collections of one service with their members, and gives up where the service does not keep its word."""

    def __init__(self, client: Client, root: Json) -> None:
        self._client = client
        self._query = query_for(root)
        self._proven = False

    def read(self, collections: list[str], *, on_error: OnError) -> list[str]:
        """Take collections and their members as read; return those of them that are there to be read."""
        asked = {link + self._query: link for link in collections
                 if self._query and self._client.kept(link) is None and "?" not in link and "#" not in link}
        failed: dict[str, BmcError] = {}
        self._client.documents(asked, on_error=failed.__setitem__)
        lost = set()
        for url, link in asked.items():
            error = failed.get(url)
            if error is None and self._take(link, self._client.read(url)):
                continue
            if error is not None and self._is_final(error):
                on_error(link, error)
                lost.add(link)
            elif error is None or not self._is_refusal(error):
                self._doubt(link)
        return [link for link in collections if link not in lost]

    def _take(self, link: str, collection: Json) -> bool:
        """Keep a collection and the members within it; tell whether it is one, as far as that is known."""
        members = collection.get("Members")
        if not isinstance(members, list) and not self._proven:
            return False
        self._proven = True
        self._client.keep(link, collection)
        for member in members if isinstance(members, list) else []:
            if _is_whole(member) and link_of(member):
                self._client.keep(link_of(member), member)
        return True

    def _is_final(self, error: BmcError) -> bool:
        """Tell whether an error is that of the collection, and not of the query."""
        if isinstance(error, (Unreachable, Timeout)):
            return True
        return self._proven and error.details.get("status") not in UNWILLING + BROKEN

    def _is_refusal(self, error: BmcError) -> bool:
        """Tell whether the BMC refuses the query, and if so ask no more; it may fail at one and do others."""
        status = error.details.get("status")
        if status in UNWILLING:
            self._query = ""
        return status in UNWILLING or (self._proven and status in BROKEN)

    def _doubt(self, link: str) -> None:
        """Read a collection without the query; ask no more where that is what helps."""
        found: list[Json] = self._client.documents([link], on_error=lambda link, error: None)
        if found and isinstance(found[0].get("Members"), list):
            self._query = ""


def _is_whole(member: Any) -> bool:
    """Tell whether a member of a collection is its document, and not only a link to it."""
    return isinstance(member, dict) and ("Id" in member or "@odata.type" in member)
