#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_log
short_description: Clear event logs of a BMC
version_added: 0.1.0
description:
  - Clears event logs that a BMC keeps, over Redfish or IPMI, and proves that the entries are gone.
  - A log that holds nothing, or nothing but the note that it was cleared, is left alone.
  - The newest 100 entries of each log are returned before they are cleared, in C(diff.before).
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  logs:
    description:
      - The logs to clear, by id (V(system/SEL)), by the part of it after the owner (V(SEL)), or by name.
      - M(typeone.metal.bmc_log_info) lists them. If one of them cannot be cleared, none is.
    type: list
    elements: str
    required: true
  state:
    description: The state to reach.
    type: str
    choices: [cleared]
    default: cleared
  wait_timeout:
    description: Seconds to wait until the entries of a log are gone.
    type: int
    default: 30
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_log_info
"""

EXAMPLES = r"""
- name: Start with an empty system event log
  typeone.metal.bmc_log:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    logs: [SEL]

- name: Clear all logs that can be cleared
  typeone.metal.bmc_log:
    logs: "{{ found.logs | selectattr('clearable') | map(attribute='id') }}"
"""

RETURN = r"""
logs:
  description:
    - The logs as they are now, or would be in check mode, as M(typeone.metal.bmc_log_info) returns them, with their
      newest 100 entries.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{id: system/SEL, name: System Event Log, owner: system, clearable: true, entries: []}]
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {logs: [system/SEL], state: cleared}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: POST, path: /redfish/v1/Systems/1/LogServices/SEL/Actions/LogService.ClearLog, body: {},
    status: 204}]
observed:
  description: What was read back afterwards, as RV(logs).
  returned: success
  type: list
  elements: dict
verified:
  description: Whether the entries are gone.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: unsupported, capability: logs}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogResource


def main() -> None:
    """Run the module."""
    run_module(LogResource)


if __name__ == "__main__":
    main()
