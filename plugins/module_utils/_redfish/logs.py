# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event logs over Redfish: LogService and LogEntry (DMTF DSP0268) of the system, its managers and its chassis."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Optional

from .._bmc.errors import BmcError, BrokenAnswer, InvalidInput, Rejected, Unsupported
from .._bmc.interface import Driver, Logs
from .._domain.logs import Severity, moment, newest_first, timestamp
from .actions import find_action
from .client import link_of
from .expansion import query_for
from .members import listed

Json = dict[str, Any]
SEVERITIES = {"ok": Severity.OK, "informational": Severity.OK, "warning": Severity.WARNING,
              "critical": Severity.CRITICAL, "fatal": Severity.CRITICAL}
# Pages of a collection that are read at most: a log of hundreds of thousands of entries is cut off there.
MOST_PAGES = 200


class RedfishLogs(Logs):
    """The log services that the system and what belongs to it link to."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._links: dict[str, str] = {}
        self._seen: set[str] = set()

    def _holders(self) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        yield "system", lambda: [self._driver.system_link]
        yield "bmc", self._driver.manager_links
        yield "chassis", self._driver.chassis_links

    def services(self) -> list[Json]:
        """Return the logs; what lists them and cannot be read is a warning."""
        found: list[Json] = []
        self._links = {}
        for owner, links in self._holders():
            for holder in self._attempt(links, [], path=owner):
                document = self._attempt(lambda link=holder: self._driver.client.read(link), {}, path=holder)
                for link in self._members(link_of(document.get("LogServices"))):
                    row = self._service(link, owner=owner, holder=holder)
                    if row is not None:
                        found.append(row)
        return found

    def _members(self, collection: Optional[str]) -> list[str]:
        if collection is None:
            return []
        client = self._driver.client
        return self._attempt(lambda: list(client.member_links(client.read(collection))), [], path=collection)

    def _attempt(self, read: Callable[[], Any], default: Any, *, path: str) -> Any:
        try:
            return read()
        except (Rejected, BrokenAnswer) as error:
            self._driver.warn(f"Logs may be missing: {path} cannot be read ({error.cause}).")
            return default

    def _service(self, link: str, *, owner: str, holder: str) -> Optional[Json]:
        """Return one log in neutral words; its id gets the holder's name where another log has it."""
        if link in self._links.values():
            return None
        document = self._attempt(lambda: self._driver.client.read(link), None, path=link)
        if document is None:
            return None
        name = str(document.get("Id") or link.rstrip("/").rsplit("/", 1)[-1])
        number = f"{owner}/{name}"
        if number in self._links:
            number = f"{owner}/{holder.rstrip('/').rsplit('/', 1)[-1]}/{name}"
        self._links[number] = link
        title = document.get("Name")
        return {"id": number, "name": title if isinstance(title, str) else name, "owner": owner,
                "clearable": find_action(self._driver.client, document, "#LogService.ClearLog") is not None}

    def _document(self, log: str) -> Json:
        """Return the document of a log."""
        if log not in self._links:
            self.services()
        if log not in self._links:
            raise InvalidInput(f"the BMC has no log '{log}'", remedy=f"It has {', '.join(self._links) or 'none'}.")
        return self._driver.client.read(self._links[log])

    def entries(self, log: str, *, limit: int) -> list[Json]:
        """Return the newest entries, of which a collection may hold the first or the last first; anew every time."""
        if log in self._seen:
            self._driver.client.forget()
        self._seen.add(log)
        collection = self._collection(log)
        members = self._newest_members(collection, limit)
        return newest_first(_row(member) for member in members)[:limit]

    def _collection(self, log: str) -> str:
        """Return where the entries of a log are."""
        collection = link_of(self._document(log).get("Entries"))
        if collection is None:
            raise BrokenAnswer(f"the log {log} does not tell where its entries are", path=self._links[log])
        return collection

    def count(self, log: str) -> Optional[int]:
        """Return how many entries the collection says that it has."""
        told = self._first_page(self._collection(log)).get("Members@odata.count")
        return told if isinstance(told, int) and not isinstance(told, bool) else None

    def _newest_members(self, collection: str, limit: int) -> list[Json]:
        """Return documents among which are the newest: pages are read until they are all there, or surely enough."""
        rows: list[Json] = []
        for page in self._pages(collection):
            rows.extend(page)
            whole = [row for row in rows if not _is_reference(row)]
            if len(rows) >= limit and len(whole) == len(rows) and _descends(rows):
                return rows
        if any(map(_is_reference, rows)):
            return self._read_newest([link_of(row) for row in rows if link_of(row)], limit)
        return rows if _descends(rows) else rows[::-1]

    def _pages(self, collection: str) -> Iterator[list[Json]]:
        """Yield the members page by page, whole ones where the BMC says that it expands them."""
        page: Optional[Json] = self._first_page(collection)
        seen: set[str] = set()
        while page is not None:
            yield listed(page, collection)
            following = page.get("Members@odata.nextLink")
            if not isinstance(following, str) or following in seen:
                return
            if len(seen) >= MOST_PAGES:
                self._driver.warn(f"The log at {collection} has more than {MOST_PAGES} pages; the rest was not read.")
                return
            seen.add(following)
            page = self._driver.client.read(following)

    def _first_page(self, collection: str) -> Json:
        """Return the collection, expanded where that is advertised and not refused after all."""
        query = query_for(self._driver.root)
        if query:
            try:
                return self._driver.client.read(collection + query)
            except Rejected:
                pass
        return self._driver.client.read(collection)

    def _read_newest(self, links: list[str], limit: int) -> list[Json]:
        """Return the documents at the end of ``links`` where the newest are, the newest first."""
        def one(link: str) -> Json:
            found = self._driver.client.documents([link], on_error=self._skipped)
            return found[0] if found else {}

        if len(links) > limit and not _descends([one(links[0]), one(links[-1])]):
            links = links[::-1]
        rows = self._driver.client.documents(links[:limit], on_error=self._skipped)
        return rows if _descends(rows) else rows[::-1]

    def _skipped(self, link: str, error: BmcError) -> None:
        if not isinstance(error, (Rejected, BrokenAnswer)):
            raise error
        self._driver.warn(f"The log entry {link} was left out: {error.cause}.")

    def clear(self, log: str) -> None:
        """Send ClearLog."""
        action = find_action(self._driver.client, self._document(log), "#LogService.ClearLog")
        if action is None:
            raise Unsupported(f"the BMC does not let the log {log} be cleared", protocol="redfish",
                              capability=self.title, remedy="Leave it out; the BMC overwrites its oldest entries.")
        self._driver.client.write("POST", action.target, {})


def _is_reference(row: Json) -> bool:
    """Tell whether a member is a link only, and not the document itself."""
    return not any(key for key in row if not key.startswith("@odata."))


def _descends(rows: list[Json]) -> bool:
    """Tell whether the first of the rows is newer than the last."""
    times = [when for when in (moment(_created(row)) for row in rows) if when is not None]
    return len(times) > 1 and times[0] > times[-1]


def _created(row: Json) -> Any:
    return row.get("Created") or row.get("EventTimestamp")


def _row(document: Json) -> Json:
    """Return an entry in neutral words."""
    severity, message, kind = document.get("Severity"), document.get("Message"), document.get("MessageId")
    found = SEVERITIES.get(severity.lower()) if isinstance(severity, str) else None
    return {"id": str(document.get("Id") or (link_of(document) or "").rstrip("/").rsplit("/", 1)[-1]),
            "created": timestamp(_created(document)), "severity": found.value if found else None,
            "message": message.strip() if isinstance(message, str) and message.strip() else None,
            "message_id": kind if isinstance(kind, str) and kind else None}
