#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_user
short_description: Manage an account of a BMC
version_added: 0.1.0
description:
  - Makes, changes or removes one account of a BMC over Redfish or IPMI, and reads it back.
  - Where accounts are a fixed number of slots, a free one is filled and a slot is cleared instead.
  - A new password is proven by one login with it, where the BMC lets that be tried.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  name:
    description: The name of the account.
    type: str
    required: true
  state:
    description: Whether there is to be such an account.
    type: str
    choices: [present, absent]
    default: present
  password:
    description:
      - The password. Needed for a new account.
      - The password of an account that exists is left alone unless O(update_password=always).
    type: str
  update_password:
    description:
      - When to set the password.
      - With V(always), one login with O(password) is tried first, and nothing is sent where it works. A failed login
        counts where the BMC locks accounts after some. Where the BMC lets no login be tried, the password is set at
        every run.
    type: str
    choices: [on_create, always]
    default: on_create
  role:
    description:
      - The role, V(administrator), V(operator), V(read_only), V(none), or the BMC's own word for another.
      - A new account is V(read_only) unless this says otherwise.
    type: str
  enabled:
    description: Whether the account may log in. A new account may, unless this says otherwise.
    type: bool
  allow_own_account:
    description:
      - Whether the account that the task itself logs in with may be removed, disabled, or deprived of its role.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait until the account reads back as declared.
    type: int
    default: 15
author:
  - typeone.metal contributors (@typeone)
"""

EXAMPLES = r"""
- name: Have an account for monitoring
  typeone.metal.bmc_user:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    name: monitor
    password: "{{ vault_monitor_password }}"
    role: read_only

- name: Set the password of the account anew where it is not this one
  typeone.metal.bmc_user:
    name: monitor
    password: "{{ vault_monitor_password }}"
    update_password: always

- name: Remove the factory's account
  typeone.metal.bmc_user:
    name: root
    state: absent
"""

RETURN = r"""
user:
  description: The account as it is now, or would be in check mode. V(null) is what the BMC does not tell.
  returned: when the BMC answered
  type: dict
  contains:
    username:
      description: Its name.
      type: str
      returned: always
    exists:
      description: Whether it is there.
      type: bool
      returned: always
    id:
      description: The BMC's own id for it.
      type: str
      returned: always
    role:
      description: Its role.
      type: str
      returned: always
    enabled:
      description: Whether it may log in.
      type: bool
      returned: always
    locked:
      description: Whether the BMC has locked it after failed logins.
      type: bool
      returned: always
    password:
      description: V(as_given) or V(other), where a login with O(password) was tried, else V(unknown).
      type: str
      returned: always
  sample: {username: monitor, exists: true, id: "3", role: read_only, enabled: true, locked: false, password: unknown}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {name: monitor, state: present, role: read_only, password: as given}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
  sample: [{method: POST, path: /redfish/v1/AccountService/Accounts, body: {UserName: monitor, Password: "********",
    RoleId: ReadOnly}, status: 201}]
observed:
  description: What was read back afterwards, as RV(user).
  returned: success
  type: dict
verified:
  description:
    - Whether what was read back is what was asked for; V(null), with a warning, where a new password could not be tried
      by a login, or the task closed its own account.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: rejected, status: 400}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource


def main() -> None:
    """Run the module."""
    run_module(UserResource)


if __name__ == "__main__":
    main()
