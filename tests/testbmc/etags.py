# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""ETags as BMCs hold them: how they look, and what is made of If-Match."""

from __future__ import annotations

from .messages import refusal


class Etags:
    """Options: etag = recorded|weak|strong|none; etag_policy = names of POLICIES that hold together."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc

    def headers(self, path: str) -> dict:
        """The ETag header of a resource."""
        tag = self._bmc.store.etag(path, self._bmc.options.etag)
        return {"ETag": tag} if tag else {}

    def check(self, request) -> None:
        """Refuse a write whose If-Match does not suit."""
        policy = self._bmc.options.etag_policy
        given = request.headers.get("if-match")
        if request.method == "POST":
            if given is not None and "refused_on_post" in policy:
                raise refusal("PreconditionFailed")
            return
        if request.method not in ("PATCH", "PUT"):
            return
        if given is None:
            if "required" in policy:
                raise refusal("PreconditionRequired")
            return
        tag = self._bmc.store.etag(request.path, self._bmc.options.etag)
        for name in policy:
            POLICIES[name](given, tag)
        if "ignored" in policy or given.strip() == "*":
            return
        if tag is None or _bare(given) != _bare(tag):
            raise refusal("PreconditionFailed")


def _bare(tag: str) -> str:
    tag = tag.strip()
    return (tag[2:] if tag.startswith("W/") else tag).strip('"')


def _refuse_if(wrong) -> None:
    if wrong:
        raise refusal("PreconditionFailed")


# Each looks at the If-Match given and the resource's ETag.
POLICIES: dict = {
    "required": lambda given, tag: None,                                        # 428 without If-Match
    "ignored": lambda given, tag: None,                                         # anything passes
    "refused": lambda given, tag: _refuse_if(True),                             # any If-Match is 412
    "refused_on_post": lambda given, tag: None,                                 # If-Match on an action is 412 (Dell iDRAC10)
    "strong_only": lambda given, tag: _refuse_if(given.startswith("W/")),       # weak tags never match
    "unquoted": lambda given, tag: _refuse_if('"' in given),                    # the quotes must be left out
    "exact": lambda given, tag: _refuse_if(given != tag),                       # compared as text
}
