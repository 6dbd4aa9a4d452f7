# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event logs of a BMC: read, and cleared with proof."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from .._bmc.errors import AnswerLost, BrokenAnswer, InvalidInput, Rejected, Unsupported
from .._bmc.interface import Logs
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.logs import Severity, is_cleared, left_over, matching, pick, since_moment
from .base import InfoResource, Resource

Json = dict[str, Any]
# Entries that are looked through where not all of them match.
SCANNED = 1000
# Entries of a log that are shown before it is cleared, and looked for afterwards.
SHOWN = 100


def chosen(services: list[Json], names: Optional[list[str]]) -> list[Json]:
    """Return the logs that are named, all where none is; :class:`InvalidInput` where a name means none or several."""
    if names is None:
        return services
    found: dict[str, Json] = {}
    for name in names:
        hits = pick(services, name)
        if len(hits) != 1:
            several = f"'{name}' means {len(hits)} logs" if hits else f"the BMC has no log '{name}'"
            raise InvalidInput(several, logs=[hit["id"] for hit in hits or services],
                               remedy=f"Name one of {', '.join(hit['id'] for hit in hits or services) or 'none'}.")
        found[hits[0]["id"]] = hits[0]
    return list(found.values())


class LogInfoResource(InfoResource):
    """``bmc_log_info``."""

    NAME = "logs"
    DOING = "read the logs"
    CAPABILITY = Logs
    SPEC = {
        "logs": dict(type="list", elements="str"),
        "limit": dict(type="int", default=50),
        "since": dict(type="str"),
        "severity": dict(type="str", choices=[severity.value for severity in Severity]),
    }

    def validate(self) -> None:
        """Refuse a time that is none."""
        if self.params["limit"] < 1:
            raise InvalidInput(f"limit is {self.params['limit']}", remedy="Give 1 or more.")
        if self.params.get("since") is not None and self._since is None:
            raise InvalidInput(f"since is '{self.params['since']}'",
                               remedy="Give a time such as 2026-01-31T12:00:00Z, or an age such as 90m, 36h or 7d.")

    @property
    def _since(self) -> Optional[datetime]:
        return since_moment(self.params["since"]) if self.params.get("since") is not None else None

    def read(self) -> list[Json]:
        """Return the logs with the entries asked for; a log that cannot be read is a problem."""
        self._problems: list[Json] = []
        since, severity, limit = self._since, self.params.get("severity"), self.params["limit"]
        logs = []
        for service in chosen(self.bmc.services(), self.params.get("logs")):
            try:
                entries = self.bmc.entries(service["id"], limit=limit if severity is None else max(limit, SCANNED))
            except (Rejected, BrokenAnswer) as error:
                self._problems.append({"section": "logs", "path": service["id"], "cause": error.cause})
                continue
            logs.append(dict(service, entries=matching(entries, since=since, severity=severity, limit=limit)))
        return logs

    def extra(self) -> Json:
        """Return what could not be read."""
        return {"problems": self._problems}


class LogResource(Resource):
    """``bmc_log``."""

    NAME = "logs"
    DOING = "clear the logs"
    CAPABILITY = Logs
    SPEC = {
        "logs": dict(type="list", elements="str", required=True),
        "state": dict(type="str", choices=["cleared"], default="cleared"),
        "wait_timeout": dict(type="int", default=30),
    }

    def validate(self) -> None:
        """Refuse an empty list."""
        if not self.params["logs"]:
            raise InvalidInput("logs is empty", remedy="Name the logs to clear; bmc_log_info lists them.")

    def read(self) -> list[Json]:
        """Return the logs named with their newest entries."""
        return [dict(service, entries=self.bmc.entries(service["id"], limit=SHOWN))
                for service in chosen(self.bmc.services(), self.params["logs"])]

    def plan(self, current: list[Json]) -> Change:
        """Return the logs to clear, after all of them were found to be clearable."""
        steps = tuple(log for log in current
                      if not (is_cleared(log["entries"]) and self._all_seen(log["id"], log["entries"])))
        for log in steps:
            if not log["clearable"]:
                raise Unsupported(f"the BMC does not let the log {log['id']} be cleared", capability="logs",
                                  remedy="Leave it out; the BMC overwrites its oldest entries.")
        return Change(before=current, after=[dict(log, entries=[]) if log in steps else log for log in current],
                      steps=steps, requested={"logs": [log["id"] for log in current], "state": self.params["state"]})

    def _all_seen(self, log: str, entries: list[Json]) -> bool:
        """Tell whether the log holds no more than was read of it: entries that cannot be read are entries."""
        return len(entries) >= SHOWN or self.bmc.count(log) in (None, len(entries))

    def apply(self, change: Change) -> Effect:
        """Clear one log after the other, each proven before the next."""
        observed = {log["id"]: log for log in change.before}
        for log in change.steps:
            self.tell(f"clearing the log {log['id']}")
            try:
                self.bmc.clear(log["id"])
            except AnswerLost as error:
                self.tell(f"{error.cause}; reading the log instead of asking again")
            observed[log["id"]] = dict(log, entries=self._proven(log))
        return Effect(observed=list(observed.values()), verified=True)

    def _proven(self, log: Json) -> list[Json]:
        """Return what the log holds once none of the entries of before is in it."""
        gone, seen = wait_until(lambda: self.bmc.entries(log["id"], limit=SHOWN),
                                lambda seen: not left_over(log["entries"], seen) and self._all_seen(log["id"], seen),
                                deadline=Deadline(self.params["wait_timeout"]))
        if not gone:
            left = len(left_over(log["entries"], seen))
            raise Rejected(f"the BMC took the order, but {left or 'unreadable'} entries are still in {log['id']}",
                           remedy="Raise wait_timeout, or look at the log again later.")
        return seen
