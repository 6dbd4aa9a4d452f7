# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Which method does what: handlers by kind of resource and by action, and the refusals in between."""

from __future__ import annotations

from .messages import Response, error, refusal

PATCHES: dict = {}
ACTIONS: dict = {}
CREATES: dict = {}
DELETES: dict = {}


def patches(kind: str):
    """Register handler(bmc, path, data, request) for PATCH on resources of a schema."""
    return lambda function: PATCHES.setdefault(kind, function)


def action(name: str):
    """Register handler(bmc, owner, data, request) for an action, by its name without "#"."""
    return lambda function: ACTIONS.setdefault(name, function)


def creates(kind: str):
    """Register handler(bmc, path, data, request) for POST on collections of a schema."""
    return lambda function: CREATES.setdefault(kind, function)


def deletes(kind: str):
    """Register handler(bmc, path, request) for DELETE of resources of a schema."""
    return lambda function: DELETES.setdefault(kind, function)


class Routes:
    """The handlers of one BMC, so that a quirk can change them for that one only."""

    def __init__(self) -> None:
        self.patches = dict(PATCHES)
        self.actions = dict(ACTIONS)
        self.creates = dict(CREATES)
        self.deletes = dict(DELETES)

    def allowed(self, bmc, path: str) -> list:
        """Methods that a path takes."""
        if path in bmc.store.actions:
            return ["POST"] if bmc.store.actions[path][0] in self.actions else []
        if bmc.firmware.is_push(path):
            return ["GET", "HEAD", "POST"] if path in bmc.store else ["POST"]
        if path not in bmc.store:
            return []
        kind = bmc.store.kind(path)
        found = ["GET", "HEAD"]
        if kind in self.patches:
            found.append("PATCH")
        if kind in ("ManagerAccountCollection", "ManagerAccount") and bmc.accounts.slots:
            return found
        if kind in self.creates or (bmc.options.sessions and path == bmc.sessions.collection):
            found.append("POST")
        if kind in self.deletes:
            found.append("DELETE")
        return found

    def write(self, bmc, request) -> Response:
        """Carry a write out, or refuse it as a BMC does: 404, 405 with Allow, 412, 428, 400."""
        path = bmc.store.real(request.path)
        allowed = self.allowed(bmc, path)
        if not allowed:
            return error("ResourceMissingAtURI", path)
        if request.method not in allowed:
            return error("OperationNotAllowed", headers={"Allow": ", ".join(allowed)})
        bmc.etags.check(request)
        return self._call(bmc, request) or Response(204)

    def _call(self, bmc, request):
        path = bmc.store.real(request.path)
        kind = bmc.store.kind(path)
        if request.method == "DELETE":
            return self.deletes[kind](bmc, path, request)
        if request.method == "PATCH":
            data = request.json()
            if not data:
                raise refusal("EmptyJSON")
            return self.patches[kind](bmc, path, data, request) or patched(bmc, path)
        if path in bmc.store.actions:
            name, owner = bmc.store.actions[path]
            return self.actions[name](bmc, owner, request.json(empty={}), request)
        if bmc.firmware.is_push(path):
            return bmc.firmware.pushed(request)
        if bmc.options.sessions and path == bmc.sessions.collection:
            return bmc.sessions.create(request)
        return self.creates[kind](bmc, path, request.json(), request)


def patched(bmc, path: str) -> Response:
    """The answer to a PATCH that was carried out."""
    if bmc.options.patch_status == 204:
        return Response(204)
    return Response(200, bmc.store.raw(path), headers=bmc.etags.headers(path))


def check_properties(bmc, path: str, data: dict, rules: dict, *, prefix: str = "") -> None:
    """Refuse what a PATCH may not hold. rules: {property: type | tuple of types | list of values | function(value) | dict
    (an object inside)}; a property outside the rules is refused as read-only where the resource has it, else as unknown."""
    here = bmc.store.get(path)
    for step in prefix.split("/"):
        here = here.get(step, {}) if step and isinstance(here, dict) else here
    for name, value in data.items():
        if name.startswith("@odata."):
            continue
        if name not in rules:
            raise refusal("PropertyNotWritable" if name in here else "PropertyUnknown", name, related=[prefix + name])
        _check(name, value, rules[name], prefix)
        if isinstance(rules[name], dict):
            check_properties(bmc, path, value, rules[name], prefix=f"{prefix}{name}/")


def _check(name: str, value, rule, prefix: str) -> None:
    related = [prefix + name]
    if isinstance(rule, list):
        if value not in rule:
            raise refusal("PropertyValueNotInList", value, name, related=related)
    elif isinstance(rule, dict):
        if not isinstance(value, dict):
            raise refusal("PropertyValueTypeError", value, name, related=related)
    elif isinstance(rule, (type, tuple)):
        wanted = rule if isinstance(rule, tuple) else (rule,)
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise refusal("PropertyValueTypeError", value, name, related=related)
    elif not rule(value):
        raise refusal("PropertyValueFormatError", value, name, related=related)


def check_parameters(name: str, data: dict, *, known, required=()) -> None:
    """Refuse missing and unknown parameters of an action."""
    for parameter in required:
        if parameter not in data:
            raise refusal("ActionParameterMissing", name, parameter, related=[parameter])
    for parameter in data:
        if parameter not in known and not parameter.startswith("@"):
            raise refusal("ActionParameterUnknown", name, parameter, related=[parameter])


def allowable(bmc, owner: str, name: str, parameter: str):
    """Values that an action's parameter may have, from the resource or its ActionInfo; None where nothing is told."""
    block = bmc.store.get(owner).get("Actions", {}).get(f"#{name}") or bmc.store.get(owner).get(f"#{name}") or {}
    values = block.get(f"{parameter}@Redfish.AllowableValues")
    if isinstance(values, list):
        return values
    info = block.get("@Redfish.ActionInfo")
    for item in bmc.store.get(info).get("Parameters", []) if isinstance(info, str) else []:
        if item.get("Name") == parameter:
            return item.get("AllowableValues")
    return None


def check_allowable(bmc, owner: str, name: str, parameter: str, *, value, fallback=None) -> None:
    """Refuse a parameter's value that is not among those told."""
    values = allowable(bmc, owner, name, parameter) or fallback
    if values is not None and value not in values:
        raise refusal("ActionParameterValueNotInList", value, parameter, name, status=400, related=[parameter])
