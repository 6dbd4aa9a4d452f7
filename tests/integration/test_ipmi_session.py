# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions over IPMI: cipher suites, logins that fail, logging out whatever happens, answers that get lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from ipmi.programs import FakeBmc
from running_ipmi import driver, over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import (
    AuthenticationFailed, InvalidInput, Timeout, Unreachable, Unsupported, WriteInCheckMode,
)
from ansible_collections.typeone.metal.plugins.module_utils._ipmi import commands
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.client import Client
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

CONTROL = (0x00, 0x02)
STATUS = (0x00, 0x01)


@pytest.mark.parametrize("suite", ["3", "17"])
def test_the_server_speaks_to_ipmitool_too(ipmi_bmc, suite):
    """What the driver is tested against is not only our own reading of the standard."""
    bmc = ipmi_bmc()
    found = subprocess.run(
        ["ipmitool", "-I", "lanplus", "-C", suite, "-H", "127.0.0.1", "-p", str(bmc.port), "-U", bmc.username, "-P",
         bmc.password, "power", "on"], capture_output=True, text=True, check=False, timeout=20)
    assert found.returncode == 0 and found.stdout.startswith("Chassis Power Control: Up/On"), found
    assert bmc.chassis.controls == [1] and bmc.server.offers == [int(suite)] and not bmc.server.sessions


# The BMC's suites, what it answers with whatever is offered, our order -> the offers, the suite in use.
NEGOTIATIONS = [
    ((17, 3), None, (17, 3), [17], 17), ((17, 3), None, (3, 17), [3], 3), ((17,), None, (3, 17), [3, 17], 17),
    ((3,), None, (17, 3), [17, 3], 3), ((3,), 3, (17, 3), [17], 3), ((17,), None, (17,), [17], 17),
]


@pytest.mark.parametrize("has, answers, order, offers, used", NEGOTIATIONS)
def test_cipher_suites_are_negotiated(ipmi_bmc, has, answers, order, offers, used):
    """The suite is that of the BMC's answer; what was offered in our order stops at the first that is taken."""
    bmc = ipmi_bmc(suites=has, answers_with=answers)
    with driver(bmc, cipher_suites=order) as ipmi:
        assert ipmi.client.session.suite == used and ipmi.device["manufacturer"] == "Supermicro"
        assert [session.suite for session in bmc.server.open_sessions()] == [used]
    assert bmc.server.offers == offers and not bmc.server.sessions and bmc.server.logins == 1


@pytest.mark.parametrize("refusal", [0x04, 0x05, 0x10, 0x12])
def test_all_words_for_a_refused_suite(ipmi_bmc, refusal):
    """BMCs do not agree on the status code for an algorithm that they do not have."""
    bmc = ipmi_bmc(suites=(3,), refusal=refusal)
    with driver(bmc) as ipmi:
        assert ipmi.client.session.suite == 3
    assert bmc.server.offers == [17, 3]


def test_a_suite_that_is_not_wanted_is_not_taken(ipmi_bmc):
    """A BMC that answers SHA-1 where only SHA-256 is allowed is refused, and told how to allow it."""
    with pytest.raises(Unsupported, match="cipher suite 3") as refused, driver(
            ipmi_bmc(suites=(3,), answers_with=3), cipher_suites=(17,)):
        pass
    assert "ipmi_cipher_suites" in refused.value.remedy
    with pytest.raises(Unsupported, match="none of the cipher suites"), driver(ipmi_bmc(suites=(3,)),
                                                                               cipher_suites=(17,)):
        pass


def test_a_bmc_that_is_silent_to_sha_256_gets_sha_1(ipmi_bmc):
    """Silence to an offer is a refusal as well; the time for it is a part of the timeout."""
    bmc = ipmi_bmc(silent_suites=(17,))
    with driver(bmc, timeout=2) as ipmi:
        assert ipmi.client.session.suite == 3
    assert bmc.server.offers[-1] == 3 and not bmc.server.open_sessions()


def test_pyghmis_server_answers_sha_1_to_any_offer():
    """Its own client dies of that; ours works."""
    bmc = FakeBmc().start()
    try:
        result = over_ipmi(PowerResource, bmc, state="powered_on")
        assert result["changed"] and result["verified"], result
        assert not over_ipmi(PowerResource, bmc, state="powered_on")["changed"]
        wrong = over_ipmi(PowerResource, bmc, state="powered_on", bmc_password="another one")
        assert wrong["error"]["kind"] == "authentication_failed" and "another one" not in str(wrong)
    finally:
        bmc.stop()


@pytest.mark.parametrize("wrong, word", [
    ({"bmc_password": "not the password"}, "bmc_password"), ({"bmc_username": "nobody"}, "bmc_username"),
    ({"ipmi_kg": "0x00112233"}, "ipmi_kg")])
