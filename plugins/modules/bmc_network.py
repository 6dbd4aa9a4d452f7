#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_network
short_description: Configure the network of a BMC
version_added: 0.1.0
description:
  - Sets the name, address, name servers, VLAN, time servers and protocols of a BMC itself, over Redfish or IPMI.
  - What cannot cut the task off is sent first. A change of the address, VLAN or DHCP comes last, and is proven by
    speaking to the BMC where it is expected then. If it is not found there, the task fails and says so.
  - Only what is asked for is changed. Addresses are of IPv4.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  interface:
    description:
      - The BMC's interface, by id, name or MAC address.
      - If not set, the one that the task speaks to is taken, or the only one that leads out.
    type: str
  hostname:
    description: The name of the BMC.
    type: str
  dhcp:
    description: Whether the address comes by DHCP. It does not where O(address), O(netmask) or O(gateway) is set.
    type: bool
  address:
    description: The static address, with or without the length of its prefix, as V(192.0.2.60/24).
    type: str
  netmask:
    description: The netmask, as V(255.255.255.0) or V(24).
    type: str
  gateway:
    description: The default gateway, an address of the same network.
    type: str
  dns:
    description: The name servers, all of them, in their order.
    type: list
    elements: str
  vlan:
    description: The VLAN of the interface, V(0) for none.
    type: int
  ntp:
    description: The time servers, all of them. Whether they are used is O(protocols) with C(ntp).
    type: list
    elements: str
  protocols:
    description:
      - Services of the BMC by name, and whether each is to be on. Others are left as they are.
      - Names are those of RV(network.protocols), such as C(https), C(ssh), C(ipmi), C(snmp), C(ntp), C(kvm),
        C(virtual_media).
    type: dict
  new_address:
    description:
      - Where the BMC will be found once the changes hold, as O(bmc_address); a port that is not named is kept.
      - If not set, this is O(address) where that changes, else where it is now. Needed to go to DHCP.
    type: str
  allow_lockout:
    description:
      - Whether to send what leaves no known way to the BMC, going to DHCP without O(new_address) or switching off the
        protocol that the task uses. RV(verified) is V(null) then.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait until the BMC is found and shows the changes.
    type: int
    default: 120
author:
  - typeone.metal contributors (@typeone)
"""

EXAMPLES = r"""
- name: Give the BMC its name and servers, and close what is not needed
  typeone.metal.bmc_network:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    hostname: rack1-node7-bmc
    dns: [192.0.2.53]
    ntp: [ntp.example.com]
    protocols: {ntp: true, ssh: false, ipmi: false}

- name: Move the BMC to its final address, and prove that it is there
  typeone.metal.bmc_network:
    address: 198.51.100.7/24
    gateway: 198.51.100.1
    vlan: 101

- name: Go to DHCP, which has a reservation for this BMC
  typeone.metal.bmc_network:
    dhcp: true
    new_address: rack1-node7-bmc.example.com
"""

RETURN = r"""
network:
  description:
    - The network as it is now, or would be in check mode; keys as the options of the same names.
    - V(null) is what the BMC does not tell, and cannot be changed.
  returned: when the BMC answered
  type: dict
  contains:
    interface:
      description: The id of the interface.
      type: str
      returned: always
    in_use:
      description: Whether the task speaks to the BMC over it, as far as that can be known.
      type: bool
      returned: always
    mac_address:
      description: Its MAC address.
      type: str
      returned: always
    protocols:
      description: The BMC's services, and whether each is on.
      type: dict
      returned: always
  sample: {interface: "1", in_use: true, mac_address: "02:00:00:00:b0:01", hostname: bmc, dhcp: false,
    address: 192.0.2.50, netmask: 255.255.255.0, gateway: 192.0.2.1, dns: [192.0.2.53], vlan: 0, ntp: [],
    protocols: {https: true, ssh: false}}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {address: 198.51.100.7, netmask: 255.255.255.0, gateway: 198.51.100.1, dhcp: false}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: What was read back afterwards, as RV(network).
  returned: success
  type: dict
verified:
  description: Whether what was read back is what was asked for; V(null) where nothing could be read any more.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: unreachable, expected_at: 198.51.100.7}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource


def main() -> None:
    """Run the module."""
    run_module(NetworkResource)


if __name__ == "__main__":
    main()
