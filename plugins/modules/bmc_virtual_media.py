#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_virtual_media
short_description: Insert and eject images in a server's virtual drives
version_added: 0.1.0
description:
  - Brings an image into one of the virtual drives of a server over Redfish, or takes images out, and reads back what
    the drives hold.
  - Slots are looked for below the system and below its BMC. The best that takes the kind of image is used; where it
    refuses, the next one is tried. What it held before is ejected.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  state:
    description:
      - V(inserted) has the image in one slot, V(ejected) has none that O(image_url), O(media_type) and O(slot) mean.
      - What a person has inserted from a remote console is ejected only where O(slot) names its slot.
    type: str
    choices: [inserted, ejected]
    default: inserted
  image_url:
    description:
      - The image's URL, as the BMC reaches it. It may not hold an account.
      - Required where O(state=inserted). Where O(state=ejected), only this image is ejected.
    type: str
  media_type:
    description:
      - The kind of drive. If not set, V(usb) for names that end in C(.img), C(.raw) or C(.usb), else V(cd).
      - A BMC that has V(dvd) only takes images for V(cd) there, and the other way round.
    type: str
    choices: [cd, dvd, usb, floppy]
  slot:
    description:
      - The slot to use, by its name, title or path. If not set, the best of those that are there.
    type: str
  write_protected:
    description:
      - Whether the server may write to the image. CDs and DVDs are never written to.
    type: bool
    default: true
  image_username:
    description: The account at the image's server.
    type: str
  image_password:
    description: The password of O(image_username).
    type: str
  wait_timeout:
    description: Seconds to wait until the BMC shows the image, or its absence.
    type: int
    default: 60
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_boot_device
"""

EXAMPLES = r"""
- name: Insert an installer
  typeone.metal.bmc_virtual_media:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    image_url: https://192.0.2.1/images/installer.iso

- name: Boot from it once
  typeone.metal.bmc_boot_device:
    device: cd

- name: Insert a disk image into a slot by name, from a share that asks for an account
  typeone.metal.bmc_virtual_media:
    image_url: cifs://192.0.2.1/images/tools.img
    slot: RemovableDisk
    image_username: reader
    image_password: "{{ vault_share_password }}"

- name: Leave nothing in the virtual drives
  typeone.metal.bmc_virtual_media:
    state: ejected
"""

RETURN = r"""
virtual_media:
  description: The slots as they are now, or would be in check mode.
  returned: when the BMC answered
  type: list
  elements: dict
  contains:
    slot:
      description: The slot's name, for O(slot).
      type: str
      returned: always
    id:
      description: The BMC's id.
      type: str
      returned: always
    name:
      description: The slot's title.
      type: str
      returned: always
    path:
      description: Where the BMC keeps the slot.
      type: str
      returned: always
    media_types:
      description: The kinds of drive that it can be; empty where the BMC does not tell.
      type: list
      elements: str
      returned: always
    inserted:
      description: Whether there is an image.
      type: bool
      returned: always
    image_url:
      description: The image's URL, as far as the BMC tells it.
      type: str
      returned: always
    image_name:
      description: The image's name, as far as the BMC tells it.
      type: str
      returned: always
    write_protected:
      description: Whether the server may not write to it.
      type: bool
      returned: always
    connected_via:
      description: One of V(uri), V(applet), V(oem), V(not_connected).
      type: str
      returned: always
  sample: [{slot: CD1, id: CD1, name: Virtual CD, path: /redfish/v1/Managers/1/VirtualMedia/CD1, media_types: [cd, dvd],
    inserted: true, image_url: "https://192.0.2.1/images/installer.iso", image_name: installer.iso,
    write_protected: true, connected_via: uri}]
slot:
  description: The slot that holds the image; V(null) where none does yet.
  returned: success and O(state=inserted)
  type: str
  sample: CD1
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {state: inserted, image_url: "https://192.0.2.1/images/installer.iso"}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: POST, path: /redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia,
    body: {Image: "https://192.0.2.1/images/installer.iso"}, status: 204}]
observed:
  description: The slots as read back afterwards.
  returned: success
  type: list
  elements: dict
verified:
  description: Whether what was read back is what was asked for.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: rejected, slots: [CD1]}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource


def main() -> None:
    """Run the module."""
    run_module(VirtualMediaResource)


if __name__ == "__main__":
    main()
