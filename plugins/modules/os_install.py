#!/usr/bin/python
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_install
short_description: Write an operating system's image to the right disk of a server, from within a ramdisk
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Chooses a disk by what it is (serial, WWN, size, type), never by its name, and refuses a disk that carries
    anything unless its serial is listed in O(destroy). The disk's bytes are looked at, so that Ceph, VMFS and plain
    encrypted disks are seen as well.
  - Streams the compressed image to the disk with direct writes and constant memory, and compares the SHA-256 of what
    was received; the compression's own checksum covers what is unpacked. An image server that stalls ends it within
    half a minute.
  - Lets the root file system fill the disk, gives it a UUID of its own, and writes hostname, SSH host key, authorised
    keys, address and a stamp. The root stays mounted at O(mount_point).
  - With O(switch_root=true) the ramdisk then hands the running kernel over to the installed system.
  - Where the module runs as an action, the progress is told on the terminal.
attributes:
  check_mode:
    description: In check mode the disk is chosen and looked at, and nothing is written.
    support: full
  diff_mode:
    description: The difference tells the disk, what it carries and the image it gets.
    support: full
  platform:
    description: The deployment ramdisk of this collection.
    platforms: linux
    support: full
options:
  node:
    description: The name by which the server is known. It is written into the marker on the disk.
    type: str
    required: true
  hints:
    description: What the disk must be. Exactly one disk has to answer all hints.
    type: dict
    default: {}
    suboptions:
      serial:
        description: Serial number, case and blanks do not count.
        type: str
      wwn:
        description: World wide name, with or without a prefix such as V(0x), V(naa.) or V(eui.).
        type: str
      min_size_gib:
        description: Smallest size in GiB.
        type: float
      max_size_gib:
        description: Largest size in GiB.
        type: float
      type:
        description: The kind of disk.
        type: str
        choices:
          - hdd
          - nvme
          - ssd
      rotational:
        description: Whether the disk rotates.
        type: bool
  destroy:
    description: Serial numbers of disks whose data may be lost.
    type: list
    elements: str
    default: []
  deploy_id:
    description: An id of this deployment. It is written into the marker on the disk.
    type: str
    required: true
  unfinished:
    description:
      - Ids of deployments of this server that were begun and never ended. A disk with the marker of one of them is
        ours to go on with, and no foreign data.
    type: list
    elements: str
    default: []
  image:
    description: The manifest that was published with the image.
    type: dict
    required: true
  image_url:
    description: The URL of the image, compressed by zstd.
    type: str
    required: true
  hostname:
    description: The hostname of the installed system.
    type: str
    required: true
  network:
    description: The first address of the installed system.
    type: dict
    required: true
    suboptions:
      mac:
        description: The MAC address of the network interface.
        type: str
        required: true
      address:
        description: The address with its prefix length.
        type: str
        required: true
      gateway:
        description: The default gateway.
        type: str
      dns:
        description: The name servers.
        type: list
        elements: str
        default: []
  stamp:
    description: What is written to C(/etc/typeone/deployed.json). The disk's serial is added to it.
    type: dict
    default: {}
  mount_point:
    description: Where the installed root is mounted.
    type: str
    default: /sysroot
  switch_root:
    description:
      - Whether the ramdisk hands over to the installed system when all is written.
      - It is only done where the running kernel is the installed one. RV(switched) tells.
    type: bool
    default: false
  timeout:
    description: How long the whole may take at most, in seconds.
    type: int
    default: 1800
seealso:
  - module: typeone.metal.node_boot_info
"""

EXAMPLES = r"""
- name: Install the image
  typeone.metal.os_install:
    node: "{{ inventory_hostname }}"
    hints:
      serial: S6XYZ0001
    deploy_id: 5be1c1d0
    image: "{{ os_image_result }}"
    image_url: http://192.0.2.2/images/0123456789abcdef/disk.img.zst
    hostname: node1.example.org
    network:
      mac: 52:54:00:00:00:11
      address: 192.0.2.11/24
    switch_root: true
"""

RETURN = r"""
disk:
  description: The disk that was chosen, with its C(path), C(serial), C(wwn), C(model), C(size_bytes) and C(kind).
  type: dict
  returned: where a disk was chosen
carried:
  description: What the disk carried before.
  type: list
  elements: str
  returned: where a disk was chosen
install:
  description: What was done.
  type: dict
  returned: success, not in check mode
  contains:
    root:
      description: The device of the installed root.
      type: str
      returned: always
    root_bytes:
      description: The size of the root partition in bytes.
      type: int
      returned: always
    sha256:
      description: The SHA-256 of the compressed image as it was received.
      type: str
      returned: always
    reused:
      description: Whether the image was on the disk already, from an attempt that was stopped later.
      type: bool
      returned: always
    switch_possible:
      description: Whether the running kernel is the installed one.
      type: bool
      returned: always
    seconds:
      description: How long it took.
      type: float
      returned: always
boot_id:
  description: The kernel's id of the boot in which the installation ran.
  type: str
  returned: always
command_line:
  description: The arguments of the kernel in which the installation ran.
  type: str
  returned: always
switched:
  description: Whether the ramdisk was told to hand over to the installed system.
  type: bool
  returned: where the module runs as an action
"""

import time
import typing as t
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import DiskProblem
from ansible_collections.typeone.metal.plugins.module_utils._host.installation import Installation, running_boot
from ansible_collections.typeone.metal.plugins.module_utils._host.install_options import OS_INSTALL_SPEC
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs


def install(module: AnsibleModule) -> dict[str, t.Any]:
    """Choose, judge and, unless in check mode, write."""
    start = time.monotonic()
    installation = Installation(module.params, programs=Programs())
    disk, what, carried = installation.plan()
    result: dict[str, t.Any] = {"disk": {**asdict(disk), "kind": disk.kind}, "carried": carried, "changed": True}
    result["diff"] = {"before": {"disk": str(disk), "carries": carried},
                      "after": {"disk": str(disk), "carries": [f"image {module.params['image']['key']}"]}}
    module.params["stamp"].update(disk_serial=disk.serial)
    if not module.check_mode:
        result["install"] = installation.run(disk, what)
        result["install"]["seconds"] = round(time.monotonic() - start, 1)
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=OS_INSTALL_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**running_boot(), **install(module))
    except (DiskProblem, HostError) as error:
        module.fail_json(msg=f"Cannot install {module.params['node']}: {error}", **running_boot(),
                         error={"kind": "disk" if isinstance(error, DiskProblem) else "install"})


if __name__ == "__main__":
    main()
