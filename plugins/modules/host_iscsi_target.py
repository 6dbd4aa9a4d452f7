#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_iscsi_target
short_description: Export disks over iSCSI
version_added: 0.1.0
description:
  - Sets up targets of the Linux kernel (LIO) in configfs, where C(targetcli) shows and saves them like its own, reads them
    back, and has them made again at each boot.
  - A target that is named becomes as described, others are left alone.
  - A disk has the same identifier for ever, made from the target's name and the disk's number.
extends_documentation_fragment:
  - typeone.metal.storage
  - typeone.metal.storage.target
  - typeone.metal.host
options:
  targets:
    description: The targets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The target's IQN, such as V(iqn.2026-01.com.example:store1).
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
            description: The port; V(3260) without it.
            type: int
      disks:
        description: The LUNs.
        type: list
        elements: dict
        suboptions:
          number:
            description: The number of the LUN.
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
          read_only:
            description: Whether initiators can only read it.
            type: bool
            default: false
      initiators:
        description: Who may log in.
        type: list
        elements: dict
        suboptions:
          name:
            description: The initiator's IQN.
            type: str
            required: true
          username:
            description: The name by which the initiator logs in (CHAP).
            type: str
          password:
            description: Its secret, 12 to 255 characters.
            type: str
          mutual_username:
            description: The name by which the target proves itself to the initiator (mutual CHAP).
            type: str
          mutual_password:
            description: The target's secret, another than O(targets[].initiators[].password).
            type: str
"""

EXAMPLES = r"""
- name: Export a disk and a file over two networks
  typeone.metal.host_iscsi_target:
    targets:
      - name: iqn.2026-01.com.example:store1
        portals:
          - {address: 192.0.2.12}
          - {address: 198.51.100.12}
        disks:
          - {number: 0, device: /dev/disk/by-id/nvme-EXAMPLE_0001}
          - {number: 1, file: /var/lib/store/images, size: 10G}
        initiators:
          - name: iqn.2026-01.com.example:host3
            username: host3
            password: "{{ vault_host3_password }}"
"""

RETURN = r"""
targets:
  description: The targets, as initiators find them.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: The target's IQN., type: str, returned: always}
    state: {description: Whether it is there., type: str, returned: always}
    portals: {description: Address and port of each portal., type: list, elements: str, returned: always}
    initiators: {description: Who may log in., type: list, elements: str, returned: always}
    disks:
      description: The LUNs, each with C(number), C(backing), C(size) in bytes, C(wwn), and C(path) on an initiator.
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_options import CHAP, target_spec
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_target import IscsiTargets

SPEC = target_spec(CHAP, read_only={"type": "bool", "default": False})


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: IscsiTargets(module.params).run(check=module.check_mode))


if __name__ == "__main__":
    main()
