# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_power against a BMC that changes state for real."""

from __future__ import annotations

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource


def power(bmc, state, **params):
    """Run bmc_power."""
    return run(PowerResource, bmc, state=state, **params)


def test_powers_on_and_is_idempotent(test_bmc):
    """The system is on afterwards; a second run sends nothing."""
    bmc = test_bmc(power_lag=0.2)
    result = power(bmc, "powered_on")
    assert result["changed"] and result["verified"] and result["power"] == {"state": "on"}
    assert bmc.power.state(bmc.system) == "On" and len(bmc.power.boots) == 1
    assert result["diff"] == {"before": {"state": "off"}, "after": {"state": "on"}}
    assert [entry["body"] for entry in result["sent"]] == [{"ResetType": "On"}]
    bmc.counters.reset()
    again = power(bmc, "powered_on")
    assert not again["changed"] and again["verified"] and not bmc.counters.effective_writes()


@pytest.mark.parametrize("state", ["powered_on", "restarted", "power_cycled"])
def test_check_mode_sends_only_reads(test_bmc, state):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    result = power(bmc, state, check_mode=True)
    assert result["changed"] and result["diff"]["after"] == {"state": "on"} and result["sent"] == []
    assert not bmc.counters.effective_writes() and bmc.power.state(bmc.system) == "Off"


def test_one_login_one_connection_no_session_left(test_bmc):
    """Whatever a task does, it logs in once and leaves nothing."""
    bmc = test_bmc()
    power(bmc, "powered_on")
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.sessions.open()


def test_a_soft_power_off_that_never_ends_fails_at_its_deadline(test_bmc):
    """Nothing is forced unasked, and the error tells the state that was seen."""
    bmc = test_bmc(graceful="never")
    power(bmc, "powered_on")
    result = power(bmc, "powered_off", graceful_timeout=1)
    assert result["failed"] and result["error"] == {"kind": "timeout", "last_seen": "on"}
    assert "Nothing was forced" in result["msg"] and bmc.power.state(bmc.system) == "On"
    assert [value for _system, value in bmc.power.resets] == ["On", "GracefulShutdown"]
    forced = power(bmc, "powered_off", graceful_timeout=1, on_timeout="force")
    assert forced["verified"] and bmc.power.state(bmc.system) == "Off" and "forced off" in forced["warnings"][0]


def test_power_cycle_takes_the_power_away_and_gives_it_back(test_bmc):
    """Each step is proven before the next."""
    bmc = test_bmc()
    power(bmc, "powered_on")
    result = power(bmc, "power_cycled", force=True)
    assert result["verified"] and len(bmc.power.boots) == 2
    assert [entry["body"]["ResetType"] for entry in result["sent"]] == ["ForceOff", "On"]


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the write took effect: the effect is read."""
    bmc = test_bmc()
    bmc.faults.add("reset_after", method="POST", path="ComputerSystem.Reset$", times=1)
    result = power(bmc, "powered_on")
    assert not result.get("failed") and result["verified"]
    assert len(bmc.power.resets) == 1 and not bmc.sessions.open()


def test_wrong_password(test_bmc):
    """The error says what helps, and holds no secret."""
    bmc = test_bmc()
    result = power(bmc, "powered_on", bmc_password="not-the-password")
    assert result["failed"] and result["error"]["kind"] == "authentication_failed"
    assert "bmc_password" in result["msg"] and "not-the-password" not in str(result)


def test_nobody_there():
    """A port that nobody listens on is told as that."""
    result = run(PowerResource, None, state="powered_on", bmc_address="127.0.0.1:9", bmc_protocol="redfish")
    assert result["failed"] and result["error"]["kind"] == "unreachable" and "connection refused" in result["msg"]
