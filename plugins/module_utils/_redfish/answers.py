# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Redfish service answers, and what its refusals mean."""

from __future__ import annotations

import email.utils
import math
import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional
from urllib.parse import urljoin, urlsplit

from .._bmc.errors import AuthenticationFailed, BmcError, Rejected, Timeout

Json = dict[str, Any]

# Messages by which BMCs say that a request was not taken and may be sent again (see the quirks page).
NOT_TAKEN = ("SYS518", "UnableToModifyDuringSystemPOST", "InvalidOperationForSystemState", "ResourceInUse",
             "ServiceTemporarilyUnavailable")
NOT_TAKEN_IN_POWER_CHANGE = ("ActionParameterValueConflict",)
DEFAULT_RETRY_AFTER = 2.0
LINKS = ("@odata.id", "target", "@Redfish.ActionInfo")


@dataclass
class Answer:
    """One answer: its status, headers (any case) and JSON object; ``body`` is empty where there was none."""

    status: int
    headers: Mapping[str, str]
    body: Json = field(default_factory=dict)

    @property
    def etag(self) -> Optional[str]:
        """Return the ETag of the resource, from the header or else the body."""
        value = self.headers.get("ETag") or self.body.get("@odata.etag")
        return value if isinstance(value, str) and value and value.isascii() and value.isprintable() else None


def absolute_links(document: Json, url: str) -> Json:
    """Make relative references in a document absolute paths, in place; ``url`` is where it came from (RFC 3986)."""
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, (dict, list)):
                    pending.append(item)
                elif (isinstance(item, str) and item[:1] not in ("", "/", "#") and "://" not in item
                      and (key in LINKS or key.endswith("nextLink"))):
                    parts = urlsplit(urljoin(url, item))
                    value[key] = parts.path + (f"?{parts.query}" if parts.query else "")
    return document


def retry_after(headers: Mapping[str, str], *, default: float = DEFAULT_RETRY_AFTER) -> float:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3): a number, or a date.

    Some BMCs send text in its place; that is ``default``. Never less than 0.1, never more than 300.
    """
    value = (headers.get("Retry-After") or "").strip()
    seconds = default
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value)
            seconds = moment.timestamp() - time.time()
        except (TypeError, ValueError, IndexError, OverflowError):
            pass
    if math.isnan(seconds):
        seconds = default
    return min(max(seconds, 0.1), 300.0)


def extended_messages(body: Json) -> list[Json]:
    """Return the messages of an error answer (DSP0266, section on error responses), whatever their form."""
    error = body.get("error")
    found = error.get("@Message.ExtendedInfo") if isinstance(error, dict) else body.get("@Message.ExtendedInfo")
    if isinstance(found, dict):
        found = [found]
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def error_text(body: Json) -> str:
    """Return what the BMC says is wrong, in one line; empty where it says nothing."""
    error = body.get("error")
    summary = error.get("message") if isinstance(error, dict) else None
    said = [message.get("Message") for message in extended_messages(body)]
    ids = [message.get("MessageId") for message in extended_messages(body)]
    if isinstance(summary, str) and "ExtendedInfo" in summary and (said or ids):
        summary = None
    for found in (said, [summary], ids):
        texts = [text.strip().rstrip(".") for text in found if isinstance(text, str) and text.strip()]
        if texts:
            return "; ".join(dict.fromkeys(texts))[:600]
    return ""


def message_ids(body: Json) -> list[str]:
    """Return the message ids of an error answer."""
    return [str(message["MessageId"]) for message in extended_messages(body) if message.get("MessageId")]


def says(body: Json, words: tuple[str, ...]) -> bool:
    """Tell whether an error answer holds one of the words, in an id or a text."""
    text = " ".join(message_ids(body)) + " " + error_text(body)
    error = body.get("error")
    if isinstance(error, dict):
        text += f" {error.get('code')}"
    return any(word in text for word in words)


def not_now(method: str, path: str, answer: Answer, *, seconds: float) -> Timeout:
    """Return the error for a write that the BMC would not take yet, for as long as it was asked."""
    return Timeout(f"the BMC did not take {method} {path} for {seconds:.0f} s (HTTP {answer.status}), and says: "
                   f"{error_text(answer.body) or 'nothing'}", remedy="Try again when the system is in another state.",
                   status=answer.status, message_ids=message_ids(answer.body), path=path)


def refusal(method: str, path: str, answer: Answer) -> BmcError:
    """Return the error that an answer of 400 and above stands for."""
    text = error_text(answer.body)
    said = f" and says: {text}" if text else ""
    details = {"status": answer.status, "message_ids": message_ids(answer.body), "path": path, "method": method}
    if answer.status == 401:
        return AuthenticationFailed("the BMC does not accept the account (HTTP 401)",
                                    remedy="Check bmc_username and bmc_password.", **details)
    if answer.status == 403:
        return AuthenticationFailed(f"the account may not do this (HTTP 403 on {method} {path}{said})",
                                    remedy="Use an account with the privilege, or check the BMC's licence.", **details)
    return Rejected(f"the BMC answers HTTP {answer.status} to {method} {path}{said}", **details)
