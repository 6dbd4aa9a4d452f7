# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``bmc_fleet_info``, run on the controller."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail

from ..module_utils._resources.fleet_info import OF_ONE_HOST, FleetInfo, execute_fleet
from ..plugin_utils._action import ResourceAction


class ActionModule(ResourceAction):
    """Reads many BMCs in this one process; a name in ``hosts`` stands for a host of the inventory."""

    RESOURCE = FleetInfo
    EXECUTE = staticmethod(execute_fleet)

    def _arguments(self, task_vars):
        """Return the options; names of inventory hosts are replaced by what their variables say."""
        arguments = super()._arguments(task_vars)
        hosts = arguments.get("hosts")
        if isinstance(hosts, (list, tuple)):
            arguments["hosts"] = [self._of_inventory(host, task_vars) if isinstance(host, str) else host
                                  for host in hosts]
        return arguments

    @staticmethod
    def _of_inventory(name, task_vars):
        """Return the connection options that an inventory host's variables set."""
        if name not in task_vars["hostvars"]:
            raise AnsibleActionFail(f"hosts names '{name}', which is no host of the inventory. Name inventory hosts, "
                                    "or give mappings with a bmc_address.")
        variables = task_vars["hostvars"][name]
        return {"name": name, **{option: variables[option] for option in OF_ONE_HOST
                                 if variables.get(option) is not None}}
