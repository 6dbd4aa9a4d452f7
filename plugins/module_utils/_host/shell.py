# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell of modules that work on a server: one place where errors become failures and warnings are passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError


def run_host_module(module: AnsibleModule, work: Callable[[], dict[str, Any]]) -> None:
    """Do the work and exit with its result; HostError is the task's failure."""
    try:
        result = work()
    except HostError as error:
        module.fail_json(msg=str(error), **getattr(error, "result", {}))
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if not result.get("diff"):
        result.pop("diff", None)
    module.exit_json(**result)
