#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_capability_info
short_description: Tell what a BMC can do and which quirks are known of it
version_added: 0.1.0
description:
  - Returns, for one BMC, which capabilities it has over the protocol that was taken, what there is to choose from,
    how it identifies itself, which systems are behind it, and which rules of quirks apply to it.
  - Nothing is tried out; what a BMC advertises is believed.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.info
options: {}
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_hardware_info
"""

EXAMPLES = r"""
- name: Ask a BMC what it can do
  typeone.metal.bmc_capability_info:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
  register: result

- name: Boot over HTTP where that is offered
  typeone.metal.bmc_boot_device:
    device: "{{ 'http' if 'http' in result.capability.capabilities.boot_device.values['devices'] else 'pxe' }}"
"""

RETURN = r"""
capability:
  description: What is known of the BMC.
  returned: success
  type: dict
  contains:
    identity:
      description: The C(manufacturer), C(model) and C(firmware) that rules of quirks are matched with.
      type: dict
      returned: always
    systems:
      description: The systems that O(bmc_system) may name. Empty over IPMI, where there is one.
      type: list
      elements: str
      returned: always
    capabilities:
      description: >-
        By capability, whether it is C(supported) (V(null) where that was not to be found out), by which C(protocol),
        the C(reason) where it is not, and the C(values) to choose from.
      type: dict
      returned: always
    quirks:
      description: The rules that match this BMC, those of O(bmc_quirks) first.
      type: list
      elements: dict
      returned: always
    behaviours:
      description: All behaviours that a rule of O(bmc_quirks) may turn on, and what they do.
      type: dict
      returned: always
  sample:
    identity: {manufacturer: Contoso, model: Mini 1U, firmware: 1.2.3}
    systems: ["1"]
    capabilities:
      power: {supported: true, protocol: redfish, reason: null, values: {actions: ["on", off_hard, off_soft]}}
      secure_boot: {supported: false, protocol: redfish, reason: the BMC has no SecureBoot at its system, values: {}}
    quirks: []
    behaviours: {boot_override_complete: "Send target, enabled and mode in every change of the boot override."}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: unreachable}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource


def main() -> None:
    """Run the module."""
    run_module(CapabilitiesResource)


if __name__ == "__main__":
    main()
