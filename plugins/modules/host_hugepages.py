#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_hugepages
short_description: Reserve huge pages per NUMA node
version_added: 0.1.0
description:
  - Plans huge pages on the host's real NUMA nodes. A request that does not fit is refused, with the arithmetic, before
    anything is changed.
  - Pages are reserved at run time as far as the kernel finds them, are read back, and are reserved again early at each
    boot. What has to be reserved at boot is returned as arguments for M(typeone.metal.kernel_cmdline).
  - Mounts of huge pages are made by units of systemd.
author: typeone.metal contributors (@typeone)
extends_documentation_fragment: typeone.metal.host
options:
  pools:
    description:
      - The pools, one for each page size. A size that was asked for before and is not named any more is given back.
      - One of O(pools[].count), O(pools[].nodes), O(pools[].share) and O(pools[].memory) says how many pages.
    type: list
    elements: dict
    required: true
    suboptions:
      size:
        description: The page size, such as V(2M) or V(1G).
        type: str
        required: true
      count:
        description: Pages in all, spread evenly over the NUMA nodes.
        type: int
      nodes:
        description: Pages on each NUMA node, by its number. Nodes that are not named get none.
        type: dict
      share:
        description: The part (0 to 1) of what each node has above its reserve.
        type: float
      memory:
        description: Memory in all, such as V(8G), spread evenly over the NUMA nodes.
        type: str
      reserve_at:
        description:
          - V(boot) reserves by kernel arguments, V(runtime) without them.
          - V(auto) is V(boot) for pages of 1 GiB and where the pool takes more than half of a node, else V(runtime).
        type: str
        choices: [auto, boot, runtime]
        default: auto
  reserve:
    description: Memory that each NUMA node keeps for the system. Without it, a tenth and at least 1 GiB.
    type: str
  mounts:
    description: Folders at which huge pages are mounted. One that is in use cannot be mounted otherwise, nor unmounted.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The folder.
        type: path
        required: true
      size:
        description: The page size.
        type: str
        required: true
      mode:
        description: Permissions of the folder, in octal.
        type: str
        default: "1770"
      state:
        description: Whether it is mounted.
        type: str
        choices: [present, absent]
        default: present
  root:
    description: The folder below which the host's files are read and written, for a recorded tree.
    type: path
    default: /
"""

EXAMPLES = r"""
- name: Reserve 4 GiB on the first NUMA node, and half of the rest of each in small pages
  typeone.metal.host_hugepages:
    pools:
      - {size: 1G, nodes: {0: 4}}
      - {size: 2M, share: 0.5}
    mounts:
      - {path: /dev/hugepages1G, size: 1G}
  register: pages

- name: Have the next boot reserve what only a boot can
  typeone.metal.kernel_cmdline:
    owner: hugepages
    arguments: "{{ pages.arguments }}"
    needs_reboot: "{{ not pages.hugepages.satisfied }}"
"""

RETURN = r"""
hugepages:
  description: The plan and what the kernel holds.
  returned: success
  type: dict
  contains:
    feasible: {description: Whether the request fits., type: bool, returned: always}
    nodes: {description: Planned pages by node and size., type: dict, returned: always}
    held: {description: Pages that the kernel holds by node and size., type: dict, returned: always}
    missing: {description: "What is planned and not held, in words.", type: list, elements: str, returned: always}
    satisfied: {description: Whether nothing is missing., type: bool, returned: always}
    boot: {description: Page sizes that are reserved at boot., type: list, elements: str, returned: always}
    arguments: {description: The kernel arguments in one list of words., type: list, elements: str, returned: always}
    explanation: {description: The arithmetic of each node., type: list, elements: str, returned: always}
    problems: {description: Why the request does not fit., type: list, elements: str, returned: always}
arguments:
  description: Kernel or Xen arguments that the plan needs, as M(typeone.metal.kernel_cmdline) takes them.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.hugepages import HugePages, Request
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module

POOL = {
    "size": {"type": "str", "required": True},
    "count": {"type": "int"},
    "nodes": {"type": "dict"},
    "share": {"type": "float"},
    "memory": {"type": "str"},
    "reserve_at": {"type": "str", "choices": ["auto", "boot", "runtime"], "default": "auto"},
}
MOUNT = {
    "path": {"type": "path", "required": True},
    "size": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "1770"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
SPEC = {
    "pools": {"type": "list", "elements": "dict", "required": True, "options": POOL},
    "reserve": {"type": "str"},
    "mounts": {"type": "list", "elements": "dict", "default": [], "options": MOUNT},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: HugePages(Request(**module.params)).run(check=module.check_mode))


if __name__ == "__main__":
    main()
