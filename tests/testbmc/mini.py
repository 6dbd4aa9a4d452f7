# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The `mini` tree: a small but whole machine, made in code, for tests that need no archive."""

from __future__ import annotations

import functools
import json

from .mini_chassis import chassis
from .mini_services import services
from .mini_system import system
from .trees import Tree

VENDOR, MODEL, BMC_VERSION = "Contoso", "Mini 1U", "1.2.3"


def ref(path: str) -> dict:
    """A link."""
    return {"@odata.id": path}


@functools.lru_cache(maxsize=None)
def build() -> Tree:
    """The tree, made once a process."""
    found: dict = {}
    for part in (_root, system, chassis, services):
        found.update(part())
    return Tree("mini", {path: json.dumps({"@odata.id": path, **data}).encode() for path, data in found.items()})


def _root() -> dict:
    base = "/redfish/v1"
    listed = {name: ref(f"{base}/{name}") for name in
              ("Systems", "Chassis", "Managers", "SessionService", "AccountService", "EventService", "UpdateService", "Registries",
               "CertificateService")}
    return {
        "/redfish": {"v1": "/redfish/v1/"},
        base: {"@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "Id": "RootService", "Name": "Root Service", "RedfishVersion": "1.15.0",
               "UUID": "92384634-2938-2342-8820-489239905423", "Vendor": VENDOR, "Product": MODEL, **listed, "Tasks": ref(f"{base}/TaskService"),
               "Links": {"Sessions": ref(f"{base}/SessionService/Sessions")},
               "ProtocolFeaturesSupported": {"ExpandQuery": {"ExpandAll": True, "Levels": True, "MaxLevels": 2, "Links": True, "NoLinks": True},
                                             "SelectQuery": False, "FilterQuery": False, "OnlyMemberQuery": False}},
    }
