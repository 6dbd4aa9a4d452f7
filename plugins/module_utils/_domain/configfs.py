# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree of configfs should hold, and the steps from what it holds to that. Pure; paths are below one folder of it."""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


class Kind(enum.Enum):
    """What an entry is: a folder that is an object of the kernel, an attribute of one, a link between two."""

    GROUP = "group"
    VALUE = "value"
    LINK = "link"


class Verb(enum.Enum):
    """What is done to an entry. INIT writes an attribute of an object that was made just before."""

    UNLINK = "unlink"
    REMOVE = "remove"
    MAKE = "make"
    INIT = "init"
    WRITE = "write"
    LINK = "link"


@dataclass(frozen=True)
class Entry:
    """One thing that must be there. `text` is an attribute's value, or the path that a link points at.

    `fixed`: the kernel takes another value only for a new object, so that its group is made anew. `once`: written when
    the group is made and never compared (it reads back as something else). `blank` is how an empty value is written.
    """

    kind: Kind
    path: str
    text: str = ""
    secret: bool = False
    fixed: bool = False
    once: bool = False
    blank: str = ""


@dataclass(frozen=True)
class Step:
    """One change, in words for people and for the program that repeats it at boot."""

    verb: Verb
    path: str
    text: str = ""
    secret: bool = False


Found = Mapping[str, tuple[Kind, str]]
"""What is there: path -> (kind, text), groups and links in the order in which they are made."""


def group(path: str) -> Entry:
    """An object."""
    return Entry(Kind.GROUP, path)


def link(path: str, target: str) -> Entry:
    """A link from one object to another."""
    return Entry(Kind.LINK, path, target)


def value(path: str, text: object, **flags: object) -> Entry:
    """An attribute."""
    return Entry(Kind.VALUE, path, str(text), **flags)


def _differs(entry: Entry, found: Found) -> bool:
    current = found.get(entry.path, (entry.kind, ""))[1]
    return (current if current != entry.blank else "") != entry.text


def _is_below(path: str, parents: Iterable[str]) -> bool:
    return any(path == parent or path.startswith(f"{parent}/") for parent in parents)


def _to_remove(wanted: Sequence[Entry], found: Found) -> list[str]:
    """Groups and links that go: not wanted, to be made anew, or pointing at such, and the groups that hold such links."""
    kept = {entry.path: entry for entry in wanted if entry.kind is not Kind.VALUE}
    groups = [entry.path for entry in wanted if entry.kind is Kind.GROUP]
    gone = {path for path, (kind, _text) in found.items() if kind is Kind.GROUP and path not in kept}
    for entry in wanted:
        if entry.fixed and entry.path in found and _differs(entry, found):
            gone.add(max((path for path in groups if entry.path.startswith(f"{path}/")), key=len))
    links = {path: text for path, (kind, text) in found.items() if kind is Kind.LINK}
    while True:
        loose = {path for path, text in links.items() if path not in kept or kept[path].text != text or _is_below(text, gone)}
        holders = {parent(path) for path in loose} & set(groups)
        if holders <= gone:
            break
        gone |= holders
    return [path for path, (kind, _text) in found.items() if path in loose or kind is not Kind.VALUE and _is_below(path, gone)]


def plan(wanted: Sequence[Entry], found: Found) -> list[Step]:
    """Steps that make what is wanted of what is found, in an order that the kernel takes."""
    removed = _to_remove(wanted, found)
    steps = [
        Step(Verb.UNLINK if found[path][0] is Kind.LINK else Verb.REMOVE, path) for path in reversed(removed)
    ]
    made: set[str] = set()
    for entry in wanted:
        there = entry.path in found and entry.path not in removed
        new = _is_below(entry.path, made)
        if entry.kind is Kind.GROUP and (not there or new):
            made.add(entry.path)
            steps.append(Step(Verb.MAKE, entry.path))
        elif entry.kind is Kind.LINK and (not there or new):
            steps.append(Step(Verb.LINK, entry.path, entry.text))
        elif entry.kind is Kind.VALUE and entry.once and new:
            steps.append(Step(Verb.INIT, entry.path, entry.text, entry.secret))
        elif entry.kind is Kind.VALUE and not entry.once and (_differs(entry, {}) if new else _differs(entry, found)):
            steps.append(Step(Verb.WRITE, entry.path, entry.text or entry.blank, entry.secret))
    return steps


def listing(entries: Iterable[Entry], found: Found) -> tuple[str, str]:
    """What is there and what is wanted, one line each, for a diff. Secrets are told apart, not shown."""
    before = {path: text if kind is Kind.VALUE else kind.value for path, (kind, text) in found.items()}
    after = {}
    for entry in entries:
        if entry.kind is not Kind.VALUE:
            after[entry.path] = entry.kind.value
        elif not entry.once:
            after[entry.path] = entry.text
            if entry.secret:
                same = not _differs(entry, found)
                after[entry.path] = "(a secret)" if entry.text else ""
                before[entry.path] = after[entry.path] if same else _masked(before.get(entry.path, ""), entry)
    return _lines(before), _lines(after)


def _masked(current: str, entry: Entry) -> str:
    return "" if current in ("", entry.blank) else "(another secret)"


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{path}: {text}\n" for path, text in sorted(values.items()) if text != "")


def parent(path: str) -> str:
    """The folder of a path."""
    return posixpath.dirname(path)
