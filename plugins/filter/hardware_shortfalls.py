# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: what a machine lacks of what is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hardware_shortfalls
short_description: Tell what a server lacks of what is asked for
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Compares RV(typeone.metal.bmc_hardware_info#module:hardware) with requirements.
positional: _input, requirements
options:
  _input:
    description: The hardware, as M(typeone.metal.bmc_hardware_info) returns it.
    type: dict
    required: true
  requirements:
    description: The requirements C(min_memory_gib), C(min_cpus) and C(min_nics). Each may be left out.
    type: dict
    required: true
  boot_mac:
    description: A MAC address that one of its interfaces must have, where the BMC shows any.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Check the hardware
  ansible.builtin.assert:
    that: >-
      (inspected.hardware | typeone.metal.hardware_shortfalls({'min_memory_gib': 64})) == []
"""

RETURN = r"""
_value:
  description: One sentence part for each shortfall. Empty where all requirements are met.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.deployment import shortfalls


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Names and functions."""
        return {"hardware_shortfalls": shortfalls}
