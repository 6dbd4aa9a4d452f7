# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UEFI Secure Boot and its keys, declared, pending until a reset, and read back after it."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .._bmc.errors import AnswerLost, AuthenticationFailed, BmcError, Rejected, Timeout, Unsupported
from .._bmc.interface import SecureBoot
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.secure_boot import RESETS, Keys, asked_for, expected, in_effect, keys_are, reboot_required
from .base import Resource
from .restart import RESTART_SPEC, Restart

Json = dict[str, Any]
# Seconds in which a BMC shows what it was asked for.
RECORDED = 15.0
KEYS, ENABLE, RESTART = "keys", "enable", "restart"


class SecureBootResource(Resource):
    """``bmc_secure_boot``."""

    NAME = "secure_boot"
    DOING = "set Secure Boot"
    CAPABILITY = SecureBoot
    SPEC = {
        "enabled": dict(type="bool"),
        "keys": dict(type="str", choices=[keys.value for keys in Keys]),
        **RESTART_SPEC,
    }
    CONSTRAINTS = {"required_one_of": [["enabled", "keys"]]}

    @property
    def _enabled(self) -> Optional[bool]:
        return self.params.get("enabled")

    @property
    def _keys(self) -> Optional[Keys]:
        return Keys(self.params["keys"]) if self.params.get("keys") else None

    def read(self) -> Json:
        """Return ``{enabled, current, mode, reboot_required}``."""
        state = self.bmc.read()
        self._seen = dict(state, reboot_required=reboot_required(state))
        return self._seen

    def plan(self, current: Json) -> Change:
        """Return the steps: keys first, without which it cannot be enabled."""
        steps = [step for step, needed in ((KEYS, not keys_are(current, self._keys)),
                                           (ENABLE, not asked_for(current, self._enabled))) if needed]
        waiting = in_effect(current, self._enabled) is False
        if self.params["reboot"] and (steps or waiting):
            steps.append(RESTART)
            self._restart = Restart(self)
            self._restart.check()
        after = expected(current, enabled=self._enabled, keys=self._keys, restarted=RESTART in steps)
        requested = {key: self.params[key] for key in ("enabled", "keys", "reboot") if self.params.get(key) is not None}
        return Change(before=current, after=after if steps else current, steps=tuple(steps), requested=requested)

    def apply(self, change: Change) -> Effect:
        """Write, see it kept; restart, see it in effect."""
        if KEYS in change.steps:
            self.tell(f"asking for the keys to be {self.params['keys']}")
            self._send(lambda: self.bmc.reset_keys(RESETS[self._keys]))
        if ENABLE in change.steps:
            self.tell(f"turning Secure Boot {'on' if self._enabled else 'off'} from the next reset on")
            self._send(lambda: self.bmc.write(self._enabled))
        kept, seen = wait_until(self.read, lambda seen: asked_for(seen, self._enabled) and bool(keys_are(seen, self._keys)),
                                deadline=Deadline(min(RECORDED, self.params["wait_timeout"])))
        if ENABLE in change.steps and seen["enabled"] is not None and not asked_for(seen, self._enabled):
            raise Rejected("the BMC took the setting, and still shows another", observed=seen,
                           remedy="Keys may be missing (keys: default), or the BMC's log may tell why.")
        if RESTART in change.steps:
            self._restart.run()
            return self._in_effect()
        warnings = () if kept else ("The BMC does not show yet what it was asked for; a reset may be needed.",)
        return Effect(observed=seen, verified=kept, warnings=warnings)

    def _send(self, write: Callable[[], None]) -> None:
        try:
            write()
        except AnswerLost as error:
            self.tell(f"{error.cause}; reading Secure Boot back instead of asking again")

    def _in_effect(self) -> Effect:
        """Wait until the restart shows its effect, through the BMC's silence during the self-test."""
        def look() -> Optional[Json]:
            try:
                return self.read()
            except (AuthenticationFailed, Unsupported):
                raise
            except BmcError as error:
                self.tell(f"the BMC does not tell of Secure Boot just now ({error.cause})")
                return None

        def done(seen: Optional[Json]) -> bool:
            return seen is not None and False not in (in_effect(seen, self._enabled), keys_are(seen, self._keys))

        seconds = self.params["wait_timeout"]
        reached, seen = wait_until(look, done, deadline=Deadline(seconds), tell=lambda seen: self.tell(
            "waiting for the restart to bring Secure Boot into effect"))
        if not reached:
            raise Timeout(f"the restart did not bring the setting into effect within {seconds} s", last_seen=self._seen,
                          remedy="Look at the system's console; without force, an operating system may have kept the "
                          "system from restarting.")
        told = None not in (in_effect(seen, self._enabled), keys_are(seen, self._keys))
        return Effect(observed=seen, verified=told, warnings=() if told else (
            "The system was restarted, and the BMC does not tell whether Secure Boot is in effect.",))
