# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many documents into plain rows: by tables of fields, with problems kept instead of raised.

A table maps a row's key to a conversion and the paths where a value may stand, the best first. A path's steps are
parted by ``/``; a number is an index into a list, ``*`` stands for any key (that is how OEM objects are found
without naming a maker).
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, Optional

from .._bmc.errors import BmcError, BrokenAnswer, Unreachable, WriteInCheckMode
from .._bmc.interface import Driver
from .._domain.inventory import SINGLE
from .answers import error_text
from .client import Json, dig, link_of
from .expansion import Expansion

Convert = Callable[[Any], Any]
Table = dict[str, tuple]
Pair = tuple[str, Json]
# Resources that break the connection before the BMC itself is taken as gone.
BROKEN_CONNECTIONS = 3
MOST_CHASSIS = 128


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Yield the values at ``path``; none where a step leads nowhere."""
    found = [document]
    for step in path.split("/"):
        below: list[Any] = []
        for value in found:
            if isinstance(value, dict):
                below.extend(value.values() if step == "*" else [value[step]] if step in value else [])
            elif isinstance(value, list) and step.isdigit():
                below.extend(value[int(step):int(step) + 1])
            elif isinstance(value, list) and step == "*":
                below.extend(value)
        found = below
    yield from found


def first(document: Any, convert: Convert, *paths: str) -> Any:
    """Return the first value at ``paths`` that ``convert`` makes something of."""
    for path in paths:
        for value in values_at(document, path):
            converted = convert(value)
            if converted is not None:
                return converted
    return None


def extract(document: Any, table: Table) -> Json:
    """Return the fields of a table out of a document."""
    return {key: first(document, *source) for key, source in table.items()}


def links_at(document: Any, *paths: str) -> list[str]:
    """Return the links at ``paths``, each once: of references, and of lists of them."""
    found = []
    for path in paths:
        for value in values_at(document, path):
            found.extend(link_of(entry) for entry in (value if isinstance(value, list) else [value]))
    return list(dict.fromkeys(link for link in found if link))


def link_to(document: Any, name: str) -> Optional[str]:
    """Return the link that a document has by a name, where the standard puts it or where older services do."""
    places = (name, f"Links/{name}", f"Oem/*/Links/{name}", f"Oem/*/links/{name}", f"Oem/*/{name}", f"links/{name}")
    return next(iter(links_at(document, *places)), None)


def last_part(link: str) -> str:
    """Return the last part of a link's path, by which resources are told apart where one has several paths."""
    return link.rstrip("/").rsplit("/", 1)[-1]


def absent(document: Json) -> bool:
    """Tell whether the BMC says that nothing is in this place. What is offline or unavailable is there (DSP0268)."""
    return dig(document, "Status", "State") == "Absent"


