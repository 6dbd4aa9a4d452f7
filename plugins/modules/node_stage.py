#!/usr/bin/python
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_stage
short_description: Have a provisioner boot a server into its installation, once
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Makes the SSH host key of a server on the controller and pins it in a file of its own, so that the server is known
    before it has booted.
  - Gives the provisioner (the host of the task, usually by C(delegate_to)) the boot script of the server and a bundle
    with its host key and authorised keys. The bundle is handed out once, to the server's reserved address, against a
    token that is made anew at each staging.
  - Keeps a journal of deployments on the controller, by which a disk that was half written is known as ours.
  - Without a staged script a server is told to boot from its own disk.
attributes:
  check_mode:
    description: In check mode nothing is made, neither on the controller nor on the provisioner.
    support: full
  diff_mode:
    description: What changes is secret.
    support: none
  platform:
    description: The provisioner is a host set up by the role P(typeone.metal.provisioner#role).
    platforms: linux
    support: full
options:
  state:
    description: What is to hold for the server.
    type: str
    choices:
      staged: Its next network boot starts its installation. A new token is made each time.
      read: Nothing changes. What the provisioner saw is returned.
      withdrawn: It is not staged any more. Its deployment stays noted as unfinished.
      finished: It is not staged any more, and its deployment is noted as finished.
    default: staged
  node:
    description: The name of the server.
    type: str
    required: true
  mac:
    description: The MAC address of the interface that it boots from.
    type: str
    required: true
  address:
    description: The address that is reserved for it, without a prefix length.
    type: str
    required: true
  host:
    description: The name or address by which the controller reaches it over SSH, where it is another one.
    type: str
  port:
    description: The port of its SSH server.
    type: int
    default: 22
  state_dir:
    description: The folder of this server on the controller. It is readable by its owner only.
    type: path
    required: true
  authorized_keys:
    description: The public keys that may log in as root.
    type: list
    elements: str
    default: []
  scripts:
    description: The boot scripts C(grub.cfg) and C(ipxe). The text C(@TYPEONE_TOKEN@) in them becomes the token.
    type: dict
    default: {}
  loader:
    description: The network boot program.
    type: str
    choices:
      - grub
      - ipxe
    default: grub
  expires_in:
    description: For how many seconds the script and the bundle may be fetched.
    type: int
    default: 3600
  claim_program:
    description: The path of the provisioner's program, in Python, that keeps bundles.
    type: str
    default: /usr/local/lib/typeone/typeone_claim.py
"""

EXAMPLES = r"""
- name: Stage the server
  typeone.metal.node_stage:
    node: "{{ inventory_hostname }}"
    mac: 52:54:00:00:00:11
    address: 192.0.2.11
    state_dir: "{{ playbook_dir }}/state/{{ inventory_hostname }}"
    authorized_keys: "{{ typeone_ssh_public_keys }}"
    scripts:
      grub.cfg: "{{ lookup('ansible.builtin.template', 'grub.cfg.j2') }}"
  delegate_to: provisioner
"""

RETURN = r"""
node_stage:
  description: What was staged.
  type: dict
  returned: success
  contains:
    deploy_id:
      description: The id of this deployment, or of the last one.
      type: str
      returned: always
    unfinished:
      description: The ids of this server's deployments that were begun and never ended.
      type: list
      elements: str
      returned: always
    known_hosts:
      description: The file that pins the server's host key.
      type: str
      returned: where O(state) is V(staged)
    public_key:
      description: The server's public host key.
      type: str
      returned: where O(state) is V(staged)
events:
  description: What the provisioner saw of the server since it was staged, with the time of each event.
  type: list
  elements: dict
  returned: where O(state) is V(read)
"""
