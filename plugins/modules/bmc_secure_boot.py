#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_secure_boot
short_description: Turn UEFI Secure Boot of a server on or off through its BMC
version_added: 0.1.0
description:
  - Brings UEFI Secure Boot and its keys to the declared state over Redfish.
  - The setting takes effect at the next reset of the system. Until then it counts as asked for, and is not sent again.
    Where O(reboot=true), the system is restarted and the state is read back when it is in effect.
  - Where the BMC's licence does not let Secure Boot be read, its state is unknown, which is a warning.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  enabled:
    description: Whether Secure Boot is to be on. If not set, it is left as it is.
    type: bool
  keys:
    description:
      - What the key databases are to hold. If not set, they are left as they are.
      - With V(default), the factory's keys are enrolled where there is no platform key.
      - With V(deleted), all keys are deleted, and with V(no_platform_key) the platform key alone; either leaves the
        system in setup mode, in which Secure Boot is off. Where it is in that mode nothing is deleted.
    type: str
    choices: [default, deleted, no_platform_key]
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
    description: Seconds to wait until a restart has brought the state into effect.
    type: int
    default: 1800
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_bios
"""

EXAMPLES = r"""
- name: Turn Secure Boot off from the next reset on
  typeone.metal.bmc_secure_boot:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    enabled: false

- name: Enrol the factory's keys, turn Secure Boot on, and restart into it
  typeone.metal.bmc_secure_boot:
    keys: default
    enabled: true
    reboot: true

- name: Enter setup mode, so that keys of our own can be enrolled
  typeone.metal.bmc_secure_boot:
    keys: no_platform_key
"""

RETURN = r"""
secure_boot:
  description: Secure Boot as it is now, or would be in check mode.
  returned: when the BMC answered
  type: dict
  contains:
    enabled:
      description: Whether it will be on after the next reset; V(null) where the BMC does not tell.
      type: bool
      returned: always
    current:
      description: Whether it was on at the last start; V(null) where the BMC does not tell.
      type: bool
      returned: always
    mode:
      description: One of V(setup), V(user), V(audit), V(deployed); V(null) where the BMC does not tell.
      type: str
      returned: always
    reboot_required:
      description: Whether the setting waits for a reset.
      type: bool
      returned: always
  sample: {enabled: true, current: false, mode: user, reboot_required: true}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {enabled: true, reboot: false}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: PATCH, path: /redfish/v1/Systems/1/SecureBoot, body: {SecureBootEnable: true}, status: 200}]
observed:
  description: What was read back afterwards, in the form of RV(secure_boot).
  returned: success
  type: dict
verified:
  description:
    - Whether all that was asked for was read back, as asked for where O(reboot=false) and as in effect where O(reboot=true).
    - V(false), with a warning, where the BMC does not tell.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: unsupported, capability: secure boot}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource


def main() -> None:
    """Run the module."""
    run_module(SecureBootResource)


if __name__ == "__main__":
    main()