class Reader:
    """The documents of one BMC, read for one section after the other; what fails becomes a problem of the section."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.client = driver.client
        self.section = ""
        self.problems: list[Json] = []
        self._broken = 0
        self._gone: Optional[BmcError] = None
        self.read_anything = False
        self._expansion = Expansion(driver.client, driver.root)
        self._chassis: Optional[list[Pair]] = None

    def problem(self, path: str, error: BmcError) -> None:
        """Keep a problem, once a section and path; a BMC that breaks the connection again and again is given up."""
        if isinstance(error, WriteInCheckMode):
            raise error
        entry = {"section": self.section, "path": path, "cause": error.cause}
        if entry in self.problems:
            return
        self.problems.append(entry)
        if isinstance(error, Unreachable) and self._gone is None:
            self._broken += 1
            if self._broken >= BROKEN_CONNECTIONS:
                self._gone = Unreachable(f"it was not asked for, as the connection had broken {self._broken} times")

    def document(self, link: Optional[str]) -> Json:
        """Return the document at ``link``; empty where there is no link or it cannot be read."""
        if not link:
            return {}
        return next((document for _link, document in self.documents([link])), {})

    def documents(self, links: Iterable[str]) -> list[Pair]:
        """Return the readable documents of ``links`` with their links, read side by side."""
        links = list(dict.fromkeys(links))
        if self._gone is not None:
            for link in links:
                self.problem(link, self._gone)
            return []
        self.client.documents(links, on_error=self.problem)
        pairs = []
        for link in links:
            try:
                document = self.client.read(link)
            except BmcError:
                continue
            if not any(key != "error" and not key.startswith("@") for key in document):
                self.problem(link, BrokenAnswer(error_text(document) or "the BMC answers with nothing in place of it"))
            else:
                pairs.append((link, document))
        self.read_anything = self.read_anything or bool(pairs)
        return pairs

    def objects(self, document: Json, path: str) -> list[Json]:
        """Return the objects in a list of a document; those that are no more than a link are read."""
        found = []
        for entry in values_at(document, f"{path}/*"):
            link = link_of(entry)
            if link and len(entry) == 1 and "#" not in link:
                entry = self.document(link)
            if isinstance(entry, dict) and entry:
                found.append(entry)
        return found

    def members(self, *collections: Optional[str]) -> list[Pair]:
        """Return the readable members of collections with their links, all read side by side."""
        return self.documents(self.links_of(collections))

    def links_of(self, collections: Iterable[Optional[str]]) -> list[str]:
        """Return the links of the members of collections, each once; those of pages that can be read."""
        wanted = list(dict.fromkeys(link for link in collections if link))
        if self._gone is None:
            wanted = self._expansion.read(wanted, on_error=self.problem)
        links: list[str] = []
        for _link, document in self.documents(wanted):
            links.extend(self.links_in(document))
        return list(dict.fromkeys(links))

    def links_in(self, collection: Json) -> list[str]:
        """Return the links of a collection's members, as far as its pages can be read."""
        links: list[str] = []
        try:
            for link in self.client.member_links(collection):
                links.append(link)
        except BmcError as error:
            self.problem(error.details.get("path") or str(collection.get("Members@odata.nextLink")), error)
        return links

    def collections_at(self, document: Json, *paths: str) -> list[Pair]:
        """Return the members below ``paths``: of collections, or of lists of links as older services have them."""
        pairs: list[Pair] = []
        for path in paths:
            for value in values_at(document, path):
                pairs += self.documents(links_at({"v": value}, "v")) if isinstance(value, list) else self.members(
                    link_of(value))
        return pairs

    @property
    def system(self) -> Json:
        """Return the document of the system; empty where it cannot be read."""
        return self.document(self.driver.system_link)

    def attempt(self, read: Callable[[], Any], default: Any, path: str) -> Any:
        """Return what ``read`` returns; ``default`` and a problem where it fails."""
        try:
            return read()
        except BmcError as error:
            self.problem(error.details.get("path") or path, error)
            return default

    def managers(self) -> list[str]:
        """Return the links of the system's managers."""
        return self.attempt(self.driver.manager_links, [], "/redfish/v1/Managers")

    def manager(self) -> Pair:
        """Return the BMC's own document: the first manager that calls itself a BMC, else the first."""
        best: Pair = ("", {})
        for link in self.managers()[:8]:
            document = self.document(link)
            if document.get("ManagerType") == "BMC":
                return link, document
            if document and not best[0]:
                best = (link, document)
        return best

    def chassis(self) -> list[Pair]:
        """Return the chassis that hold the system, and those inside them."""
        if self._chassis is None:
            self._chassis = self._all_chassis()
        return self._chassis

    def _all_chassis(self) -> list[Pair]:
        """Return the system's chassis, what they contain, and others that name the system.

        One that names no system is ours as well, unless it is part of another's or goes by another system's name.
        """
        ours = self.driver.system_link.rstrip("/")
        all_systems = self.attempt(self.driver.system_links, [], "/redfish/v1/Systems")
        others = {last_part(link) for link in all_systems} - {last_part(ours)}
        found: dict[str, Pair] = {}
        for link, document in self.documents(self._chassis_links()):
            systems = [system.rstrip("/") for system in links_at(document, "Links/ComputerSystems")]
            if ours in systems or not systems and last_part(link) not in others and (
                    not others or self._is_part(document, found)):
                found[link.rstrip("/")] = (link, document)
        return list(found.values())

    @staticmethod
    def _is_part(document: Json, known: dict[str, Pair]) -> bool:
        """Tell whether a chassis is contained in one that is known, or known to be the system's own."""
        above = links_at(document, "Links/ContainedBy")
        return not above or any(link.rstrip("/") in known for link in above)

    def _chassis_links(self) -> list[str]:
        """Return the links of the chassis that the system names, of what these contain, and of all others."""
        links = self.attempt(self.driver.chassis_links, [], "/redfish/v1/Chassis")
        links = links + [link for _unused, document in self.documents(links)
                         for link in links_at(document, "Links/Contains")]
        links += self.links_of([link_of(self.driver.root.get("Chassis"))])
        return list({link.rstrip("/"): link for link in links}.values())[:MOST_CHASSIS]


def read_sections(reader: Reader, sections: tuple[str, ...], readers: dict[str, Any]) -> tuple[Json, list[Json]]:
    """Return the sections asked for and the problems; raise where not a single document could be read.

    Which system is meant is settled before anything else: an ambiguity is the user's to solve.
    """
    found: Json = {}
    if not reader.driver.system_link:
        raise BrokenAnswer("the system has no link")
    for section in sections:
        reader.section = section
        found[section] = reader.attempt(lambda name=section: readers[name](reader),
                                        None if section in SINGLE else [], "")
    if reader.problems and not reader.read_anything:
        first_problem = reader.problems[0]
        raise BrokenAnswer(f"nothing could be read: {first_problem['cause']}", path=first_problem["path"],
                           problems=reader.problems)
    return found, reader.problems
