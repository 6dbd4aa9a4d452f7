# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account of a BMC, declared and read back; its password proven by a login where that can be had."""

from __future__ import annotations

from typing import Any

from .._bmc.errors import AnswerLost, AuthenticationFailed, InvalidInput, Rejected
from .._bmc.interface import Accounts
from .._domain.accounts import (
    AccountStep, DesiredAccount, Password, Role, expected, find, locks_out, plan_account, reached, shown,
)
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .base import Resource

_TRIED = {True: Password.AS_GIVEN, False: Password.OTHER, None: Password.UNKNOWN}


class UserResource(Resource):
    """``bmc_user``."""

    NAME = "user"
    DOING = "change the account"
    CAPABILITY = Accounts
    SPEC = {
        "name": dict(type="str", required=True),
        "state": dict(type="str", choices=["present", "absent"], default="present"),
        "password": dict(type="str", no_log=True),
        "update_password": dict(type="str", choices=["on_create", "always"], default="on_create", no_log=False),
        "role": dict(type="str"),
        "enabled": dict(type="bool"),
        "allow_own_account": dict(type="bool", default=False),
        "wait_timeout": dict(type="int", default=15),
    }
    CONSTRAINTS = {"required_if": [["update_password", "always", ["password"]]]}

    def validate(self) -> None:
        """Refuse options that contradict each other."""
        if not self.params["name"].strip():
            raise InvalidInput("name is empty", remedy="Name the account.")
        for option in ("role", "enabled"):
            if self.params["state"] == "absent" and self.params.get(option) is not None:
                raise InvalidInput(f"{option} is set but state is absent", remedy=f"Leave {option} out.")

    @property
    def _wanted(self) -> DesiredAccount:
        params = self.params
        return DesiredAccount(
            username=params["name"], present=params["state"] == "present", role=params.get("role"),
            enabled=params.get("enabled"), password=params.get("password"),
            set_password=params["state"] == "present" and params["update_password"] == "always")

    def read(self) -> dict[str, Any]:
        """Return the account; its password is tried where it is to be kept as given."""
        account = find(self.bmc.read(), self.params["name"])
        tried = self._tried(account) if self._wanted.set_password else Password.UNKNOWN
        return shown(account, self.params["name"], password=tried)

    def _tried(self, account: Any) -> Password:
        """Return what one login with the password tells; accounts that cannot log in are not tried."""
        if not account or account["enabled"] is False or account["locked"] or account["role"] == Role.NONE.value:
            return Password.UNKNOWN
        return _TRIED[self.bmc.password_works(self.params["name"], self.params["password"])]

    def plan(self, current: dict[str, Any]) -> Change:
        """Return the change, after it was found to be possible and not to lock the task's own account out."""
        wanted = self._wanted
        steps = plan_account(current, wanted)
        if steps:
            self._check(current, wanted, step=steps[0])
        asked = {name: self.params[name] for name in ("name", "state", "role", "enabled") if self.params[name] is not None}
        if steps and "password" in steps[0].values:
            asked["password"] = "as given"
        return Change(before=current, after=expected(current, wanted, steps=steps), steps=steps, requested=asked)

    def _check(self, current: dict[str, Any], wanted: DesiredAccount, *, step: AccountStep) -> None:
        """Refuse what cannot come out well."""
        if step.kind == "create" and not wanted.password:
            raise InvalidInput(f"there is no account '{wanted.username}', and a new one needs a password",
                               remedy="Set password.")
        offered = self.bmc.roles() if "role" in step.values else ()
        if offered and step.values["role"] not in offered:
            raise InvalidInput(f"the BMC does not offer the role '{step.values['role']}'",
                               remedy=f"It offers {', '.join(offered)}.")
        loss = locks_out(current, wanted)
        if loss and wanted.username == self.driver.connection.username and not self.params["allow_own_account"]:
            raise InvalidInput(f"the account '{wanted.username}' that this task uses would {loss}",
                               remedy="Use another account, or set allow_own_account: true.")

    def apply(self, change: Change) -> Effect:
        """Write, and read the account back until it is as declared."""
        step: AccountStep = change.steps[0]
        try:
            self._write(step)
        except AnswerLost as error:
            self.tell(f"{error.cause}; reading the account back instead of asking again")
        try:
            return self._effect(step)
        except AuthenticationFailed:
            if not self._closes_own_account(step):
                raise
            return Effect(observed=change.after, verified=None, warnings=(
                "The account of this task is closed now; what came of the change cannot be read with it any more.",))

    def _write(self, step: AccountStep) -> None:
        {"create": lambda: self.bmc.create(step.values), "delete": lambda: self.bmc.delete(step.account_id),
         "update": lambda: self.bmc.update(step.account_id, step.values)}[step.kind]()

    def _closes_own_account(self, step: AccountStep) -> bool:
        own = self.params["name"] == self.driver.connection.username
        return own and (step.kind == "delete" or step.values.get("enabled") is False)

    def _effect(self, step: AccountStep) -> Effect:
        """Return what is read back, and whether the new password logs in."""
        wanted, name = self._wanted, self.params["name"]
        done, account = wait_until(lambda: find(self.bmc.read(), name), lambda seen: reached(shown(seen, name), wanted),
                                   deadline=Deadline(self.params["wait_timeout"]))
        tried = self._tried(account) if "password" in step.values else Password.UNKNOWN
        seen = shown(account, name, password=tried)
        if not done or tried is Password.OTHER:
            why = "but its new password does not log in" if done else f"but reads back {_words(seen)}"
            raise Rejected(f"the BMC took the change of the account '{name}', {why}", observed=seen,
                           remedy="Its rules for names, passwords and roles may be stricter; see its log.")
        if "password" in step.values and tried is Password.UNKNOWN:
            return Effect(observed=seen, verified=None, warnings=(
                f"Whether the password of '{name}' took effect could not be tried by a login.",))
        return Effect(observed=seen, verified=True)


def _words(seen: dict[str, Any]) -> str:
    """Return an account in words, for messages."""
    if not seen["exists"]:
        return "no such account"
    return ", ".join(f"{key} {seen[key]}" for key in ("role", "enabled", "locked") if seen[key] is not None)
