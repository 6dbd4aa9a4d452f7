#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_network
short_description: Change a host's network in a transaction that the host itself takes back
version_added: 0.1.0
description:
  - Takes the whole network of a host as one model, checks it before anything is touched, and has netplan or nmstate
    bring it about.
  - A change is not final. The host saves what it has, starts a service of its own that waits for the time to be up, and applies the change a moment later.
    Unless O(state=confirmed) is reached over a connection that was opened after that, the host puts the previous network
    back by itself, after a reboot too.
  - The role P(typeone.metal.network#role) does both steps and is what most users want.
author: typeone.metal contributors (@typeone)
options:
  state:
    description:
      - V(present) starts a transaction where files or the kernel differ from the model. One that is left over is continued,
        and what it would go back to is kept.
      - V(confirmed) ends a transaction, once all of the model is there and the connection proves that the host is reached.
    type: str
    choices: [present, confirmed]
    default: present
  interfaces:
    description: The cards. Each is found by one of its address, its place and its switch port, never by its name.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The name in this model., type: str, required: true}
      mac: {description: The permanent hardware address., type: str}
      pci_address: {description: "The PCI address, such as V(0000:3b:00.0).", type: str}
      switch_port: {description: "The port by its id or description, as the switch tells by LLDP.", type: str}
      switch: {description: "The switch of O(interfaces[].switch_port), by its name or chassis id.", type: str}
      mtu: {description: The MTU., type: int}
  bonds:
    description: Bonds of interfaces.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The name of the bond., type: str, required: true}
      members: {description: Interfaces by their names in the model., type: list, elements: str, required: true}
      mode:
        description: A mode of the kernel (V(802.3ad), V(balance-xor) ...) or of Open vSwitch (V(balance-slb), V(balance-tcp)).
        type: str
        default: active-backup
      options:
        description:
          - Options by the kernel's names, such as C(lacp_rate), C(min_links), C(xmit_hash_policy), C(primary), C(miimon),
            C(arp_interval) and C(arp_ip_target). Open vSwitch has C(lacp).
        type: dict
        default: {}
      openvswitch: {description: Whether it is a bond of Open vSwitch., type: bool, default: false}
      mtu: {description: The MTU., type: int}
  vlans:
    description: VLANs on interfaces, bonds or bridges.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The name of the VLAN's interface., type: str, required: true}
      id: {description: The tag., type: int, required: true}
      link: {description: What it is on., type: str, required: true}
      mtu: {description: The MTU., type: int}
  bridges:
    description: Bridges of the kernel and of Open vSwitch.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The name of the bridge., type: str, required: true}
      members: {description: "Interfaces, bonds and VLANs.", type: list, elements: str, default: []}
      openvswitch: {description: Whether it is a bridge of Open vSwitch., type: bool, default: false}
      stp: {description: Whether it speaks the spanning tree protocol (RSTP with Open vSwitch)., type: bool, default: false}
      forward_delay: {description: "Seconds before a port forwards; without STP 0 where it is not given.", type: int}
      priority: {description: The priority in the spanning tree., type: int}
      mtu: {description: The MTU., type: int}
  ip:
    description: Addresses, routes and name servers. What is not listed here has none.
    type: list
    elements: dict
    default: []
    suboptions:
      interface: {description: "The interface, bond, VLAN or bridge.", type: str, required: true}
      addresses: {description: Addresses with the length of their prefix., type: list, elements: str, default: []}
      dhcp4: {description: Whether to ask for an IPv4 address., type: bool, default: false}
      dhcp6: {description: Whether to ask for an IPv6 address., type: bool, default: false}
      accept_ra: {description: Whether to listen to routers of IPv6., type: bool, default: false}
      dns: {description: Name servers., type: list, elements: str, default: []}
      search: {description: Domains to search., type: list, elements: str, default: []}
      routes:
        description: Routes on this interface.
        type: list
        elements: dict
        default: []
        suboptions:
          to: {description: "A network, or V(default).", type: str, required: true}
          via: {description: The gateway., type: str}
          metric: {description: The metric., type: int}
          on_link: {description: Whether the gateway is a neighbour outside the interface's networks., type: bool, default: false}
  management_address:
    description:
      - Where the controller reaches the host after the change. Without it, where the SSH connection of this task ends.
      - A model without this address, or without a way back to the controller, is refused.
    type: str
  provider:
    description: Who brings the network about; V(auto) takes netplan where that is installed, else nmstate.
    type: str
    choices: [auto, netplan, nmstate]
    default: auto
  renderer:
    description:
      - The back end of netplan; V(auto) takes the one that runs. Where both do, it takes the one that netplan has given the
        network to before, and where neither does, V(networkd). nmstate has V(NetworkManager) alone.
    type: str
    choices: [auto, networkd, NetworkManager]
    default: auto
  takeover:
    description: Whether files of others that configure the network may be removed. They are put back with all else.
    type: bool
    default: false
  confirm_within: {description: "Seconds from the change until the host puts the previous network back, a reboot included.", type: int, default: 60}
  wait: {description: "Seconds for which O(state=confirmed) waits for the kernel to have all of it.", type: int, default: 20}
  transaction:
    description: The change that O(state=confirmed) is about, by its RV(network.transaction). Any other host is told from the right one by it.
    type: str
  root: {description: "The folder below which the host's files are read and written, for a recorded tree.", type: path, default: /}
attributes:
  check_mode: {description: Can run in check mode., support: full}
  diff_mode: {description: Shows the files and what the kernel lacks., support: full}
  idempotent: {description: A second run changes nothing., support: full}
  platform: {description: Where it works., platforms: linux, support: full}
"""

EXAMPLES = r"""
- name: Change the network; the host takes this back after a minute
  typeone.metal.host_network:
    interfaces:
      - {name: left, mac: "52:54:00:12:34:56"}
      - {name: right, switch: leaf2, switch_port: Ethernet1/7}
    bonds:
      - {name: bond0, members: [left, right], mode: 802.3ad, options: {lacp_rate: fast}}
    bridges:
      - {name: br0, members: [bond0]}
    ip:
      - {interface: br0, addresses: [192.0.2.10/24], routes: [{to: default, via: 192.0.2.1}]}
  register: change

- name: Confirm it, over a connection that is new
  typeone.metal.host_network:
    state: confirmed
    transaction: "{{ change.network.transaction }}"
  vars:
    ansible_ssh_extra_args: -o ControlPath=none
"""

RETURN = r"""
network:
  description: What is, and what is left to do.
  returned: success
  type: dict
  contains:
    pending: {description: Whether a transaction waits to be confirmed., type: bool, returned: always}
    confirmed: {description: Whether the network is as asked for and final., type: bool, returned: always}
    transaction: {description: "The change that waits to be confirmed, by its id.", type: str, returned: O(state=present)}
    missing: {description: "What the kernel lacks, in words.", type: list, elements: str, returned: always}
    links: {description: What the kernel calls each name of the model., type: dict, returned: O(state=present)}
    rolled_back: {description: "What the host said of the last change, where it took that back.", type: str, returned: O(state=present)}
    reason: {description: Why the change was not confirmed., type: str, returned: O(state=confirmed)}
    back: {description: Whether the host is taking a pending change back., type: bool, returned: O(state=confirmed) while one is pending}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._host.network import Network, Request
from ansible_collections.typeone.metal.plugins.module_utils._host.network_options import SPEC
from ansible_collections.typeone.metal.plugins.module_utils._host.shell import run_host_module


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    run_host_module(module, lambda: Network(Request(**module.params)).run(check=module.check_mode))


if __name__ == "__main__":
    main()
