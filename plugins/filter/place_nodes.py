# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: choose servers for a request."""

from __future__ import annotations

DOCUMENTATION = r"""
name: place_nodes
short_description: Choose servers by requirements, traits and queries, and tell why the others were rejected
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Chooses as many servers as are asked for among those that were inspected, best fit first, spread over racks or
    power feeds, without a scheduling service.
  - The same input always gives the same choice.
positional: _input, request
options:
  _input:
    description:
      - The servers; a list of mappings with a C(name) each, or a mapping of names to such mappings.
      - C(hardware) is what M(typeone.metal.bmc_hardware_info) or M(typeone.metal.bmc_fleet_info) returned, C(traits) a
        list of words, C(reserved_for) the name of who has reserved it. Any other key can be used by queries.
    type: raw
    required: true
  request:
    description:
      - What is asked for; C(count) servers (default 1), each with at least C(min_memory_gib), C(min_cpus) logical
        processors and C(min_nics) network interfaces, all C(traits), none of C(forbidden_traits).
      - C(queries) is a list of JMESPath expressions over the server that must all be true.
      - C(reserved_for) names who asks; servers reserved for others are rejected.
      - C(fit) is V(best) (the smallest that suits first; the default) or V(worst).
      - C(spread_by) is a JMESPath expression, such as V(rack), whose value as few of the chosen as possible share.
    type: dict
    required: true
notes:
  - Queries need the Python library jmespath on the controller.
seealso:
  - plugin: typeone.metal.match_nodes
    plugin_type: test
"""

EXAMPLES = r"""
- name: Choose three servers for storage, each in another rack
  ansible.builtin.set_fact:
    placement: "{{ fleet | typeone.metal.place_nodes(request) }}"
  vars:
    fleet:
      - {name: node1, rack: r1, traits: [ssd], hardware: {system: {memory_bytes: 274877906944, thread_count: 64}}}
      - {name: node2, rack: r2, traits: [ssd], hardware: {system: {memory_bytes: 274877906944, thread_count: 64}}}
    request:
      count: 3
      min_memory_gib: 256
      traits: [ssd]
      spread_by: rack
      queries:
        - "length(hardware.disks[?media_type=='ssd'] || `[]`) >= `4`"

- name: Tell why it could not be done
  ansible.builtin.assert:
    that: placement.satisfied
    fail_msg: "{{ placement.explanation | join('\n') }}"
"""

RETURN = r"""
_value:
  description: The choice.
  type: dict
  contains:
    chosen:
      description: The names of the servers to take, in the order of preference.
      type: list
      elements: str
    spare:
      description: The names of those that suit as well and were not needed.
      type: list
      elements: str
    rejected:
      description: For the name of each server that does not suit, the reasons.
      type: dict
    satisfied:
      description: Whether as many were found as were asked for.
      type: bool
    explanation:
      description: The outcome in lines for a person.
      type: list
      elements: str
"""

from ansible_collections.typeone.metal.plugins.plugin_utils._placement import place_nodes


class FilterModule:
    """The filter."""

    def filters(self):
        """Return names and functions."""
        return {"place_nodes": place_nodes}
