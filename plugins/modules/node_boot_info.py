#!/usr/bin/python
# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_boot_info
short_description: Tell what a server has booted, or wait until it is what is expected
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Looks at a server over the connection of the task and tells whether the deployment ramdisk or an installed
    system answers, with its boot id, its root disk and the stamp of its deployment.
  - With O(wait=true) it polls until the expected system answers. What is waited for is told all along, and where a
    console log is known, the error shows the console's last lines.
  - The whole of it runs in one round trip of plain shell. No Python is needed on the server.
attributes:
  check_mode:
    description: It only reads, so it does the same in check mode.
    support: full
  diff_mode:
    description: Nothing is ever changed.
    support: none
  platform:
    description: Linux servers reached by a connection plugin that runs a shell, such as P(ansible.builtin.ssh#connection).
    platforms: linux
    support: full
options:
  expect:
    description: The system that is expected.
    type: str
    choices:
      any: Whatever answers.
      ramdisk: The deployment ramdisk.
      installed: A system that was installed by this collection.
    default: any
  not_boot_id:
    description: The boot id of a boot that does not count, to wait for the next one.
    type: str
  wait:
    description: Whether to wait until the expected system answers. Without it, a server that does not answer is no error.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait at most, in seconds.
    type: float
    default: 900
  console_log:
    description: A file on the controller with the serial console of the server, shown when the server does not come up.
    type: path
seealso:
  - module: typeone.metal.os_install
"""

EXAMPLES = r"""
- name: Wait for the ramdisk
  typeone.metal.node_boot_info:
    expect: ramdisk
    wait: true
    console_log: /var/log/consoles/node1.log
  register: ramdisk

- name: Show the boot id
  ansible.builtin.debug:
    var: ramdisk.node_boot.boot_id
"""

RETURN = r"""
node_boot:
  description: What the server has booted.
  type: dict
  returned: success
  contains:
    reached:
      description: Whether the server answered.
      type: bool
      returned: always
    kind:
      description: One of V(ramdisk), V(installed), V(foreign) (no stamp of ours) or V(unreachable).
      type: str
      returned: always
    cause:
      description: Why the server did not answer.
      type: str
      returned: where RV(node_boot.reached) is false
    boot_id:
      description: The kernel's id of this boot.
      type: str
      returned: where RV(node_boot.reached) is true
    uptime:
      description: Seconds since the kernel started.
      type: float
      returned: where RV(node_boot.reached) is true
    kernel:
      description: The kernel's release.
      type: str
      returned: where RV(node_boot.reached) is true
    command_line:
      description: The kernel's arguments.
      type: str
      returned: where RV(node_boot.reached) is true
    hypervisor:
      description: The hypervisor below the kernel, such as V(xen).
      type: str
      returned: where RV(node_boot.reached) is true
    machine:
      description: The C(uuid) and the C(serial_number) that the firmware tells of the machine.
      type: dict
      returned: where RV(node_boot.reached) is true
    disk:
      description: The name of the disk that the root is on.
      type: str
      returned: where the root is on a disk
    disk_serial:
      description: The serial number of that disk.
      type: str
      returned: where the root is on a disk
    state:
      description: The state of the system by its service manager, such as V(running) or V(degraded).
      type: str
      returned: where the root is on a disk
    stamp:
      description: What the deployment wrote down about itself.
      type: dict
      returned: where RV(node_boot.kind) is V(installed)
seconds:
  description: How long it took until the expected system answered.
  type: float
  returned: where the expected system answered
console:
  description: The console's last lines.
  type: list
  elements: str
  returned: failure
"""
