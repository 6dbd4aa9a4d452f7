# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a resource over IPMI, and drivers without a resource."""

from __future__ import annotations

from typing import Any

from running import run

from ansible_collections.typeone.metal.plugins.module_utils._bmc.options import Connection
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.driver import IpmiDriver


def over_ipmi(resource: type, bmc: Any, **params: Any) -> dict[str, Any]:
    """Run a resource against an IPMI server on this machine and return the task's result."""
    return run(resource, None, **{"bmc_address": "127.0.0.1", "ipmi_port": bmc.port, "bmc_protocol": "ipmi",
                                  "bmc_username": bmc.username, "bmc_password": bmc.password, "bmc_timeout": 10,
                                  **params})


def driver(bmc: Any, **options: Any) -> IpmiDriver:
    """Return a driver for an IPMI server on this machine; use it as a context manager."""
    return IpmiDriver(Connection(**{"address": "127.0.0.1", "ipmi_port": bmc.port, "username": bmc.username,
                                    "password": bmc.password, "timeout": 10, "protocol": "ipmi", **options}))
