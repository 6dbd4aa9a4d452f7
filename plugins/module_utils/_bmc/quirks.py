# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which behaviours hold on a BMC: rules matched against manufacturer, model, firmware and protocol."""

from __future__ import annotations

import re
from typing import Any, Callable, Optional

from .errors import InvalidInput
from .quirk_rules import BEHAVIOURS, RULES

Json = dict[str, Any]
_RULE_KEYS = {"id", "match", "behaviour", "parameters", "why", "source"}
_MATCH_KEYS = {"manufacturer", "model", "firmware", "protocol"}
_COMPARE: dict[str, Callable[[tuple, tuple], bool]] = {
    "<=": lambda have, want: have <= want, ">=": lambda have, want: have >= want,
    "<": lambda have, want: have < want, ">": lambda have, want: have > want,
    "==": lambda have, want: have == want}


def version_key(text: str) -> tuple[int, ...]:
    """Return the numbers of a firmware version, in order: ``iLO 5 v3.11`` is ``(5, 3, 11)``."""
    return tuple(int(number) for number in re.findall(r"\d{1,18}", text))


def _firmware_matches(condition: str, firmware: str) -> bool:
    """Tell whether ``firmware`` meets a comma-separated condition such as ``>=6.00, <7.20``."""
    for part in condition.split(","):
        found = re.fullmatch(r"\s*(<=|>=|<|>|==)\s*([\w.]+)\s*", part)
        if not found:
            raise InvalidInput(f"a quirk's firmware condition '{condition}' cannot be read",
                               remedy="Write it as '>=6.00, <7.20'.")
        if not _COMPARE[found[1]](version_key(firmware), version_key(found[2])):
            return False
    return True


def _matches(match: Json, identity: Json) -> bool:
    """Tell whether all of ``match`` holds. An unknown fact matches nothing."""
    for key, wanted in match.items():
        have = identity.get(key)
        if not have:
            return False
        if key == "firmware":
            if not _firmware_matches(str(wanted), str(have)):
                return False
        elif not re.search(str(wanted), str(have), re.IGNORECASE):
            return False
    return True


def check_rule(rule: Json) -> Json:
    """Return the rule; :class:`InvalidInput` naming what is wrong in it."""
    def wrong(what: str, remedy: str) -> InvalidInput:
        return InvalidInput(f"the rule {rule.get('id', rule)!r} in bmc_quirks {what}", remedy=remedy)

    unknown = set(rule) - _RULE_KEYS
    if unknown:
        raise wrong(f"has the unknown key {sorted(unknown)[0]!r}", f"Keys are {', '.join(sorted(_RULE_KEYS))}.")
    if rule.get("behaviour") not in BEHAVIOURS:
        raise wrong(f"names the unknown behaviour {rule.get('behaviour')!r}",
                    f"Behaviours are {', '.join(sorted(BEHAVIOURS))}.")
    match = rule.get("match") or {}
    if not isinstance(match, dict) or set(match) - _MATCH_KEYS:
        raise wrong("has a match that cannot be read", f"A match has {', '.join(sorted(_MATCH_KEYS))}.")
    for key, pattern in match.items():
        try:
            if key == "firmware":
                _firmware_matches(str(pattern), "0")
            else:
                re.compile(str(pattern))
        except re.error as error:
            raise wrong(f"has a pattern that is no regular expression ({error})", "Mend the pattern.") from error
    if not isinstance(rule.get("parameters") or {}, dict):
        raise wrong("has parameters that are no mapping", "Give parameters as names and values.")
    return rule


class Quirks:
    """The behaviours that hold on one BMC. ``identify`` is called once, when the first is asked for."""

    def __init__(self, identify: Callable[[], Json], *, protocol: str, extra: tuple[Json, ...] = ()) -> None:
        self._identify = identify
        self._protocol = protocol
        self._rules = [check_rule(rule) for rule in extra] + list(RULES)
        self._active: Optional[list[Json]] = None

    def active(self) -> list[Json]:
        """Return the rules that match this BMC, the user's own first."""
        if self._active is None:
            identity = dict(self._identify(), protocol=self._protocol)
            self._active = [rule for rule in self._rules if _matches(rule.get("match") or {}, identity)]
        return self._active

    def behaviour(self, name: str) -> Optional[Json]:
        """Return the parameters of the first matching rule of that behaviour, ``None`` where none matches.

        A rule with ``enabled: false`` among its parameters switches the behaviour off.
        """
        if name not in BEHAVIOURS:
            raise KeyError(name)
        for rule in self.active():
            if rule["behaviour"] == name:
                parameters = rule.get("parameters") or {}
                return None if parameters.get("enabled") is False else parameters
        return None
