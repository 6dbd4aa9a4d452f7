#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_health_info
short_description: Read the health of a server through its BMC
version_added: 0.1.0
description:
  - Returns the state of health of one system and its chassis over Redfish or IPMI, with the readings of temperatures,
    fans and power supplies, their redundancy, and a summary of the event log.
  - Parts that are absent are left out. What a BMC does not tell is V(null). What it should tell and cannot is listed in
    RV(problems), and all else is returned; the task fails only where nothing could be read.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.info
options:
  sections:
    description:
      - The sections to read, all where it is not set. Fewer sections need fewer requests.
    type: list
    elements: str
    choices: [summary, temperatures, fans, power_supplies, redundancy, log_summary]
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_hardware_info
  - module: typeone.metal.bmc_log_info
"""

EXAMPLES = r"""
- name: Read the health
  typeone.metal.bmc_health_info:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
  register: result

- name: Fail where something is wrong
  ansible.builtin.assert:
    that: result.health.summary.health == 'ok'

- name: Show power supplies that are not well
  ansible.builtin.debug:
    msg: "{{ result.health.power_supplies | rejectattr('health', 'eq', 'ok') }}"
"""

RETURN = r"""
health:
  description: The sections asked for. Every row has all of its keys; C(health) is V(ok), V(warning) or V(critical).
  returned: success
  type: dict
  contains:
    summary:
      description: >-
        How the system, its processors, memory and storage, the BMC and the chassis are; C(health) is the worst of them.
        C(power_watts) is the power that it takes, C(intrusion) what the chassis sensor tells. Keys are C(health),
        C(system), C(processors), C(memory), C(storage), C(bmc), C(chassis), C(power_state), C(power_watts),
        C(intrusion).
      type: dict
      returned: when asked for; V(null) where it cannot be read
    temperatures:
      description: >-
        Temperatures in degrees Celsius, with their limits. Keys are C(name), C(reading_celsius), C(lower_critical),
        C(lower_warning), C(upper_warning), C(upper_critical), C(upper_fatal), C(context), C(chassis), C(health),
        C(state).
      type: list
      elements: dict
      returned: when asked for
    fans:
      description: >-
        Fans, with their speed in revolutions a minute or in percent, as the BMC tells it. Keys are C(name),
        C(reading_rpm), C(reading_percent), C(lower_critical), C(lower_warning), C(upper_warning), C(upper_critical),
        C(upper_fatal), C(context), C(chassis), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    power_supplies:
      description: >-
        Power supplies, with what they take and give in watts. Keys are C(name), C(manufacturer), C(model),
        C(part_number), C(serial_number), C(firmware_version), C(type), C(capacity_watts), C(input_watts),
        C(output_watts), C(input_volts), C(chassis), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    redundancy:
      description: >-
        Groups of power supplies or fans (C(kind)) that stand in for each other. Keys are C(kind), C(name), C(mode),
        C(members), C(min_needed), C(max_supported), C(chassis), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    log_summary:
      description: >-
        How many of the newest entries (C(read)) of the machine's event log (C(log)) are how bad; C(total) is how many
        there are. Keys are C(log), C(total), C(read), C(ok), C(warning), C(critical), C(unknown), C(newest).
      type: dict
      returned: when asked for; V(null) where there is no such log
  sample:
    summary: {health: warning, system: warning, processors: ok, memory: ok, storage: warning, bmc: ok, chassis: ok,
      power_state: "on", power_watts: 240, intrusion: normal}
    temperatures: [{name: CPU0 Temp, reading_celsius: 41, upper_critical: 90, context: cpu, health: ok}]
    power_supplies: [{name: PSU 1, serial_number: PSU0001, capacity_watts: 800, output_watts: 120, health: ok}]
    log_summary: {log: system/SEL, total: 2, read: 2, ok: 1, warning: 1, critical: 0, unknown: 0,
      newest: "2026-01-01T00:00:00Z"}
problems:
  description: What could not be read. C(section) tells where it is missing.
  returned: success
  type: list
  elements: dict
  sample: [{section: fans, path: /redfish/v1/Chassis/1/Thermal, cause: the BMC answers HTTP 500}]
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: unreachable}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource


def main() -> None:
    """Run the module."""
    run_module(HealthResource)


if __name__ == "__main__":
    main()
