# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a BMC over IPMI: numbered slots of name, password and privilege level (IPMI 2.0, sections 22.26 to 22.30)."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._bmc.errors import AnswerLost, BmcError, BrokenAnswer, InvalidInput, Rejected
from .._bmc.interface import Accounts, Driver
from .._domain.accounts import Role
from .commands import GET_USER_ACCESS, GET_USER_NAME, SET_USER_ACCESS, SET_USER_NAME, SET_USER_PASSWORD
from .completion import completion_code
from .rmcp import MAX_NAME, MAX_PASSWORD

Json = dict[str, Any]
# Privilege levels (table 6-1); 5 is the maker's own, 15 is no access.
ROLES = {4: Role.ADMINISTRATOR.value, 3: Role.OPERATOR.value, 2: Role.READ_ONLY.value, 1: "callback", 5: "oem",
         15: Role.NONE.value}
LEVELS = {role: level for level, role in ROLES.items()}
OFFERED = (Role.ADMINISTRATOR.value, Role.OPERATOR.value, Role.READ_ONLY.value, Role.NONE.value)
DISABLE, ENABLE, SET_PASSWORD = 0, 1, 2
DISABLED = 2
CHANGE, MESSAGING = 0x80, 0x10
LONG_PASSWORD, SHORT = 0x80, 16
# The first slot is the anonymous account's (section 6.9.1).
FIRST_SLOT = 2
BAD_LENGTH, BAD_VALUE = (0xC7, 0xC8), (0xC9, 0xCC)
# Seconds and privilege level for trying a password by a login.
TRY_SECONDS, TRY_LEVEL = 10.0, "user"


