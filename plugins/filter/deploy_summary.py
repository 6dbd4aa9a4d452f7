# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: the evidence of a deployment in a few lines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_summary
short_description: Show the evidence of a deployment in a few lines
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Makes a short text of the evidence that the playbook P(typeone.metal.os_deploy#role) writes.
options:
  _input:
    description: The evidence.
    type: dict
    required: true
  standing:
    description: Whether the server stood as deployed, so that nothing was done.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the evidence
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'build/evidence/node1.json') | from_json | typeone.metal.deploy_summary }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.deployment import summary


def deploy_summary(evidence: t.Mapping[str, t.Any], *, standing: bool = False) -> list[str]:
    """The lines of the summary."""
    return summary(evidence, standing=standing)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Names and functions."""
        return {"deploy_summary": deploy_summary}
