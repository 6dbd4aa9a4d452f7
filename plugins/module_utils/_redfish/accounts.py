# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a BMC over Redfish: ManagerAccount (DMTF DSP0268), as members that come and go or as fixed slots."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import AuthenticationFailed, BmcError, BrokenAnswer, InvalidInput, Rejected, Unsupported
from .._bmc.interface import Accounts, Driver
from .._domain.accounts import Role
from .client import dig, link_of
from .members import documents

Json = dict[str, Any]
ROLES = {"Administrator": Role.ADMINISTRATOR.value, "Operator": Role.OPERATOR.value, "ReadOnly": Role.READ_ONLY.value,
         "None": Role.NONE.value, "NoAccess": Role.NONE.value}
# Methods that a BMC does not have at a resource: its accounts are slots, which are changed and never made or deleted.
NO_METHOD = (405, 501)
SLOT_REFUSED = (400, 403, 404, 405)
# Slots that share the numbers of IPMI users: number 1 is its anonymous user, 0 is reserved (IPMI 2.0, section 6.9.1).
RESERVED_SLOTS = ("0", "1")


class RedfishAccounts(Accounts):
    """The members of AccountService.Accounts. In a BMC with slots, one without a UserName is free."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _service(self) -> Json:
        link = link_of(self._driver.root.get("AccountService"))
        if link is None:
            raise Unsupported("the BMC has no account service", capability=self.title, protocol="redfish",
                              remedy="Some keep accounts for IPMI alone: try bmc_protocol: ipmi.")
        return self._driver.client.read(link)

    def _collection(self) -> str:
        link = link_of(self._service().get("Accounts"))
        if link is None:
            raise Unsupported("the BMC lists no accounts", capability=self.title, protocol="redfish",
                              remedy="Try bmc_protocol: ipmi.")
        return link

    def _documents(self) -> dict[str, Json]:
        """Return all accounts and free slots by link, as they are now."""
        found = documents(self._driver.client, self._collection())
        for link, document in found.items():
            if not isinstance(document.get("UserName", 0), (str, type(None))):
                raise BrokenAnswer(f"the account {link} does not tell its name", path=link)
        return found

    def read(self) -> list[Json]:
        """Read the accounts anew."""
        self._driver.client.forget()
        rows = (_row(link, document) for link, document in self._documents().items())
        return [row for row in rows if row["username"]]

    def roles(self) -> tuple[str, ...]:
        """Return the roles of the account service in neutral words."""
        return tuple(dict.fromkeys(ROLES.get(word, word) for word in self._role_words()))

    def _role_words(self) -> list[str]:
        """Return the BMC's own words for its roles; empty where it lists none."""
        client = self._driver.client
        link = link_of(self._service().get("Roles"))
        try:
            return [role.rstrip("/").rsplit("/", 1)[-1] for role in client.member_links(client.read(link))] if link else []
        except BmcError:
            return []

    def _role_word(self, role: str) -> str:
        """Return the BMC's word for a role."""
        words = [word for word, neutral in ROLES.items() if neutral == role] or [role]
        offered = self._role_words()
        return next((word for word in words if word in offered), words[0])

    def password_works(self, username: str, password: str) -> Optional[bool]:
        """Try a login with it, and end that session again."""
        return self._driver.session.try_login(username, password)

    def create(self, account: Json) -> None:
        """Make a member, or fill the first free slot that takes it where the BMC makes none."""
        body = self._body(account)
        if body.get("Enabled") is True:
            del body["Enabled"]  # a new account is, and some services refuse to be told
        client, collection = self._driver.client, self._collection()
        allow = client.answer(collection).headers.get("Allow")
        free = self._free_slots()
        if allow and "POST" not in allow.upper() and free:
            self._fill(free, account)
            return
        try:
            client.write("POST", collection, self._with_login_name(body))
        except Rejected as error:
            if error.details.get("status") not in NO_METHOD or not free:
                raise
            self._fill(free, account)

    def _free_slots(self) -> list[str]:
        """Return the links of the slots that may be filled."""
        def number(link: str) -> str:
            return link.rstrip("/").rsplit("/", 1)[-1]

        free = [link for link, document in self._documents().items() if not document["UserName"]
                and document.get("Enabled") is not True and number(link) not in RESERVED_SLOTS]
        return sorted(free, key=lambda link: (len(number(link)), number(link)))

    def _fill(self, free: list[str], account: Json) -> None:
        """Write an account into the first slot that takes it."""
        last: Optional[BmcError] = None
        for link in free[:3]:
            try:
                self._driver.client.write("PATCH", link, self._body(account))
                return
            except (Rejected, AuthenticationFailed) as error:
                if error.details.get("status") not in SLOT_REFUSED:
                    raise
                last = last or error
        raise last or Rejected("all slots for accounts are taken", remedy="Remove an account first.")

    def _with_login_name(self, body: Json) -> Json:
        """Return the body with a login name in the OEM object where the accounts of this BMC carry one there."""
        for document in self._documents().values():
            oem = document.get("Oem")
            for maker, fields in oem.items() if isinstance(oem, dict) else ():
                if isinstance(dig(fields, "LoginName"), str):
                    return dict(body, Oem={maker: {"LoginName": body["UserName"]}})
        return body

    def _body(self, values: Json) -> Json:
        """Return an account's values in Redfish's words."""
        names = {"username": "UserName", "password": "Password", "role": "RoleId", "enabled": "Enabled"}
        body = {names[name]: value for name, value in values.items() if value is not None}
        if "RoleId" in body:
            body["RoleId"] = self._role_word(body["RoleId"])
        return body

    def _link(self, account_id: str) -> str:
        for link, document in self._documents().items():
            if _row(link, document)["id"] == account_id:
                return link
        raise InvalidInput(f"no account has the id {account_id}", remedy="It may just have been deleted.")

    def update(self, account_id: str, changes: Json) -> None:
        """Change a member; the session goes on with a new password of its own account."""
        link = self._link(account_id)
        name = self._driver.client.read(link).get("UserName")
        self._driver.client.write("PATCH", link, self._body(changes))
        if changes.get("password") is not None and name == self._driver.connection.username:
            self._driver.session.use_password(changes["password"])

    def delete(self, account_id: str) -> None:
        """Delete a member, or clear its slot where the BMC deletes none."""
        client, link = self._driver.client, self._link(account_id)
        allow = client.answer(link).headers.get("Allow")
        if not allow or "DELETE" in allow.upper():
            try:
                client.write("DELETE", link)
                return
            except Rejected as error:
                if error.details.get("status") not in NO_METHOD:
                    raise
        closed = {"Enabled": False, **({"RoleId": "None"} if "None" in self._role_words() else {})}
        client.write("PATCH", link, closed)
        client.write("PATCH", link, {"UserName": ""})


def _row(link: str, document: Json) -> Json:
    """Return an account in neutral words."""
    role, name = document.get("RoleId"), document.get("UserName")
    if not isinstance(role, str):
        role = (link_of(dig(document, "Links", "Role")) or "").rstrip("/").rsplit("/", 1)[-1] or None
    enabled, locked, number = document.get("Enabled"), document.get("Locked"), document.get("Id")
    return {"id": str(number) if number is not None else link.rstrip("/").rsplit("/", 1)[-1],
            "username": name if isinstance(name, str) else None, "role": ROLES.get(role, role),
            "enabled": enabled if isinstance(enabled, bool) else None,
            "locked": locked if isinstance(locked, bool) else None}
