# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: whether a node is kept, deployed or left alone."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_decision
short_description: Decide whether a server is kept, deployed or left alone
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Looks at what runs on a server and decides what a deployment may do to it. A running machine is only taken down
    where it is known as ours and unfinished, or where that was allowed.
options:
  _input:
    description: RV(typeone.metal.node_boot_info#module:node_boot), or an empty dictionary where the power is off.
    type: dict
    required: true
  node:
    description: The name of the server.
    type: str
    required: true
  image:
    description: The manifest of the image that is asked for.
    type: dict
    required: true
  power:
    description: The state of the power.
    type: str
    required: true
  unfinished:
    description: Ids of deployments that never ended.
    type: list
    elements: str
    required: true
  destroy:
    description: Serial numbers of disks whose data may be lost.
    type: list
    elements: str
    default: []
  replace_running:
    description: Whether a server that runs something else may be powered off.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Decide
  ansible.builtin.debug:
    msg: >-
      {{ found.node_boot | typeone.metal.deploy_decision(
           node=inventory_hostname, image=manifest, power='on', unfinished=[]) }}
"""

RETURN = r"""
_value:
  description: The decision with C(action) (keep, deploy or refuse), C(cause) and C(remedy).
  type: dict
"""

import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.deployment import decide


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Names and functions."""
        return {"deploy_decision": decide}
