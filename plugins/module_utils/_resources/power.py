# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of a system, declared as a state and verified."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import AnswerLost, BmcError, Timeout, Unsupported
from .._bmc.interface import Power
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .._domain.power import DesiredPower, PowerAction, PowerState, PowerStep, final_state, plan_power
from .base import Resource

RESTARTS = (PowerAction.RESTART_SOFT, PowerAction.RESTART_HARD, PowerAction.CYCLE)
# Seconds after which a restart that left no trace is taken as not to be seen on this BMC.
NO_TRACE = 20


class PowerResource(Resource):
    """``bmc_power``."""

    NAME = "power"
    DOING = "change the power"
    CAPABILITY = Power
    SPEC = {
        "state": dict(type="str", required=True, choices=[state.value for state in DesiredPower]),
        "force": dict(type="bool", default=False),
        "graceful_timeout": dict(type="int", default=300),
        "on_timeout": dict(type="str", choices=["fail", "force"], default="fail"),
        "wait": dict(type="bool", default=True),
        "wait_timeout": dict(type="int", default=120),
    }

    @property
    def doing(self) -> str:
        """Return the change asked for in words."""
        return {"powered_on": "power on the system", "powered_off": "power off the system",
                "restarted": "restart the system", "power_cycled": "power-cycle the system"}.get(
                    self.params.get("state"), self.DOING)

    def read(self) -> dict[str, Any]:
        """Return ``{state}``."""
        return {"state": self.bmc.state().value}

    def plan(self, current: dict[str, Any]) -> Change:
        """Return the steps to the declared state."""
        state = PowerState(current["state"])
        steps = plan_power(state, DesiredPower(self.params["state"]), force=self.params["force"])
        for step in steps:
            self._action_for(step)
        return Change(before=current, after={"state": final_state(state, steps).value}, steps=steps,
                      requested={"state": self.params["state"], "force": self.params["force"]})

    def _action_for(self, step: PowerStep) -> PowerAction:
        """Return the action to send; :class:`Unsupported` with what would work."""
        supported = self.bmc.supported_actions()
        for action in (step.action, *step.fallbacks):
            if action in supported:
                return action
        offers = ", ".join(sorted(action.value for action in supported)) or "nothing"
        hint = " Set force: true to do it without the operating system." if step.soft else ""
        if step.action is PowerAction.RESTART_SOFT and PowerAction.OFF_SOFT in supported:
            hint += " Or set state: power_cycled, which shuts the system down and powers it on again."
        raise Unsupported(f"the BMC does not offer {step.action.value}", capability="power",
                          remedy=f"It offers {offers}.{hint}")

    def apply(self, change: Change) -> Effect:
        """Take the steps one by one, each proven before the next."""
        warnings: list[str] = []
        verified: Optional[bool] = True
        for index, step in enumerate(change.steps):
            last = index == len(change.steps) - 1
            if last and not self.params["wait"]:
                self._send(self._action_for(step))
                verified = None
            else:
                verified = self._take(step, warnings)
        return Effect(observed=self.read(), verified=verified, warnings=tuple(warnings))

    def _send(self, action: PowerAction) -> None:
        """Send an action; where its answer was lost the effect is looked at instead of sending it again."""
        self.tell(f"asking the BMC for {action.value}")
        try:
            self.bmc.request(action)
        except AnswerLost as error:
            self.tell(f"{error.cause}; looking at the power instead of asking again")

    def _take(self, step: PowerStep, warnings: list[str]) -> bool:
        """Take one step and wait for its proof; tell whether it was proven."""
        action = self._action_for(step)
        if action in RESTARTS:
            return self._restart(step, action, warnings)
        self._send(action)
        seconds = self.params["graceful_timeout" if step.soft else "wait_timeout"]
        reached, seen = self._wait(step, seconds)
        if not reached and step.soft and self.params["on_timeout"] == "force":
            warnings.append(f"The system did not power off within {seconds} s; it was forced off (on_timeout: force).")
            self._send(self._action_for(PowerStep(PowerAction.OFF_HARD, PowerState.OFF)))
            reached, seen = self._wait(step, self.params["wait_timeout"])
        if not reached:
            raise self._timeout(step, seconds, seen)
        return True

    def _wait(self, step: PowerStep, seconds: float) -> tuple[bool, PowerState]:
        return wait_until(self._state, lambda seen: seen is step.proof, deadline=Deadline(seconds),
                          tell=lambda seen: self.tell(f"the power is {seen.value}, waiting for {step.proof.value}"))

    def _state(self) -> PowerState:
        """Read the power; a BMC that does not answer just now has an unknown state."""
        try:
            return self.bmc.state()
        except BmcError as error:
            if error.kind in ("authentication_failed", "unsupported"):
                raise
            return PowerState.UNKNOWN

    def _timeout(self, step: PowerStep, seconds: int, seen: PowerState) -> Timeout:
        """Return the error for a state that did not come."""
        if step.soft:
            remedy = ("Nothing was forced. Raise graceful_timeout, or let on_timeout: force cut the power "
                      "when it has passed.")
        else:
            remedy = "Raise wait_timeout, or look at the system's console."
        return Timeout(f"the power is still {seen.value} after {seconds} s", remedy=remedy, last_seen=seen.value)

    def _restart(self, step: PowerStep, action: PowerAction, warnings: list[str]) -> bool:
        """Restart and look for a trace of it: another time of reset, or a moment without power."""
        self._state()
        marker = self.bmc.reset_marker()
        self._send(action)
        seconds = self.params["graceful_timeout" if step.soft else "wait_timeout"]
        if marker is None:
            seconds = min(seconds, NO_TRACE)
        traces: list[str] = []

        def seen() -> PowerState:
            state = self._state()
            if state not in (PowerState.ON, PowerState.UNKNOWN):
                traces.append(state.value)
            elif self.bmc.reset_marker() != marker:
                traces.append("marker")
            return state

        reached, state = wait_until(seen, lambda state: bool(traces) and state is PowerState.ON,
                                    deadline=Deadline(seconds))
        if reached:
            return True
        if marker is None and state is PowerState.ON:
            warnings.append("The BMC took the restart but shows no trace of it (no time of the last reset).")
            return False
        raise self._timeout(step, seconds, state)
