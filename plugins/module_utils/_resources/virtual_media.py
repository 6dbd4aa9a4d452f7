# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in a system's virtual drives, declared and read back."""

from __future__ import annotations

from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from .._bmc.errors import AnswerLost, InvalidInput, Rejected
from .._bmc.interface import VirtualMedia
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.virtual_media import (
    MediaType, candidates, emptied, filled, holds, may_hold, media_of, protection_differs, to_eject,
)
from .base import Resource

Json = dict[str, Any]
# How often an eject or insert is asked for, and the seconds for which its effect is looked for before the next try.
TRIES, LOOK = 3, 3.0


class VirtualMediaResource(Resource):
    """``bmc_virtual_media``."""

    NAME = "virtual_media"
    DOING = "change the virtual media"
    CAPABILITY = VirtualMedia
    SPEC = {
        "state": dict(type="str", choices=["inserted", "ejected"], default="inserted"),
        "image_url": dict(type="str"),
        "media_type": dict(type="str", choices=[media.value for media in MediaType]),
        "slot": dict(type="str"),
        "write_protected": dict(type="bool", default=True),
        "image_username": dict(type="str"),
        "image_password": dict(type="str", no_log=True),
        "wait_timeout": dict(type="int", default=60),
    }
    CONSTRAINTS = {"required_if": [["state", "inserted", ["image_url"]]],
                   "required_by": {"image_password": ["image_username"]}}

    @property
    def doing(self) -> str:
        """Return the change asked for in words."""
        return "eject the virtual media" if self.params.get("state") == "ejected" else "insert the image"

    def validate(self) -> None:
        """Refuse an image that is no URL, and an account inside of it: BMCs show the URL to everybody."""
        url = self.params.get("image_url")
        if url is None:
            return
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = None
        if parts is None or not parts.scheme or not parts.netloc:
            raise InvalidInput("image_url is not a URL", remedy="Give one that the BMC can reach, such as "
                               "https://192.0.2.1/images/installer.iso.")
        if parts.username or parts.password:
            raise InvalidInput("image_url holds an account, which the BMC would show to everybody",
                               remedy="Give it as image_username and image_password.")

    def _media(self) -> Optional[MediaType]:
        """Return the kind of drive asked for, or the one that the image's name calls for."""
        if self.params.get("media_type"):
            return MediaType(self.params["media_type"])
        return media_of(self.params["image_url"]) if self.params["state"] == "inserted" else None

    def read(self) -> list[Json]:
        """Return the slots."""
        self._slots = self.bmc.read()
        return self._slots

    def extra(self) -> Json:
        """Name the slot that holds the image; tell that slots which could not be read may hold one."""
        url = self.params.get("image_url")
        if self.params["state"] == "ejected":
            return {} if self._all_seen() else {"verified": False}
        return {"slot": next((slot["slot"] for slot in self._slots if holds(slot, url)), None)}

    def _all_seen(self) -> bool:
        """Tell whether all slots that matter could be read."""
        return bool(self.params.get("slot")) or not self.bmc.unread

    def plan(self, current: list[Json]) -> Change:
        """Return the slots to fill, best first, or those to empty."""
        asked = {key: self.params[key] for key in ("state", "image_url", "media_type", "slot")
                 if self.params.get(key) is not None}
        plan = self._plan_insert if self.params["state"] == "inserted" else self._plan_eject
        steps, after = plan(current)
        return Change(before=current, after=after, steps=tuple(steps), requested=asked)

    def _plan_insert(self, current: list[Json]) -> tuple[list[Json], list[Json]]:
        media, url, protected = self._media(), self.params["image_url"], self.params["write_protected"]
        slots = candidates(current, media, self.params.get("slot"))
        if not slots:
            raise self._no_slot(current, f"takes {media.value} images")
        if any(holds(slot, url) and not protection_differs(slot, media, protected) for slot in slots):
            return [], current
        best = slots[0]
        return slots, [filled(slot, url, write_protected=protected) if slot is best else slot for slot in current]

    def _plan_eject(self, current: list[Json]) -> tuple[list[Json], list[Json]]:
        slot = self.params.get("slot")
        if slot and not candidates(current, MediaType.CD, slot):
            raise self._no_slot(current, "is there")
        steps = to_eject(current, slot=slot, image_url=self.params.get("image_url"), media=self._media())
        return steps, [emptied(entry) if entry in steps else entry for entry in current]

    def _no_slot(self, current: list[Json], what: str) -> InvalidInput:
        named = f"slot '{self.params['slot']}'" if self.params.get("slot") else "slot"
        there = "; ".join(f"{slot['slot']} ({', '.join(slot['media_types']) or 'kinds not told'})" for slot in current)
        return InvalidInput(f"no {named} {what}", remedy=f"Slots are {there}.")

    def apply(self, change: Change) -> Effect:
        """Empty or fill the slots, each step read back before the next."""
        deadline = Deadline(self.params["wait_timeout"])
        if self.params["state"] == "ejected":
            for slot in change.steps:
                self._empty(slot, deadline)
            return Effect(observed=self.read(), verified=self._all_seen())
        return self._fill_one_of(change.steps, deadline)

    def _fill_one_of(self, slots: tuple[Json, ...], deadline: Deadline) -> Effect:
        """Fill the first slot that takes the image: some are for a remote console only, which shows when tried."""
        refusals: list[Rejected] = []
        for slot in slots:
            try:
                self._fill(slot, deadline)
            except Rejected as error:
                if error.details.get("observed") is not None:
                    raise
                self.tell(f"slot {slot['slot']} does not take the image: {error.cause}")
                refusals.append(error)
                continue
            return Effect(observed=self._slots, verified=True, extra={"slot": slot["slot"]})
        causes = "; ".join(f"{slot['slot']}: {error.cause}" for slot, error in zip(slots, refusals))
        raise Rejected(f"no slot takes the image ({causes})", slots=[slot["slot"] for slot in slots],
                       remedy="Check that the BMC can reach image_url and knows its scheme.") from refusals[0]

    def _fill(self, slot: Json, deadline: Deadline) -> None:
        """Empty the slot where it is not, insert the image and see it there."""
        if slot["inserted"]:
            self._empty(slot, deadline)
        url = self.params["image_url"]
        self.tell(f"inserting {url} into slot {slot['slot']}")
        if self._insert(slot):
            reached, seen = self._look(slot, lambda seen: may_hold(seen, url), deadline)
            if not reached:
                raise self._not_seen(slot, seen)

    def _insert(self, slot: Json) -> bool:
        """Ask for the image, again where the BMC failed on its own side; tell whether it is still to be looked for."""
        params, url = self.params, self.params["image_url"]
        for attempt in range(1, TRIES + 1):
            try:
                self.bmc.insert(slot["path"], url, media_type=self._media().value,
                                write_protected=params["write_protected"], username=params.get("image_username"),
                                password=params.get("image_password"))
                return True
            except AnswerLost as lost:
                self.tell(f"{lost.cause}; looking at the slot instead of asking again")
                return True
            except Rejected as error:
                reached, _seen = self._look(slot, lambda seen: may_hold(seen, url), Deadline(0))
                if reached:
                    return False
                if (error.details.get("status") or 0) < 500 or attempt == TRIES:
                    raise
                Deadline(0.5 * attempt).sleep(0.5 * attempt)
        return True

    def _empty(self, slot: Json, deadline: Deadline) -> None:
        """Eject until the slot is seen empty: some say that they did when they did not."""
        self.tell(f"ejecting what slot {slot['slot']} holds")
        seen, error = slot, None
        for _attempt in range(TRIES):
            error = None
            try:
                self.bmc.eject(slot["path"])
            except AnswerLost as lost:
                self.tell(f"{lost.cause}; looking at the slot before asking again")
            except Rejected as refused:
                error = refused
            seconds = 0 if error is not None else min(LOOK, deadline.remaining)
            reached, seen = self._look(slot, lambda seen: not seen["inserted"], Deadline(seconds))
            if reached:
                return
            if deadline.passed:
                break
        raise error or self._not_seen(slot, seen)

    def _not_seen(self, slot: Json, seen: Json) -> Rejected:
        state = f"holds {seen.get('image_url') or seen.get('image_name') or 'an image'}" if seen["inserted"] else "is empty"
        return Rejected(f"the BMC took the request, but slot {slot['slot']} still {state}", observed=seen,
                        remedy="Look at the BMC's log: it may not reach the image.")

    def _look(self, slot: Json, accept: Callable[[Json], bool], deadline: Deadline) -> tuple[bool, Json]:
        """Read the slots until this one is accepted, or the deadline passes; return whether, and the slot."""
        def read() -> Json:
            return next((seen for seen in self.read() if seen["path"] == slot["path"]), slot)
        return wait_until(read, accept, deadline=deadline)
