#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_bios
short_description: Set a server's BIOS attributes through its BMC
version_added: 0.1.0
description:
  - Brings BIOS attributes to the declared values over Redfish. Names, types, ranges and allowed values are checked
    against the BMC's registry before anything is sent.
  - Most BIOS settings wait for a reset of the system. A value that waits counts as asked for, and is not sent again.
    Where O(reboot=true), the system is restarted and the values are read back when they are in effect.
  - To change several things with one restart, set O(reboot=true) in the last task only.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  attributes:
    description:
      - Attributes and their values, by the names of the BMC's own registry. An unknown name is an error that names
        similar ones.
      - Put words such as V(yes) or V(on) in quotation marks. Passwords cannot be set, since no BMC shows them.
    type: dict
    default: {}
  reset_to_defaults:
    description:
      - Reset all attributes to the factory's values first, as far as any differs from the registry's default.
      - O(attributes) are set on top of that.
      - Where the BMC does not tell its defaults, they are asked for at every run and cannot be verified.
    type: bool
    default: false
  reboot:
    description:
      - Whether to restart the system where something waits for a reset, and to wait until it is in effect.
      - A system that is off is powered on.
    type: bool
    default: false
  force:
    description: Restart without asking the operating system.
    type: bool
    default: false
  graceful_timeout:
    description: Seconds the operating system is given where the restart is a shutdown and a start.
    type: int
    default: 300
  wait_timeout:
    description: Seconds to wait until a restart has brought the values into effect.
    type: int
    default: 1800
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_secure_boot
  - module: typeone.metal.bmc_power
"""

EXAMPLES = r"""
- name: Prepare the processor for virtual machines; this takes effect at the next reset
  typeone.metal.bmc_bios:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    attributes:
      ProcVirtualization: Enabled
      SriovGlobalEnable: Enabled

- name: Set attributes and restart into them where that is needed
  typeone.metal.bmc_bios:
    attributes:
      WorkloadProfile: Virtualization-MaxPerformance
    reboot: true

- name: Start from the factory's settings, with two of our own
  typeone.metal.bmc_bios:
    reset_to_defaults: true
    attributes:
      BootMode: Uefi
      NumLock: "Off"
    reboot: true
    force: true
"""

RETURN = r"""
bios:
  description: The attributes that the task is about, as they are now, or would be in check mode.
  returned: when the BMC answered
  type: dict
  contains:
    attributes:
      description: The values in effect.
      type: dict
      returned: always
    pending:
      description: The values that wait for a reset.
      type: dict
      returned: always
    reboot_required:
      description: Whether something waits for a reset.
      type: bool
      returned: always
  sample: {attributes: {SriovGlobalEnable: Disabled}, pending: {SriovGlobalEnable: Enabled}, reboot_required: true}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words, values in the registry's types.
  returned: success
  type: dict
  sample: {attributes: {SriovGlobalEnable: Enabled}, reset_to_defaults: false, reboot: false}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: PATCH, path: /redfish/v1/Systems/1/Bios/Settings, body: {Attributes: {SriovGlobalEnable: Enabled},
    "@Redfish.SettingsApplyTime": {ApplyTime: OnReset}}, status: 200}]
observed:
  description: What was read back afterwards, in the form of RV(bios).
  returned: success
  type: dict
verified:
  description:
    - Whether all that was asked for was read back, as pending where O(reboot=false) and as in effect where O(reboot=true).
    - V(false), with a warning, where the BMC does not show what is pending.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: invalid_input, attributes: [SriovGlobalEnabled]}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource


def main() -> None:
    """Run the module."""
    run_module(BiosResource)


if __name__ == "__main__":
    main()
