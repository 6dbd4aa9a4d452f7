# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing the documents of one Redfish service: links followed, nothing read twice, ETags as they come."""

from __future__ import annotations

import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable, Iterable, Iterator, Optional
from urllib.parse import urlsplit

from .._bmc.errors import BmcError, BrokenAnswer, Rejected
from .._domain.deadline import Deadline
from .answers import Answer, Json
from .connector import Connector

SECRET_NAMES = re.compile(r"password|passphrase|secret|token|credential|key$", re.IGNORECASE)
OnError = Callable[[str, BmcError], None]


def link_of(value: Any) -> Optional[str]:
    """Return the path in a reference ``{"@odata.id": path}``; ``None`` for null, empty or malformed ones."""
    path = value.get("@odata.id") if isinstance(value, dict) else None
    if not isinstance(path, str) or not path.strip("/ "):
        return None
    try:
        urlsplit(path)
    except ValueError:
        return None
    return path


def dig(document: Any, *keys: str) -> Any:
    """Return the value below ``keys``, ``None`` where any step is missing or no object."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def redacted(body: Any) -> Any:
    """Return a request's body with secrets masked, for results; of a file, what it tells of itself."""
    if hasattr(body, "summary"):
        return body.summary
    if isinstance(body, dict):
        return {key: "********" if SECRET_NAMES.search(key) and isinstance(value, str)
                else redacted(value) for key, value in body.items()}
    return [redacted(value) for value in body] if isinstance(body, list) else body


class Client:
    """Documents of one service. Reads are kept for the task; a write forgets what it may have changed."""

    def __init__(self, connector: Connector, *, sent: list[Json]) -> None:
        self.connector = connector
        self._sent = sent
        self._kept: dict[str, Future] = {}
        self._lock = threading.Lock()

    @staticmethod
    def _key(link: str) -> str:
        parts = urlsplit(link)
        return parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")

    def answer(self, link: str) -> Answer:
        """Return the answer to a GET of ``link``, read once in a task; a failure is kept as well."""
        key = self._key(link)
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if mine:
                future = self._kept[key] = Future()
        if mine:
            try:
                future.set_result(self.connector.send("GET", link.split("#")[0]))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, BmcError):
                    self.forget(link)
        return future.result()

    def read(self, link: str) -> Json:
        """Return the document at ``link``."""
        return self.answer(link).body

    def reread(self, link: str, *, deadline: Optional[Deadline] = None) -> Json:
        """Read the document anew, as polls and the check of an effect need."""
        if deadline is None:
            self.forget(link)
            return self.read(link)
        answer = self.connector.send("GET", link, deadline=deadline)
        future: Future = Future()
        future.set_result(answer)
        self._kept[self._key(link)] = future
        return answer.body

    def kept(self, link: str) -> Optional[Json]:
        """Return the document at ``link`` where it was read already, without asking for it."""
        kept = self._kept.get(self._key(link))
        return kept.result().body if kept is not None and kept.done() and kept.exception() is None else None

    def keep(self, link: str, document: Json) -> None:
        """Take a document that came within another answer as read."""
        future: Future = Future()
        future.set_result(Answer(200, {}, document))
        with self._lock:
            self._kept.setdefault(self._key(link), future)

    def forget(self, link: Optional[str] = None) -> None:
        """Forget the document at ``link``, or all but the service root."""
        with self._lock:
            if link is not None:
                self._kept.pop(self._key(link), None)
            else:
                self._kept = {key: kept for key, kept in self._kept.items() if key == "/redfish/v1"}

    def member_links(self, collection: Json) -> Iterator[str]:
        """Yield the links of a collection's members once each, page by page; null and malformed ones are left out."""
        seen: set[str] = set()
        page: Optional[Json] = collection
        pages: set[str] = set()
        while page is not None:
            members = page.get("Members")
            for member in members if isinstance(members, list) else []:
                link = link_of(member)
                if link and self._key(link) not in seen:
                    seen.add(self._key(link))
                    yield link
            following = page.get("Members@odata.nextLink")
            if not isinstance(following, str) or following in pages:
                return
            pages.add(following)
            page = self.read(following)

    def members(self, link: Optional[str], *, on_error: Optional[OnError] = None) -> list[Json]:
        """Return the documents of a collection. Without ``on_error`` the first that fails is raised; with it, it is
        told and left out. No link is an empty collection."""
        if link is None:
            return []
        try:
            links = list(self.member_links(self.read(link)))
        except BmcError as error:
            if on_error is None:
                raise
            on_error(link, error)
            return []
        return self.documents(links, on_error=on_error)

    def documents(self, links: Iterable[str], *, on_error: Optional[OnError] = None) -> list[Json]:
        """Return the documents of ``links`` in their order, read side by side within the BMC's limit."""
        def one(link: str) -> Optional[Json]:
            try:
                return self.read(link)
            except BmcError as error:
                if on_error is None:
                    raise
                on_error(link, error)
                return None

        links = list(links)
        workers = min(self.connector.connection.concurrency, len(links))
        if workers > 1:
            with ThreadPoolExecutor(max_workers=workers) as pool:
                found = list(pool.map(one, links))
        else:
            found = [one(link) for link in links]
        return [document for document in found if document is not None]

    def write(self, method: str, link: str, body: Any = None, *, not_taken: tuple[str, ...] = (),
              headers: Optional[dict[str, str]] = None, deadline: Optional[Deadline] = None) -> Answer:
        """Send a write, with the ETag forms that this BMC takes, and keep what was sent for the result."""
        record: Json = {"method": method, "path": self._key(link), "body": redacted(body)}
        last: Optional[BmcError] = None
        for etag in self._etags(method, link):
            extra = dict(headers or {}, **({"If-Match": etag} if etag else {}))
            try:
                answer = self.connector.send(method, link, body=body, headers=extra, not_taken=not_taken,
                                             deadline=deadline)
            except BmcError as error:
                record["status"] = error.details.get("status")
                last = error
                if isinstance(error, Rejected) and error.details.get("status") in (412, 428):
                    continue
                self._note(record)
                raise
            record["status"] = answer.status
            self._note(record)
            return answer
        self._note(record)
        raise last or BrokenAnswer("no request was sent")

    def _note(self, record: Json) -> None:
        self._sent.append(record)
        self.forget()

    def _etags(self, method: str, link: str) -> Iterator[Optional[str]]:
        """Yield the If-Match values to try: as given, as a strong one, unquoted, none; for a POST none first.

        A BMC may refuse a weak ETag, quotes, or any ETag at all on a POST (DSP0266, section on ETags).
        """
        given = self._known_etag(link) if method != "POST" else None
        if method == "POST" or given is None:
            yield None
            if method == "POST":
                return
            given = self._known_etag(link, fresh=True)
        if given:
            strong = given.removeprefix("W/")
            yield from dict.fromkeys((given, strong, strong.strip('"')))
        yield None

    def _known_etag(self, link: str, *, fresh: bool = False) -> Optional[str]:
        """Return the ETag of the document at ``link``; ``fresh`` reads it where it is not known."""
        kept = self._kept.get(self._key(link))
        if kept is not None and kept.done() and kept.exception() is None:
            return kept.result().etag
        if fresh:
            try:
                return self.answer(link).etag
            except BmcError:
                return None
        return None
