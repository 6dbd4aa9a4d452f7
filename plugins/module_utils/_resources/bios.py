# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIOS attributes, declared, pending until a reset, and read back after it."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .._bmc.errors import AnswerLost, AuthenticationFailed, BmcError, InvalidInput, Rejected, Timeout, Unsupported
from .._bmc.interface import Bios
from .._domain.bios import Wrong, check, converted, defaults_of, kind_of, not_yet, to_write, unknown
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .base import Resource
from .restart import RESTART_SPEC, Restart

Json = dict[str, Any]
# Seconds in which a BMC shows what it was asked for as pending.
RECORDED = 30.0
DEFAULTS, WRITE, RESTART = "defaults", "write", "restart"


class BiosResource(Resource):
    """``bmc_bios``."""

    NAME = "bios"
    DOING = "set the BIOS attributes"
    CAPABILITY = Bios
    SPEC = {
        "attributes": dict(type="dict", default={}),
        "reset_to_defaults": dict(type="bool", default=False),
        **RESTART_SPEC,
    }

    def validate(self) -> None:
        """Refuse a task that asks for nothing."""
        if not self.params["attributes"] and not self.params["reset_to_defaults"]:
            raise InvalidInput("nothing is asked for", remedy="Give attributes, or set reset_to_defaults: true.")

    def read(self) -> Json:
        """Return what is current and pending of the attributes that the task is about."""
        self._seen = self.bmc.read()
        self._wanted = self._all_wanted()
        return self._shown(self._seen)

    def _all_wanted(self) -> Json:
        """Return the values asked for in the registry's types: the defaults, and over them the attributes named."""
        registry, current = self._seen["registry"], self._seen["attributes"]
        self._defaults = defaults_of(registry, current) if self.params["reset_to_defaults"] else {}
        named = {}
        for name, value in self.params["attributes"].items():
            entry = registry.get(name, {})
            named[name] = converted(value, kind_of(entry, current.get(name)), entry.get("values"))
        self._named = named
        return {**self._defaults, **named}

    def _shown(self, seen: Json) -> Json:
        names = self._wanted
        pending = {name: value for name, value in seen["pending"].items() if name in names}
        return {"attributes": {name: value for name, value in seen["attributes"].items() if name in names},
                "pending": pending, "reboot_required": self._is_pending(seen)}

    def _is_pending(self, seen: Json) -> bool:
        """Tell whether something that the task is about waits for a reset."""
        ours = any(name in seen["pending"] for name in self._wanted)
        return ours or bool(seen["jobs"]) or (self.params["reset_to_defaults"] and seen["defaults_pending"])

    # The plan

    def plan(self, current: Json) -> Change:
        """Return what to write, after every value was found valid, and whether to restart."""
        self._check()
        seen, params = self._seen, self.params
        missing = self._missing(seen)
        steps = [step for step, needed in ((DEFAULTS, self._wants_defaults(missing)), (WRITE, self._to_write(missing)),
                                           (RESTART, params["reboot"] and (missing or self._is_pending(seen)
                                                                           or not_yet(self._wanted, seen["attributes"])))
                                           ) if needed]
        if RESTART in steps:
            self._restart = Restart(self)
            self._restart.check()
        requested = {"attributes": self._named, "reset_to_defaults": params["reset_to_defaults"],
                     "reboot": params["reboot"]}
        return Change(before=current, after=self._expected(current, steps), steps=tuple(steps), requested=requested)

    def _check(self) -> None:
        """Raise one error for all that is wrong with the attributes asked for."""
        registry, current = self._seen["registry"], self._seen["attributes"]
        wrong: dict[str, Wrong] = {}
        for name, value in self._named.items():
            if name not in current and name not in registry:
                wrong[name] = unknown(name, sorted(set(current) | set(registry)))
            else:
                found = check(value, entry=registry.get(name, {}), present=current.get(name))
                wrong.update({name: found} if found else {})
        if wrong:
            raise InvalidInput("; ".join(f"attribute {name} {found.cause}" for name, found in wrong.items()),
                               remedy=" ".join(f"{name}: {found.remedy}" for name, found in wrong.items())
                               if len(wrong) > 1 else next(iter(wrong.values())).remedy, attributes=sorted(wrong))

    def _missing(self, seen: Json) -> Json:
        """Return the values asked for that are neither current nor on their way."""
        missing = to_write(self._wanted, current=seen["attributes"], pending=seen["pending"])
        if seen["defaults_pending"]:
            missing = {name: value for name, value in missing.items() if name in self._named}
        return missing

    def _wants_defaults(self, missing: Json) -> bool:
        """Tell whether the BMC is to be asked for the defaults. Where they are not known it is, every time."""
        if not self.params["reset_to_defaults"] or self._seen["defaults_pending"]:
            return False
        return not self._knows_defaults() or any(name not in self._named for name in missing)

    def _knows_defaults(self) -> bool:
        return bool(self._defaults)

    def _to_write(self, missing: Json) -> Json:
        """Return the named attributes to write: all of them after defaults, which would undo what is pending."""
        if self._wants_defaults(missing):
            return dict(self._named)
        return {name: value for name, value in missing.items() if name in self._named}

    def _expected(self, current: Json, steps: list[str]) -> Json:
        if not steps:
            return current
        wanted = dict(self._wanted)
        if RESTART in steps:
            return {"attributes": {**current["attributes"], **wanted}, "pending": {}, "reboot_required": False}
        pending = not_yet(wanted, self._seen["attributes"])
        return {"attributes": current["attributes"], "pending": pending, "reboot_required": True}

    # Applying it

    def apply(self, change: Change) -> Effect:
        """Write, see it recorded; restart, see it in effect."""
        warnings: tuple[str, ...] = ()
        values = self._to_write(self._missing(self._seen))
        if DEFAULTS in change.steps:
            self.tell("asking for the factory's defaults")
            self._send(self.bmc.reset_to_defaults)
        if WRITE in change.steps:
            self.tell(f"writing {len(values)} BIOS attributes")
            self._send(lambda: self.bmc.write(values))
        verified: Optional[bool] = True
        if DEFAULTS in change.steps or WRITE in change.steps:
            verified, warnings = self._recorded()
        if RESTART in change.steps:
            self._restart.run()
            verified, warnings = self._in_effect()
        if DEFAULTS in change.steps and not self._knows_defaults():
            verified, warnings = False, (*warnings, "The BMC does not tell its defaults: they were asked for, and cannot "
                                         "be verified.")
        return Effect(observed=self._shown(self._seen), verified=verified, warnings=warnings)

    def _send(self, write: Callable[[], None]) -> None:
        try:
            write()
        except AnswerLost as error:
            self.tell(f"{error.cause}; reading the settings back instead of asking again")

    def _look(self) -> Json:
        self._seen = self.bmc.read()
        return self._seen

    def _recorded(self) -> tuple[Optional[bool], tuple[str, ...]]:
        """Wait until the values are pending or current; tell whether they are, and warn where the BMC cannot show it."""
        if not self._seen["shows_pending"]:
            self._look()
            if self._missing(self._seen):
                return False, ("The BMC does not show what waits for a reset: the attributes can be verified after one.",)
            return True, ()
        reached, seen = wait_until(self._look, lambda seen: bool(seen["jobs"]) or not self._missing(seen),
                                   deadline=Deadline(min(RECORDED, self.params["wait_timeout"])))
        if not reached:
            missing = self._missing(seen)
            if any(name in self._named for name in missing):
                raise Rejected(f"the BMC took the settings, but {_listed(missing)} is neither pending nor current",
                               observed=self._shown(seen), remedy="Look at the BMC's log: another change may be pending.")
            return False, ("The BMC took the request for its defaults and does not show them as pending.",)
        return True, ()

    def _in_effect(self) -> tuple[bool, tuple[str, ...]]:
        """Wait until the values are current, through the BMC's silence during the self-test."""
        seconds = self.params["wait_timeout"]
        reached, _seen = wait_until(self._look_patiently, self._applied, deadline=Deadline(seconds), tell=lambda seen:
                                    self.tell("waiting for the restart to apply the BIOS settings"))
        late = not_yet(self._wanted, self._seen["attributes"])
        if reached:
            return not late, (f"After the reset to defaults the BMC shows other values than its registry for "
                              f"{', '.join(sorted(late))}.",) if late else ()
        raise Timeout(f"the restart did not apply {_listed(late) if late else 'what is pending'} within {seconds} s",
                      last_seen=self._shown(self._seen), remedy="Look at the system's console and the BMC's log; "
                      "without force, an operating system may have kept the system from restarting.")

    def _look_patiently(self) -> Optional[Json]:
        """Read the settings; ``None`` where the BMC does not tell them just now."""
        try:
            return self._look()
        except (AuthenticationFailed, Unsupported):
            raise
        except BmcError as error:
            self.tell(f"the BMC does not tell its BIOS settings just now ({error.cause})")
            return None

    def _applied(self, seen: Optional[Json]) -> bool:
        return seen is not None and not not_yet(self._named, seen["attributes"]) and not self._is_pending(seen)


def _listed(values: Json) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in list(values.items())[:6])
    return f"{shown} and {len(values) - 6} more" if len(values) > 6 else shown
