# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: count the power-on self-tests of a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_posts
short_description: Count the power-on self-tests of a deployment
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Counts by three witnesses, the provisioner, the orders to the BMC, and the boot ids of the kernels that were met.
    The largest of the three is the result.
options:
  _input:
    description: RV(typeone.metal.node_stage#module:events).
    type: list
    elements: dict
    required: true
  commanded:
    description: How many orders to the BMC ended in a self-test.
    type: int
    required: true
  boot_ids:
    description: The boot ids that were met since the power-on.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Count
  ansible.builtin.debug:
    msg: "{{ seen.events | typeone.metal.deploy_posts(commanded=1, boot_ids=[ramdisk.node_boot.boot_id]) }}"
"""

RETURN = r"""
_value:
  description: The number as C(posts), and what each witness counted.
  type: dict
"""

import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.deployment import count_posts


def deploy_posts(events: t.Sequence[t.Mapping[str, t.Any]], *, commanded: int, boot_ids: t.Sequence[str]) -> dict[str, t.Any]:
    """The count and its witnesses."""
    return count_posts(events=events, commanded=int(commanded), boot_ids=boot_ids)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Names and functions."""
        return {"deploy_posts": deploy_posts}
