#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_firmware
short_description: Install firmware on a server through its BMC
version_added: 0.1.0
description:
  - Brings a component's firmware to the declared version over Redfish, and reads the version back.
  - A file is sent to the BMC as it is read from disk, so that its size in memory does not matter; or the BMC fetches
    it from a URL. The BMC's task is followed, also through restarts of the BMC.
  - A finished task is no success by itself. Where the version does not appear, the task fails, unless the BMC says
    that the image waits for a reset of the system.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
attributes:
  idempotent:
    support: partial
    details: An image that is staged until a reset does not show its version, and is sent again before that reset.
options:
  component:
    description:
      - The component, by the id, name or software id of the BMC's inventory, ignoring case. C(*) stands for anything.
      - Where several match, all of them are to have the version.
    type: str
    required: true
  version:
    description:
      - The version to be installed, as the BMC shows it, or as a word in it, so that V(3.11) is C(iLO 5 v3.11).
      - An older version than the present one is installed as well.
    type: str
    required: true
  image_path:
    description: The image, as a file on the machine that runs the task, by default the controller.
    type: path
  image_url:
    description: The image's URL, as the BMC reaches it. It may not hold an account.
    type: str
  image_username:
    description: The account at the image's server, for O(image_url).
    type: str
  image_password:
    description: The password of O(image_username).
    type: str
  targets:
    description:
      - Components to name to the BMC as those to update, in the words of O(component).
      - If empty, the image tells what it is for, which most BMCs expect.
    type: list
    elements: str
    default: []
  reboot:
    description:
      - Whether to restart the system where the image waits for that, and to wait for the version.
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
    description: Seconds that all of it may take, from the first byte to the version.
    type: int
    default: 3600
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_hardware_info
"""

EXAMPLES = r"""
- name: Install the BMC's firmware from a file on the controller
  typeone.metal.bmc_firmware:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    component: Integrated Dell Remote Access Controller
    version: 7.10.50.00
    image_path: /srv/firmware/idrac-7.10.50.00.d9

- name: Let the BMC fetch the system's firmware, and restart into it
  typeone.metal.bmc_firmware:
    component: BIOS
    version: 1.13.2
    image_url: https://192.0.2.1/firmware/bios-1.13.2.exe
    reboot: true

- name: Update all ports of a network adapter
  typeone.metal.bmc_firmware:
    component: "*ConnectX-6*"
    version: 22.38.1002
    image_path: /srv/firmware/cx6.bin
    targets: ["*ConnectX-6*"]
    reboot: true
    wait_timeout: 7200
"""

RETURN = r"""
firmware:
  description: The components that are meant, as they are now, or would be in check mode.
  returned: when the BMC answered
  type: list
  elements: dict
  contains:
    id:
      description: The id in the BMC's inventory.
      type: str
      returned: always
    name:
      description: The name.
      type: str
      returned: always
    version:
      description: The version as the BMC shows it.
      type: str
      returned: always
    software_id:
      description: The maker's id of the software.
      type: str
      returned: always
    updateable:
      description: Whether the BMC can update it; V(null) where it does not tell.
      type: bool
      returned: always
    state:
      description: The state in the BMC's words.
      type: str
      returned: always
    path:
      description: Where the BMC keeps the entry.
      type: str
      returned: always
  sample: [{id: BMC, name: BMC firmware, version: 2.0.0, software_id: null, updateable: true, state: Enabled,
    path: /redfish/v1/UpdateService/FirmwareInventory/BMC}]
reboot_required:
  description: Whether the image waits for a reset of the system.
  returned: changed
  type: bool
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {component: BMC, version: 2.0.0, image_path: /srv/firmware/bmc.bin, reboot: false}
sent:
  description: The requests that may have changed something, without secrets; of a file, its name and size.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: POST, path: /redfish/v1/UpdateService/upload, body: {file: bmc.bin, size_bytes: 33554432,
    parameters: {}}, status: 202}]
observed:
  description: The components as read back afterwards.
  returned: success
  type: list
  elements: dict
verified:
  description: Whether the version was read back; V(false), with a warning, where the image waits for a reset.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: rejected, messages: [The image is not for this system.]}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource


def main() -> None:
    """Run the module."""
    run_module(FirmwareResource)


if __name__ == "__main__":
    main()
