#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_power
short_description: Control the power of a server through its BMC
version_added: 0.1.0
description:
  - Brings the power of a server to the declared state over Redfish or IPMI, and waits until the BMC shows it.
  - A soft power-off or restart is never turned into a hard one unless that is asked for.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  state:
    description:
      - The state to reach.
      - V(restarted) and V(power_cycled) start the system anew at every run; a system that is off is powered on.
      - V(power_cycled) removes power and applies it again, each step proven.
    type: str
    required: true
    choices: [powered_on, powered_off, restarted, power_cycled]
  force:
    description:
      - Cut the power, or reset, without asking the operating system.
    type: bool
    default: false
  graceful_timeout:
    description:
      - Seconds the operating system is given to shut down or restart.
    type: int
    default: 300
  on_timeout:
    description:
      - What to do when O(graceful_timeout) has passed and the system still is on.
      - V(fail) fails and leaves it; V(force) cuts the power, with a warning.
    type: str
    choices: [fail, force]
    default: fail
  wait:
    description:
      - Whether to wait for the state. Steps on the way to it are waited for all the same.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for a change that does not need the operating system.
    type: int
    default: 120
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_boot_device
"""

EXAMPLES = r"""
- name: Power the node on
  typeone.metal.bmc_power:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    state: powered_on

- name: Shut the operating system down, and cut the power if that takes longer than five minutes
  typeone.metal.bmc_power:
    state: powered_off
    graceful_timeout: 300
    on_timeout: force

- name: Power-cycle without asking the operating system
  typeone.metal.bmc_power:
    state: power_cycled
    force: true
"""

RETURN = r"""
power:
  description: The power as it is now, or would be in check mode.
  returned: when the BMC answered
  type: dict
  contains:
    state:
      description: One of V(on), V(off), V(powering_on), V(powering_off), V(paused), V(unknown).
      type: str
      returned: always
  sample: {state: "on"}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {state: powered_on, force: false}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: POST, path: /redfish/v1/Systems/1/Actions/ComputerSystem.Reset, body: {ResetType: "On"},
    status: 204}]
observed:
  description: What was read back afterwards.
  returned: success
  type: dict
  sample: {state: "on"}
verified:
  description: Whether what was read back is what was asked for; V(null) where O(wait=false).
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: timeout, last_seen: "on"}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource


def main() -> None:
    """Run the module."""
    run_module(PowerResource)


if __name__ == "__main__":
    main()
