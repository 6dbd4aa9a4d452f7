#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_hardware_info
short_description: Inspect the hardware of a server through its BMC
version_added: 0.1.0
description:
  - Returns the inventory of one system over Redfish or IPMI, with one login and no document read twice.
  - What a BMC does not tell is V(null). What it should tell and cannot is listed in RV(problems), and all else is
    returned; the task fails only where nothing could be read.
  - Sizes are in bytes, speeds of networks in Mb/s, those of processors and memory in MHz. MAC addresses, UUIDs and WWNs
    are in lower case, serial numbers and models as printed.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.info
options:
  sections:
    description:
      - The sections to read, all where it is not set. Fewer sections need fewer requests.
    type: list
    elements: str
    choices: [system, bmc, processors, memory, network_interfaces, storage_controllers, disks, volumes, pcie_devices,
      gpus, firmware]
author:
  - typeone.metal contributors (@typeone)
seealso:
  - module: typeone.metal.bmc_power
"""

EXAMPLES = r"""
- name: Inspect a server
  typeone.metal.bmc_hardware_info:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
  register: inspected

- name: Show its disks by serial number
  ansible.builtin.debug:
    msg: "{{ item.serial_number }}: {{ item.model }}, {{ item.size_bytes | human_readable }}"
  loop: "{{ inspected.hardware.disks }}"

- name: Read the MAC addresses only, two requests at a time
  typeone.metal.bmc_hardware_info:
    sections: [network_interfaces]
    bmc_concurrency: 2
"""

RETURN = r"""
hardware:
  description: The sections asked for. Every row has all of its keys.
  returned: success
  type: dict
  contains:
    system:
      description: >-
        The system: maker, model, serial number, UUID, memory, the number of its CPUs, cores and threads, the firmware
        and C(boot), its boot override and order. Keys are C(id), C(name), C(manufacturer), C(model), C(sku),
        C(part_number), C(serial_number), C(asset_tag), C(uuid), C(bios_version), C(hostname), C(power_state),
        C(memory_bytes), C(processor_count), C(core_count), C(thread_count), C(boot), C(health), C(state).
      type: dict
      returned: when asked for; V(null) where it cannot be read
    bmc:
      description: >-
        The BMC itself, with its firmware and addresses. Keys are C(id), C(name), C(manufacturer), C(model),
        C(firmware_version), C(redfish_version), C(uuid), C(hostname), C(mac_addresses), C(ip_addresses), C(health),
        C(state).
      type: dict
      returned: when asked for; V(null) where it cannot be read
    processors:
      description: >-
        The CPUs, without empty sockets and without processors of other kinds. Keys are C(id), C(name), C(socket),
        C(manufacturer), C(model), C(part_number), C(serial_number), C(architecture), C(type), C(core_count),
        C(thread_count), C(max_speed_mhz), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    memory:
      description: >-
        The memory modules, without empty slots. Keys are C(id), C(slot), C(manufacturer), C(model), C(part_number),
        C(serial_number), C(type), C(size_bytes), C(speed_mhz), C(ranks), C(ecc), C(socket), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    network_interfaces:
      description: >-
        The network interfaces, what is told in several places put together by MAC address: link, speed, adapter, slot
        and socket. C(lldp) is the neighbour that the port hears. C(to_bmc) marks the one that leads to the BMC. Keys
        are C(id), C(name), C(mac_address), C(permanent_mac_address), C(link), C(speed_mbps), C(max_speed_mbps),
        C(adapter), C(port), C(manufacturer), C(model), C(firmware_version), C(slot), C(socket), C(pci_path), C(to_bmc),
        C(lldp), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    storage_controllers:
      description: >-
        The storage controllers. Keys are C(id), C(name), C(manufacturer), C(model), C(part_number), C(serial_number),
        C(firmware_version), C(protocols), C(raid_levels), C(cache_bytes), C(slot), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    disks:
      description: >-
        The disks, without empty bays. C(media_type) is V(nvme), V(ssd) or V(hdd); C(controller) the id of the
        controller or of its group. Keys are C(id), C(name), C(manufacturer), C(model), C(part_number),
        C(serial_number), C(wwn), C(media_type), C(protocol), C(size_bytes), C(block_bytes), C(firmware_version),
        C(rotation_rpm), C(life_left_percent), C(failure_predicted), C(erasable), C(encryption), C(controller), C(slot),
        C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    volumes:
      description: >-
        The volumes of RAID controllers. C(drives) holds serial numbers of disks. Keys are C(id), C(name),
        C(raid_level), C(size_bytes), C(wwn), C(controller), C(drives), C(bootable), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    pcie_devices:
      description: >-
        The PCIe devices with slot, functions and the socket that they belong to, where the BMC tells. Keys are C(id),
        C(name), C(manufacturer), C(model), C(part_number), C(serial_number), C(firmware_version), C(class), C(slot),
        C(socket), C(lanes), C(generation), C(functions), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    gpus:
      description: >-
        The GPUs, without the display chip of the BMC. Keys are C(id), C(name), C(manufacturer), C(model),
        C(part_number), C(serial_number), C(firmware_version), C(type), C(memory_bytes), C(slot), C(socket),
        C(pcie_device), C(health), C(state).
      type: list
      elements: dict
      returned: when asked for
    firmware:
      description: >-
        The components whose firmware the BMC lists. Keys are C(id), C(name), C(version), C(updateable),
        C(manufacturer), C(state).
      type: list
      elements: dict
      returned: when asked for
  sample:
    system: {manufacturer: Contoso, model: Mini 1U, serial_number: SN0001, memory_bytes: 68719476736,
      processor_count: 2, core_count: 16, thread_count: 32, power_state: "on"}
    network_interfaces: [{id: NIC1, mac_address: "02:00:5e:00:53:01", link: up, speed_mbps: 25000, adapter: NIC1,
      lldp: {chassis_id: "02:00:5e:00:53:f0", port_id: Ethernet1/7, system_name: leaf1}}]
    disks: [{id: Disk0, serial_number: HDD0000, wwn: 5000c50000000000, media_type: hdd, protocol: sas,
      size_bytes: 600000000000, controller: RAID1}]
problems:
  description: What could not be read. C(section) tells where it is missing.
  returned: success
  type: list
  elements: dict
  sample: [{section: disks, path: /redfish/v1/Systems/1/Storage, cause: the BMC answers HTTP 500}]
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
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource


def main() -> None:
    """Run the module."""
    run_module(HardwareResource)


if __name__ == "__main__":
    main()
