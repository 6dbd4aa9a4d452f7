#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_sriov
short_description: Make SR-IOV virtual functions
version_added: 0.1.0
description:
  - Makes virtual functions of physical functions named by PCI address, now and at each boot before the network is up.
  - What the card cannot do is refused before anything is changed. The number is read back.
  - Reports the IOMMU group of each virtual function and what else is in it, and returns the kernel arguments that turn
    the IOMMU on for M(typeone.metal.kernel_cmdline).
author: typeone.metal contributors (@typeone)
extends_documentation_fragment: typeone.metal.host
options:
  functions:
    description: All physical functions with virtual ones. One that was named before and is not any more loses them.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: PCI address of the physical function, such as V(0000:3b:00.0).
        type: str
        required: true
      count:
        description: How many virtual functions.
        type: int
        required: true
      autoprobe:
        description: Whether the host's own drivers may claim the virtual functions.
        type: bool
        default: true
      driver:
        description: The driver that gets the virtual functions, such as V(vfio-pci).
        type: str
  iommu:
    description: Whether the IOMMU is needed, as it is for giving functions to guests.
    type: bool
    default: true
  replace:
    description:
      - Whether existing virtual functions may be taken away to change their number. The kernel has no other way.
    type: bool
    default: false
  root:
    description: The folder below which the host's files are read and written, for a recorded tree.
    type: path
    default: /
"""

EXAMPLES = r"""
- name: Make eight virtual functions for guests
  typeone.metal.host_sriov:
    functions:
      - {address: "0000:3b:00.0", count: 8, autoprobe: false, driver: vfio-pci}
  register: functions
"""

RETURN = r"""
sriov:
  description: Virtual functions and the IOMMU.
  returned: success
  type: dict
  contains:
    functions:
      description: For each physical function C(total), C(enabled) and the addresses C(functions).
      type: dict
      returned: always
    iommu:
      description: Whether the IOMMU is active, and C(groups) with C(function), C(group) and C(shared_with).
      type: dict
      returned: always
    satisfied: {description: Whether nothing is left to a reboot., type: bool, returned: always}
arguments:
  description: Kernel or Xen arguments that the plan needs, as M(typeone.metal.kernel_cmdline) takes them.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.sriov import Request, Sriov
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module

FUNCTION = {
    "address": {"type": "str", "required": True},
    "count": {"type": "int", "required": True},
    "autoprobe": {"type": "bool", "default": True},
    "driver": {"type": "str"},
}
SPEC = {
    "functions": {"type": "list", "elements": "dict", "required": True, "options": FUNCTION},
    "iommu": {"type": "bool", "default": True},
    "replace": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: Sriov(Request(**module.params)).run(check=module.check_mode))


if __name__ == "__main__":
    main()