@pytest.mark.parametrize("suite", [3, 17])
def test_wrong_credentials(ipmi_bmc, wrong, word, suite):
    """The error names the option that is wrong; nothing is left on the BMC, and no second login is tried."""
    bmc = ipmi_bmc()
    result = over_ipmi(PowerResource, bmc, state="powered_on", ipmi_cipher_suites=[suite], **wrong)
    assert result["failed"] and result["error"]["kind"] == "authentication_failed" and word in result["msg"]
    assert "via ipmi" in result["msg"] and "not the password" not in str(result)
    assert len(bmc.server.offers) == 1 and not bmc.writes() and not bmc.chassis.on
    time.sleep(0.05)  # the last word of the client has no answer
    assert not bmc.server.sessions or "ipmi_kg" in wrong


def test_a_bmc_that_is_silent_to_a_wrong_password(ipmi_bmc):
    """Some say nothing: the error says what that usually means."""
    bmc = ipmi_bmc(silent_on_wrong=True)
    with pytest.raises(AuthenticationFailed, match="did not answer the login"), driver(bmc, username="no", timeout=2):
        pass


def test_the_bmc_key(ipmi_bmc):
    """With the right key it works, as text and in hexadecimal; without it the error names the option."""
    bmc = ipmi_bmc(kg=b"the BMC's own key")
    for kg in ("the BMC's own key", "0x" + b"the BMC's own key".hex()):
        with driver(bmc, kg=kg) as ipmi:
            assert ipmi.device
    with pytest.raises(AuthenticationFailed) as refused, driver(bmc):
        pass
    assert "Set ipmi_kg" in refused.value.remedy


def test_a_privilege_level_that_the_account_has_not(ipmi_bmc):
    """The default asks for an administrator; the remedy works."""
    bmc = ipmi_bmc(privilege=3)
    with pytest.raises(AuthenticationFailed) as refused, driver(bmc):
        pass
    assert "ipmi_privilege_level" in refused.value.remedy
    assert over_ipmi(PowerResource, bmc, state="powered_on", ipmi_privilege_level="operator")["verified"]
    denied = over_ipmi(PowerResource, bmc, state="powered_off", ipmi_privilege_level="user")
    assert denied["error"]["kind"] == "authentication_failed" and "may not do this" in denied["msg"]


@pytest.mark.parametrize("option, value", [("username", "x" * 17), ("password", "x" * 21), ("kg", "x" * 21)])
def test_what_ipmi_cannot_carry(ipmi_bmc, option, value):
    """It is refused before the BMC sees anything of it."""
    bmc = ipmi_bmc()
    with pytest.raises(InvalidInput) as refused, driver(bmc, **{option: value}):
        pass
    assert value not in str(refused.value) and not bmc.server.packets


def test_no_free_session(ipmi_bmc):
    """The error says so, after the time that the BMC was given to free one."""
    bmc = ipmi_bmc(max_sessions=0)
    with pytest.raises(Exception, match="sessions are taken"), driver(bmc, timeout=1):
        pass


def test_a_session_that_becomes_free(ipmi_bmc):
    """A BMC without a free session is asked again while there is time."""
    bmc = ipmi_bmc(max_sessions=0)
    timer = threading.Timer(0.3, lambda: setattr(bmc.server, "max_sessions", 1))
    timer.start()
    with driver(bmc) as ipmi:
        assert ipmi.device
    timer.join()


@pytest.mark.parametrize("how", ["silent", "closed"])
def test_nobody_there_costs_the_timeout_and_no_more(ipmi_bmc, how):
    """One packet at a time, and an end."""
    bmc = ipmi_bmc()
    bmc.server.mute = True
    if how == "closed":
        bmc.stop()
    start = time.monotonic()
    with pytest.raises(Unreachable, match="closed" if how == "closed" else "does not answer"), driver(bmc, timeout=1):
        pass
    assert time.monotonic() - start < 5  # a guard against hanging


def test_a_name_that_is_not_known(ipmi_bmc):
    """The error says so."""
    with pytest.raises(Unreachable, match="name is not known"), driver(ipmi_bmc(), address="bmc.invalid"):
        pass


