#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_cmdline
short_description: Own arguments of the kernel and of Xen
version_added: 0.1.0
description:
  - Sets and removes arguments of the Linux kernel and of the Xen hypervisor for the next boot. Every argument has one
    owner; what belongs to nobody is left as it is.
  - The arguments of an owner are declared as a whole. What it asked for before and does not ask for now is given up.
  - On Debian and Ubuntu an owner is one file in C(/etc/default/grub.d). C(/etc/default/grub) is never edited, so that
    giving up an argument brings back what was there before. C(update-grub) runs only if something has to change.
  - On the Red Hat family the boot entries are changed by C(grubby).
  - What the boot loader will really use is read back from what its generator made. If it is not what was asked for, the
    change is taken back and the task fails.
author: typeone.metal contributors (@typeone)
requirements:
  - Linux, and C(grub-mkconfig) or C(grubby).
extends_documentation_fragment: typeone.metal.host
options:
  owner:
    description:
      - The name under which these arguments are owned, for example the role that needs them.
      - An argument that another owner has is refused.
    type: str
    required: true
  arguments:
    description:
      - All arguments of this owner, in the order in which they shall stand on the command line.
      - An argument may be named several times with different values, for example V(console), or V(hugepagesz) and
        V(hugepages) in turn.
      - An empty list gives up everything this owner has. Without this option nothing is changed, the state is reported.
    type: list
    elements: dict
    suboptions:
      name:
        description: The argument's name, without its value.
        type: str
        required: true
      value:
        description: The argument's value. Without it the argument is a word of its own.
        type: str
      state:
        description:
          - V(present) sets the argument, and takes all its other values away.
          - V(absent) removes it. With O(arguments[].value), that value alone is removed.
        type: str
        choices: [present, absent]
        default: present
      target:
        description:
          - V(kernel) is Linux in every boot entry.
          - V(dom0) is Linux where it is started by Xen, in place of what V(kernel) has for the same name.
          - V(xen) is the hypervisor itself.
        type: str
        choices: [kernel, dom0, xen]
        default: kernel
  priority:
    description:
      - The number that the file in C(/etc/default/grub.d) begins with. Files with higher numbers win.
    type: int
    default: 90
  needs_reboot:
    description:
      - Whether arguments that the running kernel lacks call for a reboot. V(false) is for arguments whose effect has
        been reached at run time, for example huge pages that are there already.
    type: bool
    default: true
  root:
    description:
      - The root folder of the system to change, if it is not the running one, for example V(/sysroot) while a system is
        being installed. Its programs are run by C(chroot), so that C(/dev), C(/proc) and C(/sys) must be mounted there.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode. The next boot's arguments are then a forecast.
    support: full
  diff_mode:
    description: Shows the owner's file and the next boot's arguments.
    support: full
"""

EXAMPLES = r"""
- name: Reserve huge pages of two sizes at boot
  typeone.metal.kernel_cmdline:
    owner: hugepages
    arguments:
      - {name: hugepagesz, value: 1G}
      - {name: hugepages, value: 4}
      - {name: hugepagesz, value: 2M}
      - {name: hugepages, value: 512}

- name: Say where Xen, dom0 and a plain kernel talk
  typeone.metal.kernel_cmdline:
    owner: console
    arguments:
      - {name: console, value: tty0}
      - {name: console, value: "ttyS0,115200"}
      - {name: console, value: hvc0, target: dom0}
      - {name: console, value: com1, target: xen}
      - {name: quiet, state: absent}

- name: Give everything up again
  typeone.metal.kernel_cmdline:
    owner: console
    arguments: []
"""

RETURN = r"""
kernel_cmdline:
  description: The arguments that run and those of the next boot.
  returned: success
  type: dict
  contains:
    owner: {description: The owner., type: str, returned: always}
    owners: {description: All owners on this host., type: list, elements: str, returned: always}
    loader: {description: The boot loader's tools (C(grub) or C(grubby))., type: str, returned: always}
    claim: {description: "What this owner has, by target.", type: dict, returned: always}
    entry: {description: Title of the entry that the next boot takes., type: str, returned: always}
    running: {description: Arguments of the running kernel., type: list, elements: str, returned: always}
    next_boot: {description: Arguments of the kernel at the next boot., type: list, elements: str, returned: always}
    xen:
      description: The same of the hypervisor; null where Xen does not run or is not the next boot's choice.
      type: dict
      returned: always
      contains:
        running: {description: Arguments of the running Xen., type: list, elements: str, returned: always}
        next_boot: {description: Arguments of Xen at the next boot., type: list, elements: str, returned: always}
    pending: {description: What of the claim does not run yet., type: list, elements: str, returned: always}
reboot_required:
  description: Whether this owner's arguments take a reboot to come into effect.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.kernel_cmdline import KernelCmdline, Request
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module

ARGUMENT = {
    "name": {"type": "str", "required": True},
    "value": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "target": {"type": "str", "choices": ["kernel", "dom0", "xen"], "default": "kernel"},
}
SPEC = {
    "owner": {"type": "str", "required": True},
    "arguments": {"type": "list", "elements": "dict", "options": ARGUMENT},
    "priority": {"type": "int", "default": 90},
    "needs_reboot": {"type": "bool", "default": True},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: KernelCmdline(Request(**module.params)).run(check=module.check_mode))


if __name__ == "__main__":
    main()
