# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion codes and RMCP+ status codes, translated to errors by tables (IPMI 2.0, tables 5-2 and 13-15)."""

from __future__ import annotations

from typing import Optional

from .._bmc.errors import AuthenticationFailed, BmcError, Rejected, Unsupported
from .commands import Command

try:
    from pyghmi.ipmi.private.constants import command_completion_codes as SPECIFIC
except ImportError:
    SPECIFIC: dict = {}

# The BMC says that it did not take the command: it may be sent again, whatever it is.
NOT_TAKEN = frozenset((0xC0, 0xD0, 0xD2))
# The BMC took the command and cannot tell what came of it.
RESULT_UNKNOWN = frozenset((0xC3, 0xCE, 0xCF))

PRIVILEGE_REMEDY = ("Use an account with more privileges, or raise ipmi_privilege_level as far as the account allows.")
_CODES: dict[int, tuple[type[BmcError], str, str]] = {
    0xC0: (Rejected, "it is busy", "Try again later."),
    0xC1: (Unsupported, "it does not know this command", ""),
    0xC2: (Unsupported, "it does not know this command for that unit", ""),
    0xC3: (Rejected, "it took too long over the command", "Try again later."),
    0xC4: (Rejected, "it has no space left", ""),
    0xC5: (Rejected, "the reservation was cancelled", "Another client is at work on this BMC: try again."),
    0xC6: (Rejected, "the request was cut off", ""),
    0xC7: (Rejected, "it expects another length of the request", ""),
    0xC8: (Rejected, "the request is longer than it takes", ""),
    0xC9: (Rejected, "a parameter is out of its range", ""),
    0xCA: (Rejected, "it cannot return that many bytes at once", ""),
    0xCB: (Rejected, "what was asked for is not there", ""),
    0xCC: (Rejected, "it finds the request invalid", ""),
    0xCD: (Rejected, "the command is not legal for that sensor or record", ""),
    0xCE: (Rejected, "it could not give an answer", "Try again later."),
    0xCF: (Rejected, "it took the command for a repeated one", ""),
    0xD0: (Rejected, "its sensor records are being updated", "Try again later."),
    0xD1: (Rejected, "its firmware is being updated", "Wait until the update is done."),
    0xD2: (Rejected, "it is still starting", "Try again later."),
    0xD3: (Rejected, "what the command is for cannot be reached", ""),
    0xD4: (AuthenticationFailed, "the account may not do this", PRIVILEGE_REMEDY),
    0xD5: (Rejected, "it cannot do this in its present state", ""),
    0xD6: (Unsupported, "this function is switched off", "Switch it on in the BMC's settings."),
    0xFF: (Rejected, "an unspecified error", ""),
}

# RMCP+ status codes after which the next cipher suite is offered.
SUITE_REFUSED = frozenset((0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12))
# Status codes that may pass: no session is free, or an earlier try of ours was cut off.
SESSION_FULL = frozenset((0x01, 0x0B))
SESSION_STALE = frozenset((0x02, 0x08))
_NAME = "it refuses the user name"
_STATUS: dict[int, tuple[type[BmcError], str, str]] = {
    0x01: (Rejected, "all of its sessions are taken", "Wait until one ends, or end one."),
    0x09: (AuthenticationFailed, "the account may not have the privilege level asked for",
           "Set ipmi_privilege_level: operator, or user."),
    0x0A: (AuthenticationFailed, "the account may not have the privilege level asked for",
           "Set ipmi_privilege_level: operator, or user."),
    0x0B: (Rejected, "all of its sessions of this privilege level are taken", "Wait until one ends, or end one."),
    0x0C: (AuthenticationFailed, _NAME, "Check bmc_username: it may have 16 characters."),
    0x0D: (AuthenticationFailed, _NAME, "Check bmc_username, that the account may use IPMI over LAN, and "
           "ipmi_privilege_level (some BMCs answer the same to a level that is too high)."),
    0x0F: (AuthenticationFailed, "it refuses the password", "Check bmc_password, and ipmi_kg where one is set."),
}


def error_for(command: Command, code: int) -> BmcError:
    """Return the error that a completion code other than 0 means."""
    words = SPECIFIC.get((command.netfn + 1, command.code), {}).get(code)
    kind, cause, remedy = _CODES.get(code, (Rejected, str(words).lower() if words else "it refused", ""))
    return kind(f"{command.name} failed: {cause} (completion code 0x{code:02X})", remedy=remedy,
                completion_code=code, command=command.name)


def login_error(status: int) -> BmcError:
    """Return the error that an RMCP+ status code other than 0 means."""
    kind, cause, remedy = _STATUS.get(status, (Rejected, "it refuses the session", ""))
    return kind(f"{cause} (RMCP+ status 0x{status:02X})", remedy=remedy, rmcp_status=status)


def completion_code(error: BmcError) -> Optional[int]:
    """Return the completion code that an error came from."""
    return error.details.get("completion_code")
