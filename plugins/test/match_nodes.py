# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test: whether servers suit a request."""

from __future__ import annotations

DOCUMENTATION = r"""
name: match_nodes
short_description: Tell whether a server suits a request, or enough of many do
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - For one server, tells whether it suits; for many, whether as many suit as the request asks for.
positional: _input, request
options:
  _input:
    description: One server, or many, as P(typeone.metal.place_nodes#filter) takes them.
    type: raw
    required: true
  request:
    description: What is asked for, as P(typeone.metal.place_nodes#filter) takes it.
    type: dict
    required: true
seealso:
  - plugin: typeone.metal.place_nodes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Go on only with a server that is large enough
  ansible.builtin.assert:
    that: >-
      {'name': inventory_hostname, 'hardware': inspected.hardware}
      is typeone.metal.match_nodes({'min_memory_gib': 256, 'min_cpus': 32})
"""

RETURN = r"""
_value:
  description: Whether it suits.
  type: bool
"""

from ansible_collections.typeone.metal.plugins.plugin_utils._placement import match_nodes


class TestModule:
    """The test."""

    def tests(self):
        """Return names and functions."""
        return {"match_nodes": match_nodes}
