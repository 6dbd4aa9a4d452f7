# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What a habit is: it may look at a request before the BMC does, and at its answer."""

from __future__ import annotations

QUIRKS: dict = {}


def quirk(name: str):
    """Register a class under a name."""
    def keep(found):
        found.name = name
        QUIRKS[name] = found
        return found
    return keep


class Quirk:
    """A habit of one BMC. Parameters become attributes; class attributes are their defaults."""

    name = ""

    def __init__(self, **parameters) -> None:
        for key, value in parameters.items():
            if not hasattr(type(self), key):
                raise ValueError(f"quirk {self.name} has no parameter {key}")
            setattr(self, key, value)
        self.bmc = None

    def install(self, bmc) -> None:
        """Change the BMC before it serves."""
        self.bmc = bmc
        self.setup()

    def setup(self) -> None:
        """For subclasses: change options, routes, resources."""

    def before(self, _request):
        """An answer instead of the BMC's own, or None."""
        return None

    def after(self, _request, _response):
        """Another answer instead of the BMC's, or None (the response may be changed in place)."""
        return None
