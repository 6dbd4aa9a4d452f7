# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a resource against a server, as the shells do, with the defaults of all options."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.typeone.metal.plugins.module_utils._bmc.options import CONNECTION_SPEC, connection_from
from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._redfish.driver import RedfishDriver
from ansible_collections.typeone.metal.plugins.module_utils._resources.run import execute


def connect(bmc: Any) -> dict[str, Any]:
    """Return the connection options for a test BMC: verified TLS, its own account."""
    options = {"bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password,
               "bmc_protocol": "redfish", "bmc_timeout": 20}
    return dict(options, ca_path=bmc.ca_path) if bmc.url.startswith("https") else options


def run(resource: type, bmc: Any, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    """Run a resource against a test BMC and return the task's result; invalid options fail the test."""
    given = {**(connect(bmc) if bmc is not None else {}), **params}
    validated = ArgumentSpecValidator(argument_spec(resource), **resource.CONSTRAINTS).validate(given)
    assert not validated.error_messages, validated.error_messages
    return execute(resource, validated.validated_parameters, check_mode=check_mode, tell=lambda text: None)


@contextmanager
def driver(bmc: Any, *, check_mode: bool = False, **params: Any) -> Iterator[RedfishDriver]:
    """An open Redfish driver, closed at the end."""
    options = {**{name: spec.get("default") for name, spec in CONNECTION_SPEC.items()}, **connect(bmc), **params}
    opened = RedfishDriver(connection_from(options, check_mode=check_mode))
    try:
        opened.open()
        yield opened
    finally:
        opened.close()