def test_one_login_whatever_is_asked_and_no_session_left(ipmi_bmc):
    """Success and failure both log out."""
    bmc = ipmi_bmc()
    over_ipmi(PowerResource, bmc, state="powered_on")
    assert bmc.server.logins == bmc.server.closed == 1 and not bmc.server.sessions
    bmc.server.fail_next(0xCC, CONTROL)
    result = over_ipmi(PowerResource, bmc, state="powered_off", force=True)
    assert result["error"]["kind"] == "rejected" and result["error"]["completion_code"] == 0xCC
    assert bmc.server.logins == bmc.server.closed == 2 and not bmc.server.sessions


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from running_ipmi import over_ipmi
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource
class Bmc: port, username, password = {port}, {username!r}, {password!r}
over_ipmi(PowerResource, Bmc, state="powered_off", graceful_timeout=60)
"""


def test_a_task_that_is_killed_logs_out(ipmi_bmc):
    """SIGTERM in the middle of waiting ends the session on the BMC."""
    bmc = ipmi_bmc(chassis={"graceful": None})
    bmc.chassis.on = True
    script = SCRIPT.format(path=sys.path, port=bmc.port, username=bmc.username, password=bmc.password)
    with subprocess.Popen([sys.executable, "-c", script], env=dict(os.environ)) as task:
        end = time.monotonic() + 30
        while not bmc.chassis.controls and time.monotonic() < end:
            time.sleep(0.05)
        assert bmc.server.open_sessions()
        task.send_signal(signal.SIGTERM)
        assert task.wait(20) == 128 + signal.SIGTERM
    assert not bmc.server.sessions and bmc.server.closed == 1 and bmc.chassis.controls == [5]


@pytest.mark.parametrize("what", ["lose_request", "lose_answer"])
def test_reads_are_asked_again(ipmi_bmc, what):
    """A read that stays without an answer is sent again in the same session, with the same sequence number."""
    bmc = ipmi_bmc()
    bmc.server.fail_next(what, STATUS)
    with driver(bmc) as ipmi:
        assert len(ipmi.client.raw(commands.GET_CHASSIS_STATUS)) == 4
    assert bmc.server.logins == 1 and bmc.server.repeats == (what == "lose_answer")
    assert [entry[:2] for entry in bmc.server.log].count(STATUS) == 1


def test_a_read_outlives_the_session(ipmi_bmc):
    """A BMC that has restarted and knows the session no more is logged in to again."""
    bmc = ipmi_bmc()
    with driver(bmc, timeout=2) as ipmi:
        assert ipmi.device
        bmc.server.sessions.clear()
        assert ipmi.client.raw(commands.GET_CHASSIS_STATUS)
        assert bmc.server.logins == 2
    assert not bmc.server.sessions


@pytest.mark.parametrize("what, done", [("lose_request", 0), ("lose_answer", 1)])
def test_a_write_whose_answer_is_lost_is_looked_at_and_not_sent_again(ipmi_bmc, what, done):
    """Where it took effect that is seen; where it did not, the task fails with what was seen. It is sent once."""
    bmc = ipmi_bmc()
    bmc.server.fail_next(what, CONTROL, times=9)
    result = over_ipmi(PowerResource, bmc, state="powered_on", bmc_timeout=1, wait_timeout=1)
    assert bmc.chassis.controls == [1] * done and bmc.chassis.on is bool(done)
    assert bool(result.get("failed")) is not done and result["sent"][0]["completion_code"] is None
    if not done:
        assert result["error"] == {"kind": "timeout", "last_seen": "off"}
    assert not bmc.server.sessions


def test_a_busy_bmc_is_asked_again(ipmi_bmc):
    """A completion code that says "not taken" makes any command safe to send again."""
    bmc = ipmi_bmc()
    bmc.server.fail_next(0xC0, CONTROL)
    assert over_ipmi(PowerResource, bmc, state="powered_on")["verified"] and bmc.chassis.controls == [1]


def test_a_bmc_that_hangs_costs_the_timeout_and_no_more(ipmi_bmc):
    """It falls silent in the middle; several reads do not add up."""
    bmc = ipmi_bmc()
    with driver(bmc, timeout=1) as ipmi:
        assert ipmi.device
        bmc.server.mute = True
        start = time.monotonic()
        with pytest.raises((Timeout, Unreachable)):
            ipmi.client.raw(commands.GET_CHASSIS_STATUS)
        assert time.monotonic() - start < 10  # a guard against hanging


def test_check_mode_refuses_everything_but_reads(ipmi_bmc):
    """Each command that is known, and one that is not: the transport sends reads and refuses the others."""
    bmc = ipmi_bmc()
    known = [value for value in vars(commands).values() if isinstance(value, commands.Command)]
    known.append(commands.Command(0x30, 0x70, "something of a maker's own"))
    with driver(bmc, check_mode=True) as ipmi:
        for command in known:
            if command.key in commands.READS:
                ipmi.client.optional(command)
            else:
                with pytest.raises(WriteInCheckMode):
                    ipmi.client.raw(command, b"\x00")
    sent = {entry[:2] for entry in bmc.server.log} - {(0x06, 0x3B), (0x06, 0x3C)}
    assert sent == set(commands.READS) and isinstance(ipmi.client, Client)


def test_no_read_is_a_write_of_the_standard():
    """The whitelist against the standard's own words: what it calls Get, Read or Reserve (IPMI 2.0, appendix G)."""
    names = {value.key: value.name for value in vars(commands).values() if isinstance(value, commands.Command)}
    assert all(names[key].split()[0] in ("Get", "Read", "Reserve") for key in commands.READS)
    assert all(name.split()[0] in ("Set", "Clear", "Chassis", "Activate", "Deactivate", "Reserve")
               for key, name in names.items() if key not in commands.READS)
