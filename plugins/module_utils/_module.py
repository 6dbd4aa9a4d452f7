# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that runs a resource as a module."""

from __future__ import annotations

from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._bmc.options import CONNECTION_SPEC
from ._resources.base import Resource
from ._resources.run import execute as execute_one


def argument_spec(resource: type[Resource]) -> dict[str, dict[str, Any]]:
    """Return all options of a resource: how to connect, and its own."""
    return {**CONNECTION_SPEC, **resource.SPEC}


def with_library_hint(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result, with Ansible's own words where a library is missing."""
    library = result.get("error", {}).get("library")
    return dict(result, msg=missing_required_lib(library)) if library else result


def run_module(resource: type[Resource], *, execute: Callable[..., dict[str, Any]] = execute_one) -> None:
    """Run a resource with the options of this module, and exit. ``execute`` is what runs it: at one BMC."""
    module = AnsibleModule(argument_spec=argument_spec(resource), supports_check_mode=True, **resource.CONSTRAINTS)
    result = with_library_hint(execute(resource, module.params, check_mode=module.check_mode, tell=module.debug))
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
