#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_iscsi_initiator
short_description: Connect disks over iSCSI
version_added: 0.1.0
description:
  - Logs in to targets by open-iscsi, now and at each boot, and waits until their disks are there with all their paths.
  - Where a target has several portals, its disks are put together by dm-multipath. Only disks named here are, others are
    left alone.
  - A target that is named becomes as described, others are left alone.
extends_documentation_fragment:
  - typeone.metal.storage
  - typeone.metal.storage.initiator
  - typeone.metal.host
options:
  initiator_name:
    description: This host's IQN. Without it, the one that it has.
    type: str
  targets:
    description: The targets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The target's IQN.
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
            description: The port; V(3260) without it.
            type: int
      disks:
        description: The LUNs that must be there. Without it, one at least.
        type: list
        elements: dict
        suboptions:
          number:
            description: The number of the LUN.
            type: int
            required: true
          size:
            description: Its size, such as V(10G), where it must be that.
            type: str
      username:
        description: The name by which this host logs in (CHAP).
        type: str
      password:
        description: Its secret, 12 to 255 characters.
        type: str
      mutual_username:
        description: The name by which the target has to prove itself (mutual CHAP).
        type: str
      mutual_password:
        description: The target's secret, another than O(targets[].password).
        type: str
notes:
  - Secrets are kept in the records of open-iscsi, which only root can read, and are never on a command line.
  - Settings that change on a connected target hold from the next login on.
"""

EXAMPLES = r"""
- name: Connect a target over two networks
  typeone.metal.host_iscsi_initiator:
    initiator_name: iqn.2026-01.com.example:host3
    targets:
      - name: iqn.2026-01.com.example:store1
        portals:
          - {address: 192.0.2.12}
          - {address: 198.51.100.12}
        disks:
          - {number: 0, size: 10G}
        username: host3
        password: "{{ vault_host3_password }}"
  register: storage

- name: Show the name of the first disk that stays
  ansible.builtin.debug:
    var: storage.disks[0].path
"""

RETURN = r"""
disks:
  description: The disks of the targets that are connected.
  returned: success
  type: list
  elements: dict
  contains:
    target: {description: The target's IQN., type: str, returned: always}
    number: {description: The number of the LUN., type: int, returned: always}
    path: {description: The name that stays; that of the multipath device where there is one., type: str, returned: always}
    wwn: {description: What identifies the disk everywhere., type: str, returned: always}
    size: {description: Bytes., type: int, returned: always}
    paths:
      description: "The ways to it, each with C(portal), C(device) and C(state) (C(live) is good)."
      type: list
      elements: dict
      returned: always
targets:
  description: "The targets, each with C(name), C(state), and C(portals): C(portal) and C(state)."
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.iscsi_initiator import IscsiInitiator
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_options import CHAP, initiator_spec

SPEC = initiator_spec(CHAP)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: IscsiInitiator(module.params).run(check=module.check_mode))


if __name__ == "__main__":
    main()