class IpmiAccounts(Accounts):
    """The slots of the channel that is spoken over."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def roles(self) -> tuple[str, ...]:
        """Return the privilege levels that make sense over LAN."""
        return OFFERED

    def _access(self, slot: int) -> Optional[bytes]:
        """Return the four bytes of Get User Access, ``None`` for a slot that the BMC does not have."""
        answer = self._driver.client.optional(GET_USER_ACCESS, bytes((self._driver.channel, slot)))
        if answer is not None and len(answer) < 4:
            raise BrokenAnswer(f"Get User Access has {len(answer)} bytes instead of 4")
        return answer

    def _slots(self) -> Iterator[tuple[int, bytes, str, int]]:
        """Yield number, access and name of each slot, and how many slots have names that are fixed."""
        first = self._driver.client.raw(GET_USER_ACCESS, bytes((self._driver.channel, 1)))
        if len(first) < 4:
            raise BrokenAnswer(f"Get User Access has {len(first)} bytes instead of 4")
        for slot in range(1, (first[0] & 0x3F) + 1):
            access = first if slot == 1 else self._access(slot)
            if access is not None:
                name = self._driver.client.optional(GET_USER_NAME, bytes((slot,))) or b""
                yield slot, access, name.split(b"\0")[0].strip(b"\xff").decode("utf-8", "replace"), first[2] & 0x3F

    def read(self) -> list[Json]:
        """Read the slots that have a name."""
        return [{"id": str(slot), "username": name, "role": ROLES.get(access[3] & 0x0F, f"level_{access[3] & 0x0F}"),
                 "enabled": _enabled(access), "locked": None} for slot, access, name, unused in self._slots() if name]

    def password_works(self, username: str, password: str) -> Optional[bool]:
        """Try a login with it, in a session of its own."""
        try:
            return self._driver.client.try_login(username, password, level=TRY_LEVEL, seconds=TRY_SECONDS)
        except InvalidInput:
            return False

    def create(self, account: Json) -> None:
        """Fill the first free slot; one that cannot be filled wholly is left without a name and closed."""
        self._check(account)
        slot = next((slot for slot, unused, name, fixed in self._slots()
                     if not name and slot >= FIRST_SLOT and slot > fixed), None)
        if slot is None:
            raise Rejected("all slots for accounts are taken", remedy="Remove an account first.")
        try:
            self._write(slot, account)
        except AnswerLost:
            raise
        except BmcError:
            self.delete(str(slot))
            raise

    def update(self, account_id: str, changes: Json) -> None:
        """Change a slot; later sessions of this task use a new password of its own account."""
        self._check(changes)
        name = self._driver.connection.username
        own = "password" in changes and any((row["id"], row["username"]) == (account_id, name) for row in self.read())
        self._write(int(account_id), changes)
        if own:
            self._driver.client.use_password(changes["password"])

    def _write(self, slot: int, values: Json) -> None:
        """Write what is given. A password comes before access, so that no account is open with an old one."""
        if values.get("username") is not None:
            self._name(slot, values["username"].encode("utf-8"))
        if values.get("password") is not None:
            self._password(slot, values["password"].encode("utf-8"))
        if values.get("role") is not None or values.get("enabled") is not None:
            self._set_access(slot, role=values.get("role"), enabled=values.get("enabled"))
        if values.get("enabled") is not None:
            self._operate(slot, ENABLE if values["enabled"] else DISABLE)

    def delete(self, account_id: str) -> None:
        """Close the slot and clear its name."""
        slot = int(account_id)
        self._operate(slot, DISABLE)
        self._set_access(slot, role=Role.NONE.value, enabled=False)
        try:
            self._name(slot, b"")
        except Rejected as error:
            if completion_code(error) not in BAD_VALUE:
                raise
            self._name(slot, b"\xff" * MAX_NAME)  # where a name of zeroes is not taken

    @staticmethod
    def _check(values: Json) -> None:
        """Refuse what IPMI cannot carry."""
        for name, most in (("username", MAX_NAME), ("password", MAX_PASSWORD)):
            if len((values.get(name) or "").encode("utf-8")) > most:
                raise InvalidInput(f"the {name} has more than {most} bytes, which IPMI cannot carry",
                                   remedy="Take a shorter one, or use bmc_protocol: redfish.")
        if values.get("role") is not None and values["role"] not in LEVELS:
            raise InvalidInput(f"IPMI has no role '{values['role']}'", remedy=f"It has {', '.join(LEVELS)}.")

    def _name(self, slot: int, name: bytes) -> None:
        self._driver.client.raw(SET_USER_NAME, bytes((slot,)) + name.ljust(MAX_NAME, b"\0"))

    def _operate(self, slot: int, operation: int) -> None:
        """Enable or disable a slot; some BMCs want the length of a password for that too."""
        try:
            self._driver.client.raw(SET_USER_PASSWORD, bytes((slot, operation)))
        except Rejected as error:
            if completion_code(error) not in BAD_LENGTH:
                raise
            self._driver.client.raw(SET_USER_PASSWORD, bytes((slot, operation)) + bytes(SHORT))

    def _password(self, slot: int, password: bytes) -> None:
        """Set a password, as one of 16 bytes where it fits: some BMCs know no other."""
        length = SHORT if len(password) <= SHORT else MAX_PASSWORD
        head = bytes((slot | (LONG_PASSWORD if length == MAX_PASSWORD else 0), SET_PASSWORD))
        self._driver.client.raw(SET_USER_PASSWORD, head + password.ljust(length, b"\0"), shown=head)

    def _set_access(self, slot: int, *, role: Optional[str], enabled: Optional[bool]) -> None:
        """Write the privilege level, and whether messages are taken; what is not given stays."""
        access = self._access(slot) or bytes(4)
        level = access[3] & 0x0F if role is None else LEVELS[role]
        flags = access[3] & 0x60 | (access[3] & MESSAGING if enabled is None else MESSAGING if enabled else 0)
        self._driver.client.raw(SET_USER_ACCESS, bytes((CHANGE | flags | self._driver.channel, slot, level)))


def _enabled(access: bytes) -> bool:
    """Tell whether an account may log in: not switched off, and its messages are taken."""
    return access[1] >> 6 != DISABLED and bool(access[3] & MESSAGING)
