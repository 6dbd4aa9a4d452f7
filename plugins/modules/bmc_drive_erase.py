#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_drive_erase
short_description: Erase drives of a server securely through its BMC
version_added: 0.1.0
description:
  - Erases the drives that are named by serial number over Redfish, and waits until the BMC says that it is done.
  - B(All data on them are lost.) Drives are named by serial number only, there is no way to name all of them, and
    nothing is sent unless O(destroy_data=true).
  - A drive that is part of a volume is refused. That a place still holds the drive named is looked up right before.
  - A BMC keeps no mark of an erasure. This module therefore erases at every run.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
attributes:
  idempotent:
    description: Changes nothing where the state is as declared.
    support: none
    details: A BMC does not tell whether a drive was erased.
options:
  serials:
    description: The serial numbers of the drives to erase, as M(typeone.metal.bmc_hardware_info) shows them.
    type: list
    elements: str
    required: true
  destroy_data:
    description: Has to be set to V(true), which says that the data on these drives may be lost.
    type: bool
    default: false
  method:
    description:
      - How to erase. V(block) has the drive erase its blocks, V(cryptographic) has it forget its key, and
        V(overwrite) writes over everything. If not set, the BMC chooses.
    type: str
    choices: [block, cryptographic, overwrite]
  wait_timeout:
    description: Seconds that all erasures together may take, one after the other.
    type: int
    default: 14400
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_storage_volume
  - module: typeone.metal.bmc_hardware_info
"""

EXAMPLES = r"""
- name: See in check mode which drives would be erased
  typeone.metal.bmc_drive_erase:
    serials: [S4KXNA0M100001, S4KXNA0M100002]
    destroy_data: true
  check_mode: true

- name: Erase two drives before the server leaves the house
  typeone.metal.bmc_drive_erase:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    serials: [S4KXNA0M100001, S4KXNA0M100002]
    method: cryptographic
    destroy_data: true
"""

RETURN = r"""
drive_erase:
  description: The drives that are named.
  returned: when the BMC answered
  type: list
  elements: dict
  contains:
    serial:
      description: The serial number.
      type: str
      returned: always
    id:
      description: The BMC's id.
      type: str
      returned: always
    model:
      description: The model.
      type: str
      returned: always
    size_bytes:
      description: The size in bytes.
      type: int
      returned: always
    media_type:
      description: One of V(hdd), V(ssd), V(nvme).
      type: str
      returned: always
    controller:
      description: The id of the storage that it belongs to.
      type: str
      returned: always
    volumes:
      description: The ids of the volumes that use it.
      type: list
      elements: str
      returned: always
    path:
      description: Where the BMC keeps the drive.
      type: str
      returned: always
    erased:
      description: V(true) where the BMC was seen to finish the erasure, V(null) where that is not known.
      type: bool
      returned: always
  sample: [{serial: S4KXNA0M100001, id: Disk.Bay.1, model: PM1643a, size_bytes: 960197124096, media_type: ssd,
    controller: RAID.Slot.1-1, volumes: [], path: /redfish/v1/Systems/1/Storage/RAID.Slot.1-1/Drives/Disk.Bay.1,
    erased: true}]
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {serials: [S4KXNA0M100001], method: cryptographic}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: What was seen afterwards, in the form of RV(drive_erase).
  returned: success
  type: list
  elements: dict
verified:
  description: Whether the BMC was seen to finish every erasure; V(false), with a warning, where it shows nothing of it.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: invalid_input}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.drive_erase import DriveEraseResource


def main() -> None:
    """Run the module."""
    run_module(DriveEraseResource)


if __name__ == "__main__":
    main()
