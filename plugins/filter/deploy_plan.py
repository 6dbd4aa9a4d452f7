# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: what a deployment would do, in words."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_plan
short_description: Tell in words what a deployment would do
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Says which disk would be written, what would become of power and boot device, and how many reboots there would be.
options:
  _input:
    description: The decision, as P(typeone.metal.deploy_decision#filter) gives it.
    type: dict
    required: true
  node:
    description: The name of the server.
    type: str
    required: true
  hardware:
    description: The hardware, as M(typeone.metal.bmc_hardware_info) returns it.
    type: dict
    required: true
  hints:
    description: The hints for the disk.
    type: dict
    required: true
  override:
    description: The boot override, as M(typeone.metal.bmc_boot_device) returns it.
    type: dict
    required: true
  power:
    description: The state of the power.
    type: str
    required: true
  image:
    description: The manifest of the image.
    type: dict
    required: true
  arguments:
    description: The kernel arguments of the installed system.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Say what would be done
  ansible.builtin.debug:
    msg: >-
      {{ decision | typeone.metal.deploy_plan(
           node=inventory_hostname, hardware=inspected.hardware, hints=typeone_disk_hints,
           override=override.boot_device, power='off', image=manifest, arguments=[]) }}
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.deployment import plan


def deploy_plan(decision: t.Mapping[str, t.Any], **known: t.Any) -> list[str]:
    """The plan of a decision."""
    return plan(decision=decision, **known)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Names and functions."""
        return {"deploy_plan": deploy_plan}
