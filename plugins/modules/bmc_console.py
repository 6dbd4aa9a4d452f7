#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_console
short_description: Read the serial console of a server through its BMC
version_added: 0.1.0
description:
  - Reads the serial console of a server until a pattern appears or a time has passed, and keeps it in a file as it
    comes. Characters can be typed first.
  - Works over IPMI (Serial over LAN). Redfish has no console, where M(typeone.metal.bmc_console) fails and says so.
  - Takes the console for itself and gives it back at the end. Where somebody else holds it, the task fails.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
attributes:
  check_mode:
    description: Looks whether there is a console, does not take it, and writes no file.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Reads anew at every run.
    support: none
options:
  path:
    description:
      - The file to keep what is read in, on the machine where the task runs. Its owner alone can read it.
    type: path
  append:
    description: Whether to keep what O(path) holds and write behind it.
    type: bool
    default: false
  until:
    description:
      - The regular expression to read to. C(^) and C($) match at lines; colours and movements of the cursor are left
        out of what it is looked for in.
      - If not set, all of O(read_timeout) is read.
    type: str
  send:
    description:
      - What to type first, such as a carriage return to wake a login prompt.
      - It is shown in the result. Do not type secrets.
    type: str
  read_timeout:
    description: Seconds to read at most.
    type: int
    default: 60
  on_timeout:
    description: Whether the task fails where O(until) did not appear. What was read is kept in O(path) either way.
    type: str
    choices: [fail, continue]
    default: fail
author:
  - typeone.metal contributors (@typeone)
"""

EXAMPLES = r"""
- name: Wait until the server shows its login prompt, and keep what it says until then
  typeone.metal.bmc_console:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    bmc_protocol: ipmi
    path: "/var/log/consoles/{{ inventory_hostname }}.log"
    until: "login: $"
    read_timeout: 600

- name: Look what is on the console now
  typeone.metal.bmc_console:
    bmc_protocol: ipmi
    send: "\r"
    read_timeout: 3
  register: shown
"""

RETURN = r"""
console:
  description: What was read.
  returned: when the BMC answered
  type: dict
  contains:
    path:
      description: The file that holds it.
      type: str
      returned: always
    bytes:
      description: How much was read.
      type: int
      returned: always
    matched:
      description: What O(until) matched, V(null) where it did not appear.
      type: str
      returned: always
    last_lines:
      description: The last lines, at most 20, without colours and movements of the cursor.
      type: list
      elements: str
      returned: always
    seconds:
      description: How long it took.
      type: float
      returned: always
  sample: {path: /var/log/consoles/node7.log, bytes: 48213, matched: "login: ", last_lines: ["node7 login:"],
    seconds: 81.4}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: ipmi, reason: bmc_protocol is ipmi}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {until: "login: $"}
sent:
  description: The requests by which the console was taken and given back.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: What was read, as RV(console).
  returned: success
  type: dict
verified:
  description: Whether O(until) appeared; V(null) where it is not set.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: timeout, last_seen: ["Starting the installer"]}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.console import ConsoleResource


def main() -> None:
    """Run the module."""
    run_module(ConsoleResource)


if __name__ == "__main__":
    main()
