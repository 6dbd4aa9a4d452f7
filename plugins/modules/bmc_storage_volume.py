#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_storage_volume
short_description: Create and remove volumes of a server's RAID controllers through its BMC
version_added: 0.1.0
description:
  - Brings a volume of a RAID controller to the declared state over Redfish, and reads back what is there.
  - A volume is the declared one where it has exactly the drives, by serial number, the level and the name. One that
    differs by its name only is renamed, which loses no data.
  - Volumes that are in the way are removed only where O(replace) names them.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  state:
    description:
      - V(present) has the volume, V(absent) has no volume that O(name), O(drives) and O(level) mean, as far as they
        are given. B(All data on a removed volume are lost.)
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - The volume's name. Where O(state=absent), its id is understood too.
      - If not set where O(state=present), any name is right.
    type: str
  drives:
    description:
      - The serial numbers of the drives. Required where O(state=present).
    type: list
    elements: str
    default: []
  level:
    description: The RAID level. Required where O(state=present).
    type: str
    choices: [raid0, raid1, raid5, raid6, raid10, raid50, raid60, raid1_triple, raid10_triple]
  size_bytes:
    description:
      - The size in bytes. If not set, all that the drives hold; a volume that is there may then have any size.
      - A difference of one per cent is none, since controllers round sizes.
    type: int
  replace:
    description:
      - Names or ids of volumes that may be removed where they are in the way, because they use one of the drives or
        have the name. B(All data on them are lost.)
    type: list
    elements: str
    default: []
  reboot:
    description:
      - Whether to restart the system where the controller makes the change at a reset only, and to wait for it.
      - A change that waits for a reset counts as asked for, and nothing is sent again.
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
    description: Seconds that all of it may take.
    type: int
    default: 1800
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_hardware_info
  - module: typeone.metal.bmc_drive_erase
"""

EXAMPLES = r"""
- name: Mirror two drives for the operating system
  typeone.metal.bmc_storage_volume:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    name: system
    level: raid1
    drives: [S4KXNA0M100001, S4KXNA0M100002]

- name: Make one volume of the drives that held two, whose data may go
  typeone.metal.bmc_storage_volume:
    name: data
    level: raid5
    drives: [ZC100001, ZC100002, ZC100003]
    replace: [old-data, scratch]
    reboot: true

- name: Remove a volume
  typeone.metal.bmc_storage_volume:
    name: scratch
    state: absent
"""

RETURN = r"""
storage_volume:
  description: All volumes as they are now, or would be in check mode.
  returned: when the BMC answered
  type: list
  elements: dict
  contains:
    id:
      description: The BMC's id; V(null) for one that is not there yet.
      type: str
      returned: always
    name:
      description: The name.
      type: str
      returned: always
    level:
      description: The RAID level, in the words of O(level).
      type: str
      returned: always
    size_bytes:
      description: The size in bytes.
      type: int
      returned: always
    controller:
      description: The id of the storage that it belongs to.
      type: str
      returned: always
    drives:
      description: The serial numbers of its drives.
      type: list
      elements: str
      returned: always
    path:
      description: Where the BMC keeps the volume.
      type: str
      returned: always
  sample: [{id: "1", name: system, level: raid1, size_bytes: 480103981056, controller: RAID.Slot.1-1,
    drives: [S4KXNA0M100001, S4KXNA0M100002], path: /redfish/v1/Systems/1/Storage/RAID.Slot.1-1/Volumes/1}]
reboot_required:
  description: Whether a change waits for a reset of the system.
  returned: success
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
  sample: {state: present, name: system, level: raid1, drives: [S4KXNA0M100001, S4KXNA0M100002]}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: All volumes as read back afterwards.
  returned: success
  type: list
  elements: dict
verified:
  description: Whether what was asked for was read back; V(false), with a warning, where it waits for a reset.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: invalid_input}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource


def main() -> None:
    """Run the module."""
    run_module(StorageVolumeResource)


if __name__ == "__main__":
    main()
