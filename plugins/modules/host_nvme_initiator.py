#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_nvme_initiator
short_description: Connect disks over NVMe/TCP
version_added: 0.1.0
description:
  - Connects subsystems by the kernel's nvme-tcp, now and at each boot, and waits until their namespaces are there with all
    their paths. Several portals make one disk by the kernel's own multipath.
  - A subsystem that is named becomes as described, others are left alone.
extends_documentation_fragment:
  - typeone.metal.storage
  - typeone.metal.storage.initiator
  - typeone.metal.host
options:
  initiator_name:
    description: This host's NQN. Without it, the one that it has, else one made from the machine's UUID.
    type: str
  targets:
    description: The subsystems.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The subsystem's NQN.
        type: str
        required: true
      state:
        description: Whether it is connected. A disk that is in use is not disconnected.
        type: str
        choices: [present, absent]
        default: present
      portals:
        description: Where the target listens; all of them are connected.
        type: list
        elements: dict
        suboptions:
          address:
            description: The address.
            type: str
            required: true
          port:
            description: The port; V(4420) without it.
            type: int
      disks:
        description: The namespaces that must be there. Without it, one at least.
        type: list
        elements: dict
        suboptions:
          number:
            description: The number of the namespace.
            type: int
            required: true
          size:
            description: Its size, such as V(10G), where it must be that.
            type: str
      key:
        description:
          - The key by which this host proves itself (DH-HMAC-CHAP), as C(nvme gen-dhchap-key) makes it.
          - The kernel must be built with C(CONFIG_NVME_HOST_AUTH) (C(CONFIG_NVME_AUTH) before Linux 6.7); that of Debian 12
            is not, and the module says so.
        type: str
      controller_key:
        description: The key by which the subsystem has to prove itself.
        type: str
notes:
  - Keys are kept in C(/etc/typeone/nvme-initiator), which only root can read, and are never on a command line.
  - Settings that change on a connected target hold from the next connection on.
"""

EXAMPLES = r"""
- name: Connect a target over two networks
  typeone.metal.host_nvme_initiator:
    initiator_name: nqn.2026-01.com.example:host3
    targets:
      - name: nqn.2026-01.com.example:store1
        portals:
          - {address: 192.0.2.12}
          - {address: 198.51.100.12}
        disks:
          - {number: 1, size: 10G}
  register: storage

- name: Show the name of the first disk that stays
  ansible.builtin.debug:
    var: storage.disks[0].path
"""

RETURN = r"""
disks:
  description: The disks of the subsystems that are connected.
  returned: success
  type: list
  elements: dict
  contains:
    target: {description: The subsystem's NQN., type: str, returned: always}
    number: {description: The number of the namespace., type: int, returned: always}
    path: {description: The name that stays., type: str, returned: always}
    wwn: {description: What identifies the disk everywhere., type: str, returned: always}
    size: {description: Bytes., type: int, returned: always}
    paths:
      description: "The ways to it, each with C(portal), C(device) and C(state) (C(live) is good)."
      type: list
      elements: dict
      returned: always
targets:
  description: "The subsystems, each with C(name), C(state), and C(portals): C(portal) and C(state)."
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.nvme_initiator import NvmeInitiator
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_options import KEYS, initiator_spec

SPEC = initiator_spec(KEYS)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: NvmeInitiator(module.params).run(check=module.check_mode))


if __name__ == "__main__":
    main()
