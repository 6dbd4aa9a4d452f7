# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_user against BMCs whose accounts come and go, and BMCs whose accounts are slots."""

from __future__ import annotations

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource

SECRET, OTHER_SECRET = "Monitor-Secret-1", "Monitor-Secret-2"
DELL, HPE = "dell-r750-idrac9_6.00", "hpe-dl360gen10plus-ilo5_3.11"


def user(bmc, **params):
    """Run bmc_user; no result ever holds a password."""
    result = run(UserResource, bmc, **{"name": "monitor", **params})
    assert SECRET not in str(result) and OTHER_SECRET not in str(result) and bmc.password not in str(result)
    return result


def account(bmc, name="monitor"):
    """Return the account at the BMC, {} where there is none."""
    path = bmc.accounts.find(name)
    return bmc.get(path) if path else {}


@pytest.mark.parametrize("name", ["mini", DELL, HPE, "openbmc-stock-2.15", "lenovo-sr670v2-xcc_1.40"])
def test_makes_changes_and_removes_an_account(test_bmc, name):
    """Each step is at the BMC and proven; repeated, it sends nothing; one login for the task, one to try the password."""
    bmc = test_bmc(name)
    made = user(bmc, password=SECRET, role="operator")
    assert made["changed"] and made["verified"] and made["user"]["password"] == "as_given", made
    assert account(bmc)["RoleId"] == "Operator" and bmc.accounts.check("monitor", SECRET)
    assert bmc.counters.logins == 2 and bmc.counters.connections == 1 and not bmc.sessions.open()
    bmc.counters.reset()
    assert not user(bmc, password=SECRET, role="operator")["changed"] and not bmc.counters.effective_writes()
    changed = user(bmc, role="administrator", enabled=False)
    assert changed["verified"] and account(bmc)["RoleId"] == "Administrator" and account(bmc)["Enabled"] is False
    assert changed["diff"]["before"]["role"] == "operator" and changed["diff"]["after"]["enabled"] is False
    assert user(bmc, state="absent")["verified"] and not account(bmc)
    bmc.counters.reset()
    gone = user(bmc, state="absent")
    assert not gone["changed"] and gone["user"]["exists"] is False and not bmc.counters.effective_writes()


def test_a_free_slot_is_filled_and_cleared(test_bmc):
    """Nothing is posted or deleted; the slot that IPMI reserves stays free; the others are as they were."""
    bmc = test_bmc(DELL)
    names = {path: bmc.get(path).get("UserName") for path in bmc.of_kind("ManagerAccount")}
    result = user(bmc, password=SECRET, role="read_only")
    assert {entry["method"] for entry in result["sent"]} == {"PATCH"} and result["user"]["id"] not in ("0", "1")
    user(bmc, state="absent")
    assert {path: bmc.get(path).get("UserName") for path in names} == {
        path: name or bmc.get(path).get("UserName") for path, name in names.items()}
    assert not account(bmc) and not bmc.accounts.check("monitor", SECRET)


def test_slots_that_are_found_out_by_a_refusal(test_bmc):
    """A BMC that does not tell which methods it has: 405 leads to the slot."""
    bmc = test_bmc(DELL)
    bmc.quirks.append(_NoAllow())
    result = user(bmc, password=SECRET)
    assert [entry["method"] for entry in result["sent"]] == ["POST", "PATCH"] and result["verified"]


def test_all_slots_taken(test_bmc):
    """That is said, and nothing of others is overwritten."""
    bmc = test_bmc(DELL, accounts_slots=True)
    for number, path in enumerate(bmc.of_kind("ManagerAccount")):
        bmc.set(path, {"UserName": bmc.get(path).get("UserName") or f"user{number}"})
    result = user(bmc, password=SECRET)
    assert result["failed"] and result["error"]["kind"] == "rejected" and not account(bmc)


def test_password_only_when_asked(test_bmc):
    """on_create leaves it; always sets it where another one is in force, and then nothing."""
    bmc = test_bmc()
    user(bmc, password=SECRET)
    assert not user(bmc, password=OTHER_SECRET)["changed"] and bmc.accounts.check("monitor", SECRET)
    checked = user(bmc, password=OTHER_SECRET, update_password="always", enabled=True)
    assert checked["changed"] and checked["diff"]["before"]["password"] == "other"
    assert checked["verified"] and bmc.accounts.check("monitor", OTHER_SECRET)
    bmc.counters.reset()
    again = user(bmc, password=OTHER_SECRET, update_password="always")
    assert not again["changed"] and again["user"]["password"] == "as_given" and not bmc.counters.effective_writes()


