# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one tree of errors. Libraries' exceptions are wrapped in these; nothing above a driver sees any other."""

from __future__ import annotations

from typing import Any, Optional


class BmcError(Exception):
    """Something that kept a BMC from being read or changed.

    :param cause: what is wrong, as a clause without a full stop.
    :param remedy: what the reader can do about it, as whole sentences.
    :param details: plain data for the ``error`` key of the result; never a secret.
    """

    kind = "error"

    def __init__(self, cause: str, *, remedy: str = "", **details: Any) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form of the ``error`` key: the kind and what is known."""
        return {"kind": self.kind, **{key: value for key, value in self.details.items() if value is not None}}

    def message(self, doing: str, address: str, protocol: Optional[str]) -> str:
        """Return the sentence for a user: what could not be done, where, why, and what helps."""
        via = f" via {protocol}" if protocol else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"Cannot {doing} on {address}{via}: {self.cause.rstrip('.')}.{remedy}"


class Unreachable(BmcError):
    """The BMC did not answer, or not as a BMC: address, port, name, TLS."""

    kind = "unreachable"


class AuthenticationFailed(BmcError):
    """The BMC refuses the account, or the account may not do this."""

    kind = "authentication_failed"


class Unsupported(BmcError):
    """The protocol, or this BMC, cannot do what was asked for."""

    kind = "unsupported"


class Rejected(BmcError):
    """The BMC understood and refused."""

    kind = "rejected"


class Timeout(BmcError):
    """A deadline passed; ``last_seen`` in the details says what was seen last."""

    kind = "timeout"


class InvalidInput(BmcError):
    """An option names something that is not there, or is ambiguous; nothing was touched."""

    kind = "invalid_input"


class BrokenAnswer(BmcError):
    """The BMC answered with something that is not what the standard says (not JSON, cut off, no object)."""

    kind = "broken_answer"


class WriteInCheckMode(BmcError):
    """A write was about to be sent in check mode. The transport refused it: a defect of ours, never of the user."""

    kind = "write_in_check_mode"


class AnswerLost(Unreachable):
    """The connection broke after a write was sent: whether it took effect is not known until it is read back."""

    kind = "answer_lost"


class MissingLibrary(BmcError):
    """A Python library that the protocol in use needs is not installed."""

    kind = "missing_library"

    def __init__(self, library: str, reason: str) -> None:
        super().__init__(f"the Python library {library} is missing ({reason})",
                         remedy=f"Install it where this task runs: pip install '{library}'.", library=library)
        self.library = library
