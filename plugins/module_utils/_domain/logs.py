# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event logs of a BMC without a protocol's words: severities, times, which entries to show, what a clear log is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Iterable, Optional

Json = dict[str, Any]
_AGE = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Severity(str, Enum):
    """How bad an entry says it is, from least to worst."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}


def moment(value: Any) -> Optional[datetime]:
    """Return a time of ISO 8601 as BMCs write it, ``None`` where it is none. Without an offset it is taken as UTC."""
    if not isinstance(value, str):
        return None
    text = value.strip().replace("Z", "+00:00").replace("z", "+00:00")
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def timestamp(value: Any) -> Optional[str]:
    """Return a time as ``2026-01-31T12:00:00Z`` (UTC, whole seconds), ``None`` where it cannot be read."""
    found = value if isinstance(value, datetime) else moment(value)
    return found.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


def since_moment(text: str, *, now: Optional[datetime] = None) -> Optional[datetime]:
    """Return the moment that ``since`` means: a time, or an age such as ``90m``, ``36h`` or ``7d``."""
    age = _AGE.fullmatch(text.strip())
    if age is None:
        return moment(text)
    try:
        return (now or datetime.now(timezone.utc)) - timedelta(seconds=int(age[1]) * _SECONDS[age[2].lower()])
    except OverflowError:
        return None


def newest_first(entries: Iterable[Json]) -> list[Json]:
    """Return entries by time, newest first; those without a time keep their place among their neighbours."""
    rows = list(entries)
    times = [moment(row.get("created")) for row in rows]
    last = None
    for index, time in enumerate(times):  # a missing time is the neighbour's
        last = times[index] = time or last
    known = [time for time in times if time is not None]
    if not known:
        return rows
    keyed = [(time or known[0], row) for time, row in zip(times, rows)]
    return [row for unused, row in sorted(keyed, key=lambda pair: pair[0], reverse=True)]


def matching(entries: Iterable[Json], *, since: Optional[datetime], severity: Optional[str], limit: int) -> list[Json]:
    """Return the first ``limit`` entries of at least that severity and not older than ``since``.

    An entry that does not tell its time or severity is left out where that is asked for.
    """
    found = []
    for entry in entries:
        if severity is not None and _RANK.get(entry.get("severity"), -1) < _RANK[severity]:
            continue
        when = moment(entry.get("created"))
        if since is not None and (when is None or when < since):
            continue
        found.append(entry)
        if len(found) == limit:
            break
    return found


def is_cleared(entries: list[Json]) -> bool:
    """Tell whether a log is empty, but for the one entry by which many BMCs note that it was cleared."""
    return not entries or (len(entries) == 1 and re.search(r"\bclear", entries[0].get("message") or "", re.I) is not None)


def left_over(before: list[Json], after: list[Json]) -> list[Json]:
    """Return the entries of ``before`` that are still there."""
    def key(entry: Json) -> tuple:
        return tuple(entry.get(name) for name in ("id", "created", "message", "message_id"))

    there = {key(entry) for entry in after}
    return [entry for entry in before if key(entry) in there]


def pick(services: list[Json], wanted: str) -> list[Json]:
    """Return the logs that a name means: an id (``system/SEL``), the part of it after the owner, or a title."""
    low = wanted.strip("/").lower()
    exact = [service for service in services if service["id"].lower() == low]
    return exact or [service for service in services
                     if low in (service["id"].lower().split("/", 1)[-1], (service.get("name") or "").lower())]
