#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_log_info
short_description: Read the event logs of a BMC
version_added: 0.1.0
description:
  - Lists the event logs that a BMC keeps of a server and of itself, over Redfish or IPMI, with their newest entries.
  - A log that cannot be read is a problem in the result, and the others are returned.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.info
options:
  logs:
    description:
      - The logs to read, by id (V(system/SEL)), by the part of it after the owner (V(SEL)), or by name.
      - All of them where this is not set.
    type: list
    elements: str
  limit:
    description: How many entries of each log to return, the newest first.
    type: int
    default: 50
  since:
    description:
      - Return no entries that are older; a time such as V(2026-01-31T12:00:00Z), or an age such as V(90m), V(36h) or
        V(7d).
      - Ages are counted by the clock of the machine that runs the task, times of entries are the BMC's.
    type: str
  severity:
    description:
      - Return no entries that are less severe. An entry that tells no severity is left out then.
      - The newest 1000 entries of a log are looked through.
    type: str
    choices: [ok, warning, critical]
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_log
"""

EXAMPLES = r"""
- name: See what went wrong in the last day
  typeone.metal.bmc_log_info:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    since: 24h
    severity: warning
  register: events

- name: Show it
  ansible.builtin.debug:
    msg: "{{ events.logs | map(attribute='entries') | flatten | map(attribute='message') }}"

- name: Read the last ten entries of the system event log
  typeone.metal.bmc_log_info:
    logs: [SEL]
    limit: 10
"""

RETURN = r"""
logs:
  description: The logs, each with its newest entries that match.
  returned: when the BMC answered
  type: list
  elements: dict
  contains:
    id:
      description: A name that no other log of this BMC has, starting with its owner.
      type: str
      returned: always
    name:
      description: What the BMC calls it.
      type: str
      returned: always
    owner:
      description: Whose log it is, V(system), V(bmc) or V(chassis).
      type: str
      returned: always
    clearable:
      description: Whether the BMC lets it be cleared.
      type: bool
      returned: always
    entries:
      description: The entries, newest first. V(null) is what the BMC does not tell.
      type: list
      elements: dict
      returned: always
      contains:
        id:
          description: The BMC's own id of the entry.
          type: str
          returned: always
        created:
          description: When it was made, in UTC.
          type: str
          returned: always
        severity:
          description: V(ok), V(warning) or V(critical).
          type: str
          returned: always
        message:
          description: What happened.
          type: str
          returned: always
        message_id:
          description: The id of the message in its registry.
          type: str
          returned: always
  sample: [{id: system/SEL, name: System Event Log, owner: system, clearable: true, entries: [{id: "2",
    created: "2026-01-01T00:01:00Z", severity: warning, message: Fan 2 below threshold., message_id: Event.1.0.Fan}]}]
problems:
  description: What could not be read, and why.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{section: logs, path: bmc/Journal, cause: the BMC answers HTTP 500}]
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: invalid_input, logs: [bmc/Log, system/Log]}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource


def main() -> None:
    """Run the module."""
    run_module(LogInfoResource)


if __name__ == "__main__":
    main()
