# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a power change."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.power import (
    DesiredPower, PowerAction, PowerState, final_state, plan_power,
)


@pytest.mark.parametrize("current, desired, force, actions", [
    ("on", "powered_on", False, []),
    ("powering_on", "powered_on", False, []),
    ("off", "powered_on", False, ["on"]),
    ("unknown", "powered_on", False, ["on"]),
    ("off", "powered_off", True, []),
    ("on", "powered_off", False, ["off_soft"]),
    ("on", "powered_off", True, ["off_hard"]),
    ("off", "restarted", False, ["on"]),
    ("on", "restarted", False, ["restart_soft"]),
    ("on", "restarted", True, ["restart_hard"]),
    ("off", "power_cycled", True, ["on"]),
    ("on", "power_cycled", False, ["off_soft", "on"]),
    ("on", "power_cycled", True, ["off_hard", "on"]),
])
def test_plan(current, desired, force, actions):
    """Steps lead to the state, and a soft step never is a hard one."""
    steps = plan_power(PowerState(current), DesiredPower(desired), force=force)
    assert [step.action.value for step in steps] == actions
    if not force:
        assert not {PowerAction.OFF_HARD, PowerAction.RESTART_HARD, PowerAction.CYCLE} & {
            action for step in steps for action in (step.action, *step.fallbacks)}
    wanted = PowerState.OFF if desired == "powered_off" else PowerState.ON
    assert final_state(PowerState(current), steps) in (wanted, PowerState(current))
