#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_hypervisor_info
short_description: Tell whether a host really runs a hypervisor, and what it says of itself
version_added: 0.1.0
description:
  - Looks for the hypervisor where it cannot be mistaken. For Xen that is the kernel's own word, the control domain and
    an answer of C(xl); for KVM an answer of C(/dev/kvm), the module of the processor, QEMU, C(virt-host-validate) and libvirt.
  - What is not as it should be is told in RV(hypervisor.problems), each with its remedy. It is no error by itself.
author: typeone.metal contributors (@typeone)
options:
  name:
    description: The hypervisor that the host is to run.
    type: str
    choices: [kvm, xen]
    required: true
  services:
    description: Units of systemd that must be active.
    type: list
    elements: str
    default: []
  packages:
    description: Debian's packages that are to be installed.
    type: list
    elements: str
    default: []
  settings:
    description: Lines C(name=value) that files are to have.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file.
        type: path
        required: true
      name:
        description: What stands before the equals sign.
        type: str
        required: true
      value:
        description: What stands after it, with its quotes.
        type: str
        required: true
  arguments:
    description: Arguments that Xen, and under KVM the kernel, must have been booted with.
    type: list
    elements: str
    default: []
  libvirt:
    description: For Xen, whether it is to answer through libvirt (C(xen:///system)) as well. For KVM it always is.
    type: bool
    default: false
  root:
    description: The folder below which C(/sys), C(/proc) and C(/dev) are read and programs are run, for a recorded tree.
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
- name: Look at Xen
  typeone.metal.host_hypervisor_info:
    name: xen
    services: [xen.service]
  register: found

- name: Stop where the host is not ready
  ansible.builtin.assert:
    that: found.hypervisor.ready
    fail_msg: "{{ found.hypervisor.problems | join('; ') }}"
"""

RETURN = r"""
hypervisor:
  description: What the host runs.
  returned: success
  type: dict
  contains:
    name:
      description: The hypervisor that was looked for.
      type: str
      returned: always
    ready:
      description: Whether the host really runs it and nothing is in RV(hypervisor.problems).
      type: bool
      returned: always
    running:
      description: Whether this kernel is Xen's control domain, or has the processor's module of KVM, whatever else is amiss.
      type: bool
      returned: always
    problems:
      description: What is not as it should be, each with its remedy.
      type: list
      elements: str
      returned: always
    version:
      description: The version of Xen; for KVM that of the kernel.
      type: str
      returned: always
    arguments:
      description: The arguments that Xen was booted with; for KVM those of the kernel.
      type: list
      elements: str
      returned: always
    capabilities:
      description: What guests Xen can run (such as V(pv), V(hvm), V(hap)); for KVM the module of the processor.
      type: list
      elements: str
      returned: always
    cpus:
      description: The processors of the machine.
      type: int
      returned: always
    memory_bytes:
      description: The memory of the machine.
      type: int
      returned: always
    free_bytes:
      description: What of it is free for guests.
      type: int
      returned: always
    guests:
      description: The names of the guests that run.
      type: list
      elements: str
      returned: always
    services:
      description: The states of the services that were asked for.
      type: dict
      returned: always
    wanting:
      description: Of O(packages), O(settings) and O(services), those that are missing, differ, or are stopped or not started at boot.
      type: dict
      returned: always
    info:
      description: >-
        All that C(xl info) says, and with O(libvirt) what C(libvirt) says that it runs. For KVM C(api), the version of its
        interface, C(nested), the version of C(qemu), and
        C(validation), the verdicts of C(virt-host-validate).
      type: dict
      returned: always
  sample:
    name: xen
    ready: true
    problems: []
    version: 4.17.5
    arguments: [placeholder, "dom0_mem=2048M,max:2048M"]
    capabilities: [pv, hvm, hap]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.hypervisors import READERS, read_hypervisor
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

SPEC = {
    "name": {"type": "str", "choices": sorted(READERS), "required": True},
    "services": {"type": "list", "elements": "str", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
    "settings": {"type": "list", "elements": "dict", "default": [], "options": {
        "path": {"type": "path", "required": True}, "name": {"type": "str", "required": True},
        "value": {"type": "str", "required": True}}},
    "arguments": {"type": "list", "elements": "str", "default": []},
    "libvirt": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    options = module.params
    try:
        programs = Programs(root=options.pop("root"))
        found = read_hypervisor(options.pop("name"), programs=programs, **options)
    except HostError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, hypervisor=found)


if __name__ == "__main__":
    main()
