# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power states and the actions that lead from one to the other, without a protocol's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class PowerState(str, Enum):
    """What a BMC says of the power of a system."""

    ON = "on"
    OFF = "off"
    POWERING_ON = "powering_on"
    POWERING_OFF = "powering_off"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class PowerAction(str, Enum):
    """What a BMC can be asked to do to the power of a system."""

    ON = "on"
    OFF_SOFT = "off_soft"
    OFF_HARD = "off_hard"
    RESTART_SOFT = "restart_soft"
    RESTART_HARD = "restart_hard"
    CYCLE = "cycle"


class DesiredPower(str, Enum):
    """The states that a user may declare."""

    POWERED_ON = "powered_on"
    POWERED_OFF = "powered_off"
    RESTARTED = "restarted"
    POWER_CYCLED = "power_cycled"


@dataclass(frozen=True)
class PowerStep:
    """One action and the state that proves it; ``fallbacks`` are tried where the BMC lacks ``action``."""

    action: PowerAction
    proof: PowerState
    fallbacks: tuple[PowerAction, ...] = ()
    soft: bool = False


_ON = PowerStep(PowerAction.ON, PowerState.ON)
_OFF_SOFT = PowerStep(PowerAction.OFF_SOFT, PowerState.OFF, soft=True)
_OFF_HARD = PowerStep(PowerAction.OFF_HARD, PowerState.OFF)


def plan_power(current: PowerState, desired: DesiredPower, *, force: bool = False) -> tuple[PowerStep, ...]:
    """Return the steps from ``current`` to ``desired``; an empty tuple where nothing is to be done.

    A restart and a power cycle are never idempotent: they are asked for by whoever wants the machine to
    start anew. A soft action is never replaced by a hard one here: that is the caller's decision.
    """
    off = _OFF_HARD if force else _OFF_SOFT
    is_off = current is PowerState.OFF
    if desired is DesiredPower.POWERED_ON:
        return () if current in (PowerState.ON, PowerState.POWERING_ON) else (_ON,)
    if desired is DesiredPower.POWERED_OFF:
        return () if is_off else (off,)
    if is_off:
        return (_ON,)
    if desired is DesiredPower.POWER_CYCLED:
        return (off, _ON)
    if force:
        return (PowerStep(PowerAction.RESTART_HARD, PowerState.ON, fallbacks=(PowerAction.CYCLE,)),)
    return (PowerStep(PowerAction.RESTART_SOFT, PowerState.ON, soft=True),)


def final_state(current: PowerState, steps: tuple[PowerStep, ...]) -> PowerState:
    """Return the state after ``steps``: what a dry run shows as the state to come."""
    return steps[-1].proof if steps else current
