# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What a habit is: it may look at a request before the BMC does, and at its answer."""

from __future__ import annotations

from ..messages import error

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
        self.hits = 0

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

    # Helpers for subclasses

    def hit(self, response):
        """Count that the habit showed, and return the answer."""
        self.hits += 1
        return response

    def is_patch(self, request, kind: str) -> bool:
        """Whether this is a PATCH of a resource of a schema."""
        return request.method == "PATCH" and self.bmc.store.kind(request.path) == kind

    def is_action(self, request, name: str) -> bool:
        """Whether this is a POST of an action."""
        return request.method == "POST" and self.bmc.store.actions.get(request.path, ("",))[0] == name

    def boot_of(self, request):
        """The Boot object that a PATCH of a system writes, None where this is none."""
        if not self.is_patch(request, "ComputerSystem"):
            return None
        boot = request.json(empty={}).get("Boot")
        return boot if isinstance(boot, dict) else None

    def change_json(self, response, change) -> None:
        """Apply change(data) to an answer's JSON in place."""
        data = response.json()
        if isinstance(data, dict):
            change(data)
            response.body = type(response)(200, data).body


class Refuses(Quirk):
    """Shared by habits that refuse the first `times` fitting requests (None: always)."""

    times: int | None = None
    status = 400
    message = "GeneralError"
    registry = "Base.1.12"
    text: str | None = None
    args: tuple = ()

    def wants(self, _request) -> bool:
        """Whether the habit shows on this request."""
        return False

    def before(self, request):
        if (self.times is None or self.hits < self.times) and self.wants(request):
            return self.hit(error(self.message, *self.args, status=self.status, registry=self.registry, text=self.text))
        return None
