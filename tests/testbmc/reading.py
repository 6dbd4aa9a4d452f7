# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""GET: resources as recorded or as changed since, $expand where it is advertised, ETags, 304."""

from __future__ import annotations

import json
import re

from .messages import Response, error, normalise


def get(bmc, request) -> Response:
    """Answer a GET or HEAD."""
    path = bmc.store.real(request.path)
    watched = bmc.tasks.monitor(path)
    if watched is not None:
        return watched
    bmc.tasks.refresh(path)
    raw = bmc.store.raw(path)
    if raw is None:
        if path == "/redfish":
            return Response(200, {"v1": "/redfish/v1/"})
        allowed = bmc.routes.allowed(bmc, path)
        if allowed:
            return error("OperationNotAllowed", headers={"Allow": ", ".join(allowed)})
        return error("ResourceMissingAtURI", path)
    if raw.lstrip()[:1] == b"<":
        return Response(200, raw, headers={"Content-Type": "application/xml"})
    headers = bmc.etags.headers(path)
    if request.headers.get("if-none-match") and request.headers.get("if-none-match") == headers.get("ETag"):
        return Response(304, headers=headers)
    headers.update({"Content-Type": "application/json; charset=utf-8", "Allow": ", ".join(bmc.routes.allowed(bmc, path))})
    if any(name.startswith("$") or name == "only" for name in request.query) and bmc.options.query != "ignore":
        return _query(bmc, request, headers)
    return Response(200, raw, headers=headers)


def _query(bmc, request, headers: dict) -> Response:
    features = bmc.store.get("/redfish/v1").get("ProtocolFeaturesSupported") or {}
    data = bmc.store.get(request.path)
    expand = request.query.get("$expand")
    if expand is None or set(request.query) != {"$expand"} or bmc.options.query == "refuse":
        return error("QueryNotSupported")
    advertised = features.get("ExpandQuery")
    if not isinstance(advertised, dict):
        return error("QueryNotSupported")
    found = re.fullmatch(r"([.*~])(?:\(\$levels=(\d+)\))?", expand)
    needed = {".": "NoLinks", "*": "ExpandAll", "~": "Links"}
    if not found or not advertised.get(needed[found.group(1)]):
        return error("QueryNotSupported")
    levels = min(int(found.group(2) or 1), int(advertised.get("MaxLevels") or 1))
    return Response(200, json.dumps(expanded(bmc, data, kind=found.group(1), levels=levels)).encode(), headers=headers)


def expanded(bmc, data, *, kind: str, levels: int, inside_links: bool = False):
    """Data with its references replaced by what they point to (DSP0266, 7.3.1)."""
    if isinstance(data, list):
        return [expanded(bmc, item, kind=kind, levels=levels, inside_links=inside_links) for item in data]
    if not isinstance(data, dict):
        return data
    if set(data) == {"@odata.id"} and isinstance(data["@odata.id"], str):
        wanted = {".": not inside_links, "~": inside_links, "*": True}[kind]
        target = bmc.store.get(normalise(data["@odata.id"])) if wanted and "#" not in data["@odata.id"] else None
        if not target:
            return data
        if levels <= 1:
            return target
        return expanded(bmc, target, kind=kind, levels=levels - 1)
    return {key: expanded(bmc, value, kind=kind, levels=levels, inside_links=inside_links or key == "Links")
            for key, value in data.items()}
