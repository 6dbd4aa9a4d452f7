# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Accounts: those of the tree, made, changed and removed; their passwords log in."""

from __future__ import annotations

import itertools

from .messages import Response, refusal
from .routes import check_properties, creates, deletes, patches

LONGEST_NAME, SHORTEST_PASSWORD = 16, 8


class Accounts:
    """Who may log in. The administrator of the options always may, unless a PATCH changed that account."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self._passwords: dict = {}
        self._numbers = itertools.count(2)
        self.created: list = []

    @property
    def collection(self) -> str:
        """Where accounts are listed."""
        store = self._bmc.store
        return store.link(store.link("/redfish/v1", "AccountService"), "Accounts") or "/redfish/v1/AccountService/Accounts"

    @property
    def slots(self) -> bool:
        """Whether accounts are a fixed number of slots, empty ones included."""
        told = self._bmc.options.accounts_slots
        if told is not None:
            return told
        names = [self._bmc.store.get(path).get("UserName") for path in self._bmc.store.members(self.collection)]
        return len(names) > 8 and names.count("") > 4

    def find(self, user) -> str:
        """The path of a user's account, "" where there is none."""
        return next((path for path in self._bmc.store.members(self.collection)
                     if self._bmc.store.get(path).get("UserName") == user), "")

    def check(self, user, password) -> bool:
        """Whether these credentials log in now."""
        if user is None or password is None:
            return False
        path = self.find(user)
        account = self._bmc.store.get(path) if path else {}
        if account.get("Enabled") is False or account.get("Locked") is True:
            return False
        if path in self._passwords:
            return self._passwords[path] == password
        return (user, password) == (self._bmc.options.username, self._bmc.options.password)

    def set_password(self, path: str, password: str) -> None:
        """An account's password from now on."""
        self._passwords[path] = password

    def forget(self, path: str) -> None:
        """An account is no more."""
        self._passwords.pop(path, None)

    def roles(self) -> list:
        """Names of the roles there are."""
        store = self._bmc.store
        listed = store.members(store.link(store.link("/redfish/v1", "AccountService"), "Roles"))
        found = [path.rpartition("/")[2] for path in listed]
        return found or ["Administrator", "Operator", "ReadOnly"]

    def rules(self) -> dict:
        """What an account may hold when written."""
        roles = self.roles() + (["None"] if self.slots else [])
        return {"UserName": self._good_name, "Password": self._good_password, "RoleId": roles, "Enabled": bool,
                "Locked": lambda value: value is False, "PasswordChangeRequired": bool, "AccountTypes": list, "Oem": dict}

    def free_number(self) -> str:
        """An Id that no account has."""
        taken = {path.rpartition("/")[2] for path in self._bmc.store.members(self.collection)}
        return next(str(number) for number in self._numbers if str(number) not in taken)

    @staticmethod
    def _good_name(value) -> bool:
        return isinstance(value, str) and len(value) <= LONGEST_NAME

    @staticmethod
    def _good_password(value) -> bool:
        return isinstance(value, str) and len(value) >= SHORTEST_PASSWORD


@creates("ManagerAccountCollection")
def create(bmc, path: str, data: dict, _request) -> Response:
    """A new account (DSP0266, 7.9)."""
    accounts = bmc.accounts
    if accounts.slots:
        raise refusal("OperationNotAllowed", headers={"Allow": "GET, HEAD"})
    for name in ("UserName", "Password", "RoleId"):
        if name not in data:
            raise refusal("PropertyMissing", name, related=[name])
    check_properties(bmc, path, data, accounts.rules())
    if accounts.find(data["UserName"]):
        raise refusal("ResourceAlreadyExists", "ManagerAccount", "UserName", data["UserName"], status=400)
    number = accounts.free_number()
    new = f"{path}/{number}"
    body = {"@odata.type": "#ManagerAccount.v1_8_0.ManagerAccount", "@odata.id": new, "Id": number, "Name": "User Account",
            "Enabled": True, "Locked": False, **{key: value for key, value in data.items() if key != "Password"}, "Password": None}
    body["Links"] = {"Role": {"@odata.id": f"{path.rpartition('/')[0]}/Roles/{data['RoleId']}"}}
    bmc.store.put(new, body, collection=path)
    accounts.set_password(new, data["Password"])
    accounts.created.append(new)
    return Response(201, bmc.store.raw(new), headers={"Location": new, **bmc.etags.headers(new)})


@patches("ManagerAccount")
def change(bmc, path: str, data: dict, _request) -> None:
    """Change an account; a password is not shown afterwards."""
    check_properties(bmc, path, data, bmc.accounts.rules())
    name = data.get("UserName")
    if name and bmc.accounts.find(name) not in ("", path):
        raise refusal("ResourceAlreadyExists", "ManagerAccount", "UserName", name, status=400)
    if bmc.accounts.slots and data.get("Enabled") and not (name or bmc.store.get(path).get("UserName")):
        raise refusal("PropertyValueConflict", "Enabled", "UserName", related=["Enabled"])
    if "Password" in data:
        bmc.accounts.set_password(path, data["Password"])
    bmc.store.merge(path, {key: value for key, value in data.items() if key != "Password"})
    if name == "" and bmc.accounts.slots:
        bmc.accounts.forget(path)


@deletes("ManagerAccount")
def remove(bmc, path: str, _request) -> Response:
    """Remove an account, but never the one that asks."""
    if bmc.accounts.slots:
        raise refusal("OperationNotAllowed", headers={"Allow": "GET, HEAD, PATCH"})
    if bmc.store.get(path).get("UserName") == bmc.options.username:
        raise refusal("ResourceCannotBeDeleted")
    bmc.store.delete(path, collection=bmc.accounts.collection)
    bmc.accounts.forget(path)
    return Response(204)


@patches("AccountService")
def change_service(bmc, path: str, data: dict, _request) -> None:
    """Lockout and length settings."""
    check_properties(bmc, path, data, {"AccountLockoutThreshold": int, "AccountLockoutDuration": int, "MinPasswordLength": int,
                                       "AccountLockoutCounterResetAfter": int, "AuthFailureLoggingThreshold": int})
    bmc.store.merge(path, data)


@deletes("Session")
def log_out(bmc, path: str, request) -> Response:
    """End a session; one's own, or another's as administrator."""
    session = bmc.sessions.by_path(path)
    if session is None:
        raise refusal("ResourceMissingAtURI", path)
    bmc.sessions.remove(session)
    bmc.counters.add("logouts")
    request.session = None
    return Response(204)


@patches("SessionService")
def change_sessions(bmc, path: str, data: dict, _request) -> None:
    """The session timeout, 30 to 86400 seconds."""
    check_properties(bmc, path, data, {"SessionTimeout": lambda value: isinstance(value, int) and 30 <= value <= 86400, "ServiceEnabled": bool})
    bmc.store.merge(path, data)
