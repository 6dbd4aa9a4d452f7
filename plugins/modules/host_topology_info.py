#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_topology_info
short_description: Read what a host is made of
version_added: 0.1.0
description:
  - Reads CPUs, NUMA nodes with their huge pages, PCI functions, network cards and disks from C(/sys) and C(/proc), in
    one call and without other programs. The hypervisor's view is asked of C(xl) where the host is Xen's control domain.
  - What cannot be read is left out and told in RV(host_topology.problems); it never loses the rest.
author: typeone.metal contributors (@typeone)
options:
  sections:
    description:
      - What to read.
      - V(tasks) are the user-space tasks, grouped by the CPUs that they may run on. V(xen) is null without Xen.
    type: list
    elements: str
    choices: [cpu, numa, pci, network, disks, tasks, xen]
    default: [cpu, numa, pci, network, disks, xen]
  root:
    description: The folder below which C(/sys), C(/proc) and C(/dev) are read, for a recorded tree.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: none
  idempotent:
    description: Nothing is changed.
    support: full
  platform:
    description: Where it works.
    platforms: linux
    support: full
"""

EXAMPLES = r"""
- name: Read the host
  typeone.metal.host_topology_info:
  register: host

- name: Name the network cards on the first NUMA node
  ansible.builtin.debug:
    msg: "{{ host.host_topology.network | selectattr('numa_node', 'equalto', 0) | map(attribute='name') }}"

- name: See which tasks may run on which CPUs
  typeone.metal.host_topology_info:
    sections: [tasks]
"""

RETURN = r"""
host_topology:
  description: The sections that were asked for, and problems.
  returned: success
  type: dict
  contains:
    cpu:
      description: >-
        Counts (C(sockets), C(cores), C(threads), C(threads_per_core)), C(vendor), C(model), the lists C(online),
        C(offline), C(isolated) and C(nohz_full) as Linux writes them, and C(cpus) with C(cpu), C(node), C(socket) and
        C(core) of each CPU that is online.
      type: dict
      returned: if asked for
    numa:
      description: >-
        NUMA nodes with C(node), C(cpus), C(memory_bytes), C(free_bytes), C(distances), and C(hugepages) with C(size),
        C(size_bytes), C(total) and C(free).
      type: list
      elements: dict
      returned: if asked for
    pci:
      description: >-
        PCI functions with C(address), C(class), C(vendor), C(device), C(driver), C(numa_node), C(iommu_group),
        C(physical_function), and C(sriov) with C(total), C(enabled) and the addresses C(functions).
      type: list
      elements: dict
      returned: if asked for
    network:
      description: >-
        Network cards with C(name), C(mac), C(driver), C(pci_address), C(numa_node), C(link), C(state), C(speed_mbps),
        C(duplex), C(mtu) and C(master).
      type: list
      elements: dict
      returned: if asked for
    disks:
      description: >-
        Disks with C(name), C(size_bytes), C(model), C(serial), C(wwn), C(rotational), C(removable), C(pci_address), and
        C(by_id), their names in C(/dev/disk/by-id), worldwide names first.
      type: list
      elements: dict
      returned: if asked for
    tasks:
      description: Groups of user-space tasks with C(slice), C(cpus), C(count) and some of their C(names).
      type: list
      elements: dict
      returned: if asked for
    xen:
      description: >-
        The hypervisor's C(version), C(arguments), C(capabilities), memory, C(cpus), C(numa), and C(vcpus) of all
        domains; null without Xen.
      type: dict
      returned: if asked for
    problems:
      description: What could not be read.
      type: list
      elements: str
      returned: always
  sample:
    cpu: {sockets: 1, cores: 2, threads: 4, online: 0-3, isolated: 2-3}
    problems: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import SECTIONS, read_topology

SPEC = {
    "sections": {
        "type": "list",
        "elements": "str",
        "choices": list(SECTIONS),
        "default": ["cpu", "numa", "pci", "network", "disks", "xen"],
    },
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    found = read_topology(module.params["root"], module.params["sections"])
    module.exit_json(changed=False, host_topology=found)


if __name__ == "__main__":
    main()
