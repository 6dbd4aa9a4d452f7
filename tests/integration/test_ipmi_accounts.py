# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_user over IPMI: slots that are filled, changed and cleared, passwords proven by a login."""

from __future__ import annotations

import subprocess

import pytest
from ipmi.programs import IpmiSim
from ipmi.records import full_sensor
from running_ipmi import over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource

SECRET, LONG_SECRET = "Monitor-1", "Monitor-of-20-bytes!"
SET_ACCESS, SET_NAME, SET_PASSWORD = (0x06, 0x43), (0x06, 0x45), (0x06, 0x47)


def user(bmc, **params):
    """Run bmc_user; no result ever holds a password, as it is or in hexadecimal digits."""
    result = over_ipmi(UserResource, bmc, **{"name": "monitor", **params})
    for secret in (SECRET, LONG_SECRET, bmc.password):
        assert secret not in str(result) and secret.encode().hex() not in str(result)
    return result


def slot(bmc, name="monitor"):
    """Return the number and the slot of that name, as the BMC holds it."""
    return next(((number, slot) for number, slot in bmc.users.slots.items() if slot["name"] == name.encode()), (None, {}))


@pytest.mark.parametrize("secret", [SECRET, LONG_SECRET])
def test_makes_changes_and_removes_an_account(ipmi_bmc, secret):
    """Each step is at the BMC and proven; repeated, it writes nothing; one login for the task, one for the password."""
    bmc = ipmi_bmc()
    made = user(bmc, password=secret, role="operator")
    assert made["changed"] and made["verified"] and made["user"]["password"] == "as_given", made
    assert slot(bmc) == (3, {"name": b"monitor", "password": secret.encode(), "privilege": 3, "enabled": True,
                             "messaging": True})
    assert bmc.server.logins == 2 and not bmc.server.sessions
    count = len(bmc.writes())
    again = user(bmc, password=secret, role="operator", update_password="always")
    assert not again["changed"] and len(bmc.writes()) == count, again
    changed = user(bmc, role="administrator", enabled=False)
    assert changed["verified"] and slot(bmc)[1]["privilege"] == 4 and not slot(bmc)[1]["enabled"]
    assert changed["diff"]["before"]["role"] == "operator" and changed["diff"]["after"]["enabled"] is False
    assert user(bmc, state="absent")["verified"] and not slot(bmc)[1]
    assert bmc.users.slots[3]["privilege"] == 15 and not bmc.users.slots[3]["messaging"]
    count = len(bmc.writes())
    assert not user(bmc, state="absent")["changed"] and len(bmc.writes()) == count


@pytest.mark.parametrize("asked", [{"password": SECRET}, {"name": "operator", "role": "read_only", "allow_own_account": True},
                                   {"name": "operator", "state": "absent", "allow_own_account": True}])
def test_check_mode_sends_only_reads(ipmi_bmc, asked):
    """What would change is told."""
    bmc = ipmi_bmc()
    result = user(bmc, check_mode=True, **asked)
    assert result["changed"] and not bmc.writes(), result


def test_another_password(ipmi_bmc):
    """update_password: always finds out by a login that it differs, and sets it."""
    bmc = ipmi_bmc()
    user(bmc, password=SECRET)
    checked = user(bmc, password=LONG_SECRET, update_password="always", check_mode=True)
    assert checked["changed"] and slot(bmc)[1]["password"] == SECRET.encode()
    result = user(bmc, password=LONG_SECRET, update_password="always")
    assert result["changed"] and result["verified"] and slot(bmc)[1]["password"] == LONG_SECRET.encode()


def test_the_tasks_own_password(ipmi_bmc):
    """It is changed without a second login of the task failing."""
    bmc = ipmi_bmc()
    result = user(bmc, name=bmc.username, password=LONG_SECRET, update_password="always")
    assert result["changed"] and result["verified"], result
    assert slot(bmc, bmc.username)[1]["password"] == LONG_SECRET.encode()
    assert not bmc.server.open_sessions()


@pytest.mark.parametrize("asked, word", [
    ({"password": "x" * 21}, "more than 20 bytes"), ({"name": "x" * 17, "password": SECRET}, "more than 16 bytes"),
    ({"password": SECRET, "role": "emperor"}, "emperor"), ({}, "needs a password")])
def test_what_cannot_be_is_refused_before_anything_is_written(ipmi_bmc, asked, word):
    """The error says what and why."""
    bmc = ipmi_bmc()
    result = user(bmc, **asked)
    assert result["error"]["kind"] == "invalid_input" and word in result["msg"] and not bmc.writes()


def test_no_free_slot(ipmi_bmc):
    """The error says so."""
    bmc = ipmi_bmc(users={"slots": 2})
    result = user(bmc, password=SECRET)
    assert result["error"]["kind"] == "rejected" and "taken" in result["msg"] and not bmc.writes()


def test_a_bmc_that_refuses_the_password(ipmi_bmc):
    """The slot is not left half-filled."""
    bmc = ipmi_bmc(users={"weak": SECRET.encode()})
    result = user(bmc, password=SECRET)
    assert result["error"]["kind"] == "rejected" and not slot(bmc)[1] and bmc.users.slots[3]["privilege"] == 15


def test_a_bmc_that_takes_no_empty_name(ipmi_bmc):
    """Its slots are cleared with a name of 0xFF, which counts as none."""
    bmc = ipmi_bmc(users={"zero_names": False})
    user(bmc, password=SECRET)
    assert user(bmc, state="absent")["verified"] and bmc.users.slots[3]["name"] == b"\xff" * 16
    assert user(bmc, password=SECRET)["verified"] and slot(bmc)[0] == 3


@pytest.mark.parametrize("command", [SET_NAME, SET_PASSWORD, SET_ACCESS])
def test_lost_answers(ipmi_bmc, command):
    """An answer that is lost once is made good by the same request again: it is done once."""
    bmc = ipmi_bmc()
    bmc.server.fail_next("lose_answer", command)
    assert user(bmc, password=SECRET)["verified"] and bmc.server.repeats == 1


def test_the_simulators_accounts(tmp_path):
    """ipmitool sees in OpenIPMI's simulator what was written."""
    simulator = IpmiSim(tmp_path, sdr=full_sensor(1, "CPU1 Temp")).start()

    def tool(*command, name="", password=""):
        return subprocess.run(["ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(simulator.port), "-U",
                               name or simulator.username, "-P", password or simulator.password, *command],
                              capture_output=True, text=True, check=False, timeout=20)

    def lines():
        return [line.split() for line in tool("user", "list", "1").stdout.splitlines() if "monitor" in line]

    try:
        made = user(simulator, password=SECRET, role="operator")
        assert made["verified"] and made["user"]["password"] == "as_given", made
        assert [line[-1] for line in lines()] == ["OPERATOR"]
        assert tool("-L", "OPERATOR", "power", "status", name="monitor", password=SECRET).returncode == 0
        assert not user(simulator, password=SECRET, role="operator")["changed"]
        assert user(simulator, state="absent")["verified"] and not lines()
    finally:
        simulator.stop()