@pytest.mark.parametrize("params", [
    {"password": SECRET}, {"name": "other", "state": "absent"}, {"name": "other", "role": "read_only"},
    {"name": "other", "password": SECRET, "update_password": "always"}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    user(bmc, name="other", password=OTHER_SECRET, role="operator")
    bmc.counters.reset()
    result = run(UserResource, bmc, check_mode=True, **{"name": "monitor", **params})
    assert result["changed"] and result["diff"]["before"] != result["diff"]["after"]
    assert not bmc.counters.effective_writes() and not bmc.sessions.open()


def test_a_bmc_that_keeps_the_old_password_is_not_believed(test_bmc):
    """It answers 204 and does nothing: the login tells."""
    bmc = test_bmc()
    user(bmc, password=SECRET)
    bmc.quirks.append(_Ignores("Password"))
    result = user(bmc, password=OTHER_SECRET, update_password="always")
    assert result["failed"] and "does not log in" in result["msg"] and result["error"]["kind"] == "rejected"


def test_a_bmc_that_keeps_the_old_role_is_not_believed(test_bmc):
    """What reads back counts, not the answer."""
    bmc = test_bmc()
    user(bmc, password=SECRET)
    bmc.quirks.append(_Ignores("RoleId"))
    result = user(bmc, role="operator", wait_timeout=1)
    assert result["failed"] and "role read_only" in result["msg"]


@pytest.mark.parametrize("params", [{"state": "absent"}, {"enabled": False}, {"role": "read_only"}])
def test_own_account_is_protected(test_bmc, params):
    """Refused before anything is sent, unless it is asked for."""
    bmc = test_bmc("hpe-dl365gen10plus-ilo5_3.14", username="Administrator")
    result = user(bmc, name="Administrator", **params)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "allow_own_account" in result["msg"]
    assert not bmc.counters.effective_writes()


def test_own_account_when_asked(test_bmc):
    """It is disabled, and the result says that nothing more can be read."""
    bmc = test_bmc()
    bmc.faults.add("unauthorized", method="GET", path="Accounts", times=None, match=lambda _: _closed(bmc))
    result = user(bmc, name="root", enabled=False, allow_own_account=True)
    assert result["changed"] and result["verified"] is None and "closed" in result["warnings"][0]
    assert account(bmc, "root")["Enabled"] is False


@pytest.mark.parametrize("auth", ["session", "basic"])
def test_own_password(test_bmc, auth):
    """The task goes on with the new password, also where the BMC ends its session."""
    bmc = test_bmc()
    bmc.faults.add("session_expired", method="GET", path="Accounts", match=lambda _: bmc.accounts.check("root", SECRET))
    result = user(bmc, name="root", password=SECRET, update_password="always", bmc_auth=auth)
    assert result["changed"] and result["verified"] is (True if auth == "session" else None) and not bmc.sessions.open(), result
    assert bmc.accounts.check("root", SECRET) and result["user"]["password"] == ("as_given" if auth == "session" else "unknown")


def test_a_password_that_cannot_be_tried(test_bmc):
    """A closed account takes no login: that it has the password is not proven, and said."""
    bmc = test_bmc()
    result = user(bmc, password=SECRET, enabled=False)
    assert result["changed"] and result["verified"] is None and "could not be tried" in result["warnings"][0]
    assert account(bmc)["Enabled"] is False and bmc.counters.logins == 1


@pytest.mark.parametrize("policy", [("required", "exact"), ("strong_only",), ("unquoted",), ("refused",)])
def test_etags(test_bmc, policy):
    """A change is sent with the ETag as this BMC wants it."""
    bmc = test_bmc(HPE, etag_policy=policy)
    user(bmc, password=SECRET)
    assert user(bmc, role="operator")["verified"] and account(bmc)["RoleId"] == "Operator"


@pytest.mark.parametrize("method, params", [("POST", {"password": SECRET}), ("PATCH", {"name": "other", "enabled": False}),
                                            ("DELETE", {"name": "other", "state": "absent"})])
def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc, method, params):
    """The connection breaks after the write took effect: the effect is read."""
    bmc = test_bmc()
    user(bmc, name="other", password=OTHER_SECRET)
    bmc.counters.reset()
    bmc.faults.add("reset_after", method=method, path="Accounts", times=1)
    result = user(bmc, **params)
    assert result["verified"] and len(bmc.counters.effective_writes()) == 1 and not bmc.sessions.open()


def test_a_write_that_was_lost_without_effect_is_no_success(test_bmc):
    """Nothing is sent again, and the failure says what reads back."""
    bmc = test_bmc()
    bmc.faults.add("reset_before", method="POST", path="Accounts$", times=1)
    result = user(bmc, password=SECRET, wait_timeout=1)
    assert result["failed"] and "no such account" in result["msg"] and len(bmc.counters.effective_writes()) == 1


@pytest.mark.parametrize("params, word", [({}, "password"), ({"password": "short"}, "Password"),
                                          ({"password": SECRET, "role": "emperor"}, "administrator"),
                                          ({"state": "absent", "role": "operator"}, "role"), ({"name": " "}, "name")])
def test_what_cannot_be(test_bmc, params, word):
    """A missing password, one that the BMC refuses, a role that is not there: told, and no account is made."""
    bmc = test_bmc()
    result = user(bmc, **params)
    assert result["failed"] and word in result["msg"] and len(bmc.of_kind("ManagerAccount")) == 1


def test_no_account_service(test_bmc):
    """The alternative is named."""
    bmc = test_bmc()
    bmc.store.edit("/redfish/v1").pop("AccountService")
    result = user(bmc, password=SECRET)
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "ipmi" in result["msg"]


def _closed(bmc):
    return account(bmc, "root").get("Enabled") is False


class _NoAllow:
    """Does not tell the methods of a resource."""

    def before(self, _request):
        """Leave requests alone."""

    def after(self, _request, response):
        """Take the header out."""
        response.headers.pop("Allow", None)


class _Ignores:
    """Answers a change of a property with success, and drops it."""

    def __init__(self, name):
        self.name = name

    def before(self, request):
        """Drop the property."""
        if request.method == "PATCH" and self.name in request.json(empty={}):
            return type(self).answer()
        return None

    @staticmethod
    def answer():
        """Return 204."""
        from testbmc.messages import Response  # pylint: disable=import-outside-toplevel
        return Response(204)

    def after(self, _request, _response):
        """Leave answers alone."""
