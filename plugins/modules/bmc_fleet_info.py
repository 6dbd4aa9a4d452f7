#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_fleet_info
short_description: Read the hardware and health of many BMCs in one task
version_added: 0.1.0
description:
  - Reads many BMCs side by side in one task, instead of a process for each host, within a limit in all, a limit for
    each subnet, and a deadline for each host. A BMC that is dead or slow delays no other.
  - Results can be streamed to a file as they come, and a run that was ended can be resumed.
  - Run it once, with C(run_once) and C(delegate_to=localhost), or in a play over localhost.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.info
options:
  hosts:
    description:
      - The BMCs to read. What a host does not set is taken from the task's own connection options.
      - Where the task runs on the controller, the name of an inventory host may stand in place of a mapping; its
        variables of the options' names are used.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name in results; the address where it is not set. Each must have its own.
        type: str
      bmc_address:
        description: As O(bmc_address). Needed for each host.
        type: str
      bmc_port:
        description: As O(bmc_port).
        type: int
      bmc_protocol:
        description: As O(bmc_protocol).
        type: str
        choices: [auto, redfish, ipmi]
      bmc_username:
        description: As O(bmc_username).
        type: str
      bmc_password:
        description: As O(bmc_password).
        type: str
      bmc_system:
        description: As O(bmc_system).
        type: str
      validate_certs:
        description: As O(validate_certs).
        type: bool
      ca_path:
        description: As O(ca_path).
        type: path
      tls_fingerprint:
        description: As O(tls_fingerprint).
        type: str
  gather:
    description: What to read of each BMC, over one login.
    type: list
    elements: str
    choices: [hardware, health]
    default: [hardware]
  hardware_sections:
    description: As O(typeone.metal.bmc_hardware_info#module:sections); all where it is not set.
    type: list
    elements: str
    choices: [system, bmc, processors, memory, network_interfaces, storage_controllers, disks, volumes, pcie_devices,
      gpus, firmware]
  health_sections:
    description: As O(typeone.metal.bmc_health_info#module:sections); all where it is not set.
    type: list
    elements: str
    choices: [summary, temperatures, fans, power_supplies, redundancy, log_summary]
  limit:
    description: How many BMCs are read at a time.
    type: int
    default: 100
  workers:
    description:
      - How many processes share the work. The limits hold over all of them.
      - If it is not set, one for each CPU that the task may use, at most 8. There are never more than CPUs, nor more
        than one for each 25 hosts; where there is one, the hosts are read in the task's own process.
      - Each takes some 30 MiB of memory, and more with the BMCs that it reads at a time.
    type: int
  subnet_limit:
    description: How many BMCs of one subnet are read at a time.
    type: int
    default: 50
  subnet_prefix:
    description: The length of the prefix that makes an IPv4 subnet; for IPv6, 40 bits more. A host name is its own.
    type: int
    default: 24
  host_timeout:
    description: Seconds that one BMC may take in all over Redfish. What was not read by then is told as such.
    type: int
    default: 120
  output:
    description:
      - A file to write results to as they come, one JSON object a line. It is replaced, readable by its owner alone.
      - RV(fleet.hosts) then is not returned. Not written in check mode.
    type: path
  resume:
    description: Keep the hosts that stand in O(output) and were read well, and read the others.
    type: bool
    default: false
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_hardware_info
  - module: typeone.metal.bmc_health_info
  - plugin: typeone.metal.place_nodes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Inspect all hosts of the play, into a file
  typeone.metal.bmc_fleet_info:
    hosts: "{{ ansible_play_hosts_all }}"
    gather: [hardware, health]
    output: "{{ playbook_dir }}/fleet.jsonl"
    resume: true
  run_once: true

- name: Poll power and health of two BMCs
  typeone.metal.bmc_fleet_info:
    hosts:
      - {name: node1, bmc_address: 192.0.2.11}
      - {name: node2, bmc_address: 192.0.2.12, bmc_username: root}
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    gather: [health]
    health_sections: [summary]
  register: polled
"""

RETURN = r"""
fleet:
  description: The fleet as it was read.
  returned: success, or when no BMC could be read
  type: dict
  contains:
    total:
      description: How many hosts there are.
      type: int
    ok:
      description: How many were read.
      type: int
    failed:
      description: How many could not be read.
      type: int
    kept:
      description: How many of those that were read stood in O(output) already.
      type: int
    seconds:
      description: How long it took.
      type: float
    output:
      description: The file of results.
      type: str
    failures:
      description: Name, address and cause for each host that could not be read.
      type: list
      elements: dict
    hosts:
      description:
        - For each host C(name), C(address), C(ok), C(seconds) and C(results), where each of O(gather) is what the
          module of that name returns. The same is a line of O(output).
      type: list
      elements: dict
  sample:
    total: 2
    ok: 1
    failed: 1
    kept: 0
    seconds: 10.2
    output:
    failures: [{name: node2, address: 192.0.2.12, msg: "Cannot inspect the hardware on 192.0.2.12: ..."}]
    hosts: [{name: node1, address: 192.0.2.11, ok: true, seconds: 0.4, results: {hardware: {}}}]
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: invalid_input}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.fleet_info import FleetInfo, execute_fleet


def main() -> None:
    """Run the module."""
    run_module(FleetInfo, execute=execute_fleet)


if __name__ == "__main__":
    main()
