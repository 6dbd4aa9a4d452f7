#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_cpu_isolation
short_description: Keep CPUs for guests
version_added: 0.1.0
description:
  - Divides the CPUs into housekeeping (the system's) and dedicated (guests'), by whole cores, on the real topology.
  - Keeps services, login sessions and interrupts on the housekeeping CPUs, and returns the arguments that the next boot
    needs for M(typeone.metal.kernel_cmdline).
  - Once the kernel has isolated the CPUs, where tasks may really run is checked at every run.
  - Under Xen, dom0 gets the housekeeping CPUs, each virtual CPU pinned to the CPU of its number.
  - Without any of O(housekeeping), O(dedicated), O(housekeeping_cores) and O(dedicated_cores) everything is given up.
author: typeone.metal contributors (@typeone)
extends_documentation_fragment: typeone.metal.host
options:
  housekeeping:
    description: CPUs of the system, as a list such as V(0-1,8-9). The others are dedicated.
    type: str
  dedicated:
    description: CPUs of guests, as a list. The others are the system's.
    type: str
  housekeeping_cores:
    description: Cores that the system keeps on each NUMA node; under Xen in all.
    type: int
  dedicated_cores:
    description: Cores that guests get on each NUMA node.
    type: int
  split_cores:
    description: Allow the threads of one core to be on both sides.
    type: bool
    default: false
  managed_irq:
    description: Whether drivers' managed interrupts stay off the dedicated CPUs as well, as far as possible.
    type: bool
    default: true
  tickless:
    description: Whether the timer tick and RCU callbacks are kept off the dedicated CPUs.
    type: bool
    default: true
  interrupts:
    description: Whether interrupts are sent to the housekeeping CPUs, now and at each boot.
    type: bool
    default: true
  system_affinity:
    description: Whether systemd starts everything on the housekeeping CPUs (C(CPUAffinity)), from the next boot on.
    type: bool
    default: true
  control_groups:
    description:
      - Whether the control groups of the system and of users are narrowed to the housekeeping CPUs (C(AllowedCPUs)).
      - Without that, Linux lets all tasks run everywhere again as soon as the cpuset controller of control groups
        version 2 is turned on, which libvirt does for its first guest.
    type: bool
    default: true
  guest_slices:
    description: Control groups whose tasks may run on dedicated CPUs.
    type: list
    elements: str
    default: [machine.slice]
  strict:
    description: Whether tasks that may run on dedicated CPUs are an error. They are reported in any case.
    type: bool
    default: true
  root:
    description: The folder below which the host's files are read and written, for a recorded tree.
    type: path
    default: /
"""

EXAMPLES = r"""
- name: Keep one core of each NUMA node for the system
  typeone.metal.host_cpu_isolation:
    housekeeping_cores: 1
  register: isolation

- name: Have the next boot isolate the others
  typeone.metal.kernel_cmdline:
    owner: cpu_isolation
    arguments: "{{ isolation.arguments }}"
"""

RETURN = r"""
cpu_isolation:
  description: The division and what holds of it.
  returned: success
  type: dict
  contains:
    housekeeping: {description: CPUs of the system., type: str, returned: always}
    dedicated: {description: CPUs of guests., type: str, returned: always}
    nodes: {description: Both lists for each NUMA node., type: dict, returned: always}
    hypervisor: {description: V(xen) in Xen's control domain., type: str, returned: always}
    effective: {description: Whether the running kernel (or Xen) holds the division., type: bool, returned: always}
    isolated: {description: CPUs that the kernel has isolated., type: str, returned: without Xen}
    nohz_full: {description: CPUs without the timer tick., type: str, returned: without Xen}
    stray_tasks:
      description: Groups of tasks that may run on dedicated CPUs; looked for once the division is effective.
      type: list
      elements: dict
      returned: without Xen
    interrupts_on_dedicated:
      description: Interrupts that are delivered to dedicated CPUs. The kernel's own and managed ones cannot be moved.
      type: list
      elements: str
      returned: without Xen
    dom0_vcpus: {description: Affinity of dom0's virtual CPUs., type: dict, returned: under Xen}
    guests_on_housekeeping:
      description: Guests now on the system's CPUs.
      type: list
      elements: str
      returned: under Xen
arguments:
  description: Kernel or Xen arguments that the plan needs, as M(typeone.metal.kernel_cmdline) takes them.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.cpu_isolation import CpuIsolation, Request
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module

SPEC = {
    "housekeeping": {"type": "str"},
    "dedicated": {"type": "str"},
    "housekeeping_cores": {"type": "int"},
    "dedicated_cores": {"type": "int"},
    "split_cores": {"type": "bool", "default": False},
    "managed_irq": {"type": "bool", "default": True},
    "tickless": {"type": "bool", "default": True},
    "interrupts": {"type": "bool", "default": True},
    "system_affinity": {"type": "bool", "default": True},
    "control_groups": {"type": "bool", "default": True},
    "guest_slices": {"type": "list", "elements": "str", "default": ["machine.slice"]},
    "strict": {"type": "bool", "default": True},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: CpuIsolation(Request(**module.params)).run(check=module.check_mode))


if __name__ == "__main__":
    main()
