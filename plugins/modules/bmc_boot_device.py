#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_boot_device
short_description: Set the boot override of a server through its BMC
version_added: 0.1.0
description:
  - Sets from what a server boots next, or always, over Redfish or IPMI, and reads the override back.
  - A BMC that refuses one form of the request is asked in another; one that takes it and keeps another device is
    an error.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  device:
    description:
      - What to boot from. V(none) ends the override.
      - V(cd) is the virtual drive on BMCs that tell it from a physical one. A rule in O(bmc_quirks) with the behaviour
        C(boot_cd_by_attribute) and the parameter C(enabled=false) makes it the physical one where Redfish tells them
        apart by an attribute.
    type: str
    choices: [none, pxe, http, disk, cd, usb, floppy, sd_card, remote_drive, bios_setup, uefi_shell, utilities,
      diagnostics, uefi_target, recovery]
  persistence:
    description:
      - For how long the override holds. V(once) if O(device) is set and this is not.
      - V(disabled) ends the override.
      - On BMCs whose override holds once at most, V(continuous) puts the device first in the boot order, which stays
        so until another device is put there.
    type: str
    choices: [once, continuous, disabled]
  firmware_mode:
    description:
      - How the firmware boots. Left as it is if not set.
    type: str
    choices: [uefi, bios]
  http_uri:
    description:
      - The URI to boot from with O(device=http), where the BMC takes one.
    type: str
  uefi_target:
    description:
      - The UEFI device path to boot from with O(device=uefi_target).
    type: str
  wait_timeout:
    description:
      - Seconds after which the override must read back as asked for. Where the device does and something beside it
        does not, three seconds are waited.
    type: int
    default: 15
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_power
"""

EXAMPLES = r"""
- name: Boot from the network once, under UEFI
  typeone.metal.bmc_boot_device:
    device: pxe
    firmware_mode: uefi

- name: Boot from the disk from now on
  typeone.metal.bmc_boot_device:
    device: disk
    persistence: continuous

- name: End any override
  typeone.metal.bmc_boot_device:
    device: none
"""

RETURN = r"""
boot_device:
  description: The override as it is now, or would be in check mode. V(null) is what the BMC does not tell.
  returned: when the BMC answered
  type: dict
  contains:
    device:
      description: What is booted from.
      type: str
      returned: always
    persistence:
      description: For how long.
      type: str
      returned: always
    firmware_mode:
      description: How the firmware boots.
      type: str
      returned: always
    http_uri:
      description: The URI of an HTTP boot.
      type: str
      returned: always
    uefi_target:
      description: The UEFI device path.
      type: str
      returned: always
  sample: {device: pxe, persistence: once, firmware_mode: uefi, http_uri: null, uefi_target: null}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {device: pxe, persistence: once}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: []
observed:
  description: What was read back afterwards.
  returned: success
  type: dict
  sample: {device: pxe, persistence: once, firmware_mode: uefi, http_uri: null, uefi_target: null}
verified:
  description: Whether what was read back is what was asked for.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: rejected, status: 400}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource


def main() -> None:
    """Run the module."""
    run_module(BootDeviceResource)


if __name__ == "__main__":
    main()
