#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_nvme_target
short_description: Export disks over NVMe/TCP
version_added: 0.1.0
description:
  - Sets up subsystems of the Linux kernel (nvmet) in configfs, reads them back, and has them made again at each boot.
  - A subsystem that is named becomes as described, others are left alone.
  - A disk has the same identifier for ever, made from the subsystem's name and the namespace's number.
extends_documentation_fragment:
  - typeone.metal.storage
  - typeone.metal.storage.target
  - typeone.metal.host
options:
  targets:
    description: The subsystems.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The subsystem's NQN, such as V(nqn.2026-01.com.example:store1).
        type: str
        required: true
      state:
        description: Whether it is there. Where it is taken away, files and what is on devices stay.
        type: str
        choices: [present, absent]
        default: present
      portals:
        description: Where it listens. Several on different networks make several paths.
        type: list
        elements: dict
        suboptions:
          address:
            description: An address of this host.
            type: str
            required: true
          port:
            description: The port; V(4420) without it.
            type: int
      disks:
        description: The namespaces.
        type: list
        elements: dict
        suboptions:
          number:
            description: The number of the namespace, from 1.
            type: int
            required: true
          device:
            description: The block device by a name that stays, such as those in C(/dev/disk/by-id). C(/dev/sda) and the like are refused.
            type: path
          file:
            description: The file, in place of a device. It is made, sparse, where it is missing.
            type: path
          size:
            description: The size of the file, such as V(10G).
            type: str
      initiators:
        description: Which hosts may connect.
        type: list
        elements: dict
        suboptions:
          name:
            description: The host's NQN.
            type: str
            required: true
          key:
            description:
              - The key by which the host proves itself (DH-HMAC-CHAP), as C(nvme gen-dhchap-key) makes it.
              - The kernel must be built with C(CONFIG_NVME_TARGET_AUTH); that of Debian 12 is not, and the module says so.
            type: str
          controller_key:
            description: The key by which the subsystem proves itself to the host.
            type: str
"""

EXAMPLES = r"""
- name: Export a disk and a file over two networks
  typeone.metal.host_nvme_target:
    targets:
      - name: nqn.2026-01.com.example:store1
        portals:
          - {address: 192.0.2.12}
          - {address: 198.51.100.12}
        disks:
          - {number: 1, device: /dev/disk/by-id/nvme-EXAMPLE_0001}
          - {number: 2, file: /var/lib/store/images, size: 10G}
        initiators:
          - name: nqn.2026-01.com.example:host3
"""

RETURN = r"""
targets:
  description: The subsystems, as hosts find them.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: The subsystem's NQN., type: str, returned: always}
    state: {description: Whether it is there., type: str, returned: always}
    portals: {description: Address and port of each portal., type: list, elements: str, returned: always}
    initiators: {description: Which hosts may connect., type: list, elements: str, returned: always}
    disks:
      description: The namespaces, each with C(number), C(backing), C(size) in bytes, C(wwn), and C(path) on a host.
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_options import KEYS, target_spec
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_target import NvmeTargets

SPEC = target_spec(KEYS)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: NvmeTargets(module.params).run(check=module.check_mode))


if __name__ == "__main__":
    main()
