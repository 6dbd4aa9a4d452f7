# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A subscription to a BMC's events, declared and read back."""

from __future__ import annotations

from typing import Any

from .._bmc.errors import AnswerLost, InvalidInput, Rejected
from .._bmc.interface import Events
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.events import (
    FILTERS, EventStep, Subscription, bad_destination, best, expected, matches, meant, not_offered, plan_subscription,
    shown,
)
from .base import Resource

Json = dict[str, Any]
# Refusals by which a BMC says that the old subscription must go before the new one can come.
IN_THE_WAY = ("AlreadyExists", "LimitReached", "LimitExceeded", "SubscriptionLimit")


class EventSubscriptionResource(Resource):
    """``bmc_event_subscription``."""

    NAME = "event_subscription"
    DOING = "change the event subscription"
    CAPABILITY = Events
    SPEC = {
        "destination": dict(type="str", required=True),
        "state": dict(type="str", choices=["present", "absent"], default="present"),
        "context": dict(type="str"),
        "event_types": dict(type="list", elements="str"),
        "registry_prefixes": dict(type="list", elements="str"),
        "resource_types": dict(type="list", elements="str"),
        "headers": dict(type="dict", no_log=True),
        "wait_timeout": dict(type="int", default=15),
    }

    def validate(self) -> None:
        """Refuse a destination that is none, and options that have no meaning."""
        wrong = bad_destination(self.params["destination"])
        if wrong:
            raise InvalidInput(f"destination {wrong}", remedy="Give a URL such as https://192.0.2.1:8443/events.")
        for option in (*FILTERS, "headers"):
            if self.params["state"] == "absent" and self.params.get(option) is not None:
                raise InvalidInput(f"{option} is set but state is absent", remedy=f"Leave {option} out.")

    @property
    def _wanted(self) -> Subscription:
        filters = {name: tuple(self.params[name]) for name in FILTERS if self.params.get(name) is not None}
        headers = {str(name): str(value) for name, value in (self.params.get("headers") or {}).items()}
        return Subscription(destination=self.params["destination"], context=self.params.get("context"), headers=headers,
                            **filters)

    def read(self) -> Json:
        """Return the subscription that is meant."""
        self._rows = self.bmc.read()
        return shown(best(self._rows, self._wanted), self._wanted)

    def plan(self, current: Json) -> Change:
        """Return the change, after the filters were found among those that the BMC offers."""
        wanted, present = self._wanted, self.params["state"] == "present"
        step = plan_subscription(self._rows, wanted, present=present)
        offers = self.bmc.offers()
        warnings = ("The BMC's event service is switched off: it sends nothing until that is switched on.",) if (
            present and offers["enabled"] is False) else ()
        if step is None:
            return Change(before=current, after=current, warnings=warnings)
        refused = not_offered(wanted, offers) if step.create else None
        if refused:
            raise InvalidInput(f"the BMC does not offer '{refused[1]}' in {refused[0]}",
                               remedy=f"It offers {', '.join(refused[2])}.")
        names = ("destination", "state", "context", *FILTERS)
        asked = {name: self.params[name] for name in names if self.params.get(name) is not None}
        return Change(before=current, after=expected(current, wanted, step=step), steps=(step,), requested=asked,
                      warnings=warnings)

    def apply(self, change: Change) -> Effect:
        """Create before the old one is deleted, so that nothing is lost where the new one is refused."""
        step: EventStep = change.steps[0]
        old = step.delete
        if step.create:
            try:
                self._write(lambda: self.bmc.create(self._body()))
            except Rejected as error:
                if not old or not _in_the_way(error):
                    raise
                self._delete(old)
                old = ()
                self._write(lambda: self.bmc.create(self._body()))
            self._proven(lambda rows: any(matches(row, self._wanted) for row in meant(rows, self._wanted)
                                          if row["id"] not in old))
        self._delete(old)
        rows = self._proven(lambda rows: not [row for row in meant(rows, self._wanted) if row["id"] in step.delete
                                              and not (step.create and matches(row, self._wanted))])
        return Effect(observed=shown(best(rows, self._wanted), self._wanted), verified=True)

    def _body(self) -> Json:
        wanted = self._wanted
        return {"destination": wanted.destination, "context": wanted.context, "headers": wanted.headers,
                **{name: getattr(wanted, name) for name in FILTERS}}

    def _delete(self, ids: tuple[str, ...]) -> None:
        for number in ids:
            self._write(lambda number=number: self.bmc.delete(number))

    def _write(self, send: Any) -> None:
        """Send; where the answer was lost the subscriptions are read instead of asking again."""
        try:
            send()
        except AnswerLost as error:
            self.tell(f"{error.cause}; reading the subscriptions instead of asking again")

    def _proven(self, accept: Any) -> list[Json]:
        """Return the subscriptions once they are as ``accept`` wants."""
        done, rows = wait_until(self.bmc.read, accept, deadline=Deadline(self.params["wait_timeout"]))
        if not done:
            seen = [shown(row, self._wanted) for row in meant(rows, self._wanted)]
            raise Rejected(f"the BMC took the change, but reads back {_words(seen)}", observed=seen,
                           remedy="It may keep other filters than those asked for; see its log.")
        return rows


def _in_the_way(error: Rejected) -> bool:
    said = " ".join(map(str, error.details.get("message_ids") or ())) + error.cause
    return error.details.get("status") == 409 or any(word in said for word in IN_THE_WAY)


def _words(seen: list[Json]) -> str:
    """Return subscriptions in words, for messages."""
    if not seen:
        return "no such subscription"
    return "; ".join(", ".join(f"{name} {' '.join(row[name]) or 'none'}" for name in FILTERS if row[name] is not None)
                     or f"the subscription {row['id']}" for row in seen)
