# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from readings and logs, whatever the protocol. The keys of the rows stand in ``inventory``."""

from __future__ import annotations

from typing import Any, Iterable, Optional

from .inventory import row
from .units import worst

Json = dict[str, Any]
# Logs of the machine's events by what they are called, the best first; then any other log of the system itself.
EVENT_LOGS = ("sel", "iml", "eventlog", "event", "platformlog", "systemlog", "logs", "log1", "log")
OTHER_LOGS = ("audit", "journal", "dump", "debug", "postcode", "security", "hostlogger", "crash", "sa", "active")
PARTS = ("system", "processors", "memory", "storage", "bmc", "chassis")


def event_log(services: Iterable[Json]) -> Optional[Json]:
    """Return the log that holds the machine's events, ``None`` where none does."""
    def rank(service: Json) -> tuple[int, int]:
        name = service["id"].rsplit("/", 1)[-1].lower()
        owner = ("system", "bmc", "chassis").index(service["owner"]) if service["owner"] in (
            "system", "bmc", "chassis") else 3
        return (EVENT_LOGS.index(name) if name in EVENT_LOGS else len(EVENT_LOGS)), owner

    named = [service for service in services
             if not any(service["id"].rsplit("/", 1)[-1].lower().startswith(word) for word in OTHER_LOGS)]
    return min(named, key=rank, default=None)


def summarise_log(log: str, entries: list[Json], *, total: Optional[int]) -> Json:
    """Return the row of a log: how many of the entries that were read, newest first, are how bad."""
    counts = {severity: sum(entry.get("severity") == severity for entry in entries)
              for severity in ("ok", "warning", "critical")}
    return row("log_summary", log=log, total=total, read=len(entries), **counts,
               unknown=len(entries) - sum(counts.values()),
               newest=next((entry["created"] for entry in entries if entry.get("created")), None))


def summarise(**known: Any) -> Json:
    """Return the row of the summary; the health is the worst of its parts."""
    return row("summary", **known, health=worst(known.get(part) for part in PARTS))
