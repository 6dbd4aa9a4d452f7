# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a BMC without a protocol's words: what is to be done to bring one to its declared state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

Json = dict[str, Any]


class Role(str, Enum):
    """The roles that BMCs have in common; others go by the BMC's own word."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    READ_ONLY = "read_only"
    NONE = "none"


class Password(str, Enum):
    """What is known of an account's password: nothing, or how it compares with the one given."""

    UNKNOWN = "unknown"
    AS_GIVEN = "as_given"
    OTHER = "other"


@dataclass(frozen=True)
class DesiredAccount:
    """An account as it is declared. ``None`` is left as it is. ``password`` is set where ``set_password``."""

    username: str
    present: bool = True
    role: Optional[str] = None
    enabled: Optional[bool] = None
    password: Optional[str] = field(default=None, repr=False)
    set_password: bool = False


@dataclass(frozen=True)
class AccountStep:
    """One write: ``create`` (``values`` is the account), ``update`` or ``delete`` of the account ``account_id``."""

    kind: str
    account_id: Optional[str] = None
    values: Json = field(default_factory=dict, repr=False)


def find(accounts: list[Json], username: str) -> Optional[Json]:
    """Return the account of that name, which BMCs compare exactly."""
    return next((account for account in accounts if account.get("username") == username), None)


def shown(account: Optional[Json], username: str, *, password: Password = Password.UNKNOWN) -> Json:
    """Return an account in the shape of the return key, whether it is there or not; never its password."""
    account = account or {}
    return {"username": username, "exists": bool(account), "id": account.get("id"), "role": account.get("role"),
            "enabled": account.get("enabled"), "locked": account.get("locked"),
            "password": password.value if account else None}


def plan_account(current: Json, wanted: DesiredAccount) -> tuple[AccountStep, ...]:
    """Return the steps from ``current`` (as :func:`shown`) to ``wanted``."""
    if not wanted.present:
        return (AccountStep("delete", current["id"]),) if current["exists"] else ()
    if not current["exists"]:
        return (AccountStep("create", values={
            "username": wanted.username, "password": wanted.password, "role": wanted.role or Role.READ_ONLY.value,
            "enabled": wanted.enabled is not False}),)
    changes: Json = {name: value for name, value in (("role", wanted.role), ("enabled", wanted.enabled))
                     if value is not None and value != current[name]}
    if wanted.set_password and current["password"] != Password.AS_GIVEN.value:
        changes["password"] = wanted.password
    return (AccountStep("update", current["id"], changes),) if changes else ()


def expected(current: Json, wanted: DesiredAccount, *, steps: tuple[AccountStep, ...]) -> Json:
    """Return what ``current`` becomes: what a dry run shows. The id of a new account is not known beforehand."""
    if not steps:
        return current
    if not wanted.present:
        return shown(None, wanted.username)
    values = steps[0].values
    after = dict(current, exists=True, locked=bool(current["locked"]))
    after.update({name: values[name] for name in ("role", "enabled") if name in values})
    if "password" in values:
        after["password"] = Password.AS_GIVEN.value
    return after


def reached(seen: Json, wanted: DesiredAccount) -> bool:
    """Tell whether an account as read back is as declared, its password aside."""
    if not wanted.present or not seen["exists"]:
        return seen["exists"] == wanted.present
    return all(want is None or seen[name] == want for name, want in (("role", wanted.role), ("enabled", wanted.enabled)))


def locks_out(current: Json, wanted: DesiredAccount) -> Optional[str]:
    """Return what a change would take away from whoever uses the account, ``None`` where nothing."""
    if not current["exists"]:
        return None
    if not wanted.present:
        return "be deleted"
    if wanted.enabled is False and current["enabled"] is not False:
        return "be disabled"
    if current["role"] == Role.ADMINISTRATOR.value and wanted.role not in (None, current["role"]):
        return f"lose the role {current['role']}"
    return None
