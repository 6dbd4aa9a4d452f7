# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions to a BMC's events without a protocol's words: which one is meant, and whether it is as declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional
from urllib.parse import urlsplit

Json = dict[str, Any]
FILTERS = ("event_types", "registry_prefixes", "resource_types")


class EventType(str, Enum):
    """The types of events that BMCs have in common; others go by the BMC's own word."""

    ALERT = "alert"
    STATUS_CHANGE = "status_change"
    RESOURCE_ADDED = "resource_added"
    RESOURCE_REMOVED = "resource_removed"
    RESOURCE_UPDATED = "resource_updated"
    METRIC_REPORT = "metric_report"
    OTHER = "other"


@dataclass(frozen=True)
class Subscription:
    """A subscription as it is declared. ``None`` is left to the BMC, and not compared."""

    destination: str
    context: Optional[str] = None
    event_types: Optional[tuple[str, ...]] = None
    registry_prefixes: Optional[tuple[str, ...]] = None
    resource_types: Optional[tuple[str, ...]] = None
    headers: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class EventStep:
    """What is to be done: the ids to delete, and whether to create."""

    delete: tuple[str, ...] = ()
    create: bool = False


def bad_destination(destination: str) -> Optional[str]:
    """Return what is wrong with a destination, ``None`` where nothing is."""
    try:
        parts = urlsplit(destination)
        host, unused = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "is not a URL of HTTP or HTTPS"
    return "holds an account" if parts.username else None


def meant(rows: list[Json], wanted: Subscription) -> list[Json]:
    """Return the subscriptions of that destination, and of that context where one is declared."""
    return [row for row in rows if (row.get("destination") or "").rstrip("/") == wanted.destination.rstrip("/")
            and wanted.context in (None, row.get("context"))]


def matches(row: Json, wanted: Subscription) -> bool:
    """Tell whether a subscription has the filters declared, whatever their order."""
    return all(getattr(wanted, name) is None or set(row.get(name) or ()) == set(getattr(wanted, name)) for name in FILTERS)


def shown(row: Optional[Json], wanted: Subscription) -> Json:
    """Return a subscription in the shape of the return key, whether it is there or not."""
    row = row or {}
    return {"destination": wanted.destination, "exists": bool(row), **{key: row.get(key) for key in (
        "id", "context", *FILTERS, "protocol")}}


def best(rows: list[Json], wanted: Subscription) -> Optional[Json]:
    """Return the subscription to show: one that matches, else the first that is meant."""
    found = meant(rows, wanted)
    return next((row for row in found if matches(row, wanted)), found[0] if found else None)


def plan_subscription(rows: list[Json], wanted: Subscription, *, present: bool) -> Optional[EventStep]:
    """Return what is to be done, ``None`` where nothing: a subscription with other filters is replaced."""
    found = meant(rows, wanted)
    ids = tuple(row["id"] for row in found)
    if not present:
        return EventStep(delete=ids) if found else None
    if any(matches(row, wanted) for row in found):
        return None
    return EventStep(delete=ids, create=True)


def expected(current: Json, wanted: Subscription, *, step: EventStep) -> Json:
    """Return what ``current`` becomes: what a dry run shows."""
    if not step.create:
        return shown(None, wanted)
    asked = {name: list(getattr(wanted, name)) for name in FILTERS if getattr(wanted, name) is not None}
    return {**current, "exists": True, "id": None, "context": wanted.context or current["context"], **asked}


def not_offered(wanted: Subscription, offers: Json) -> Optional[tuple[str, str, list[str]]]:
    """Return the first filter that the BMC does not offer: its option, the value, and what is offered."""
    for name in FILTERS:
        offered = offers.get(name)
        for value in getattr(wanted, name) or ():
            if offered and value not in offered:
                return name, value, list(offered)
    return None
