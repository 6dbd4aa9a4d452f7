#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_event_subscription
short_description: Manage a subscription to the events of a BMC
version_added: 0.1.0
description:
  - Makes or removes a subscription by which a BMC sends its events to an HTTP server, over Redfish, and reads it back.
  - A subscription of the same O(destination) (and O(context), where set) with other filters is replaced. The new one is
    made before the old one is removed, unless the BMC does not take both.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  destination:
    description: The URL that events are sent to.
    type: str
    required: true
  state:
    description: Whether there is to be such a subscription. V(absent) removes all that O(destination) means.
    type: str
    choices: [present, absent]
    default: present
  context:
    description:
      - A text that comes with every event.
      - If not set, V(typeone.metal) is used for a new subscription, and any is taken for one that is there.
    type: str
  event_types:
    description:
      - The types of events to send, V(alert), V(status_change), V(resource_added), V(resource_removed),
        V(resource_updated), V(metric_report), V(other), or the BMC's own word for another.
      - Newer BMCs filter by O(registry_prefixes) and O(resource_types) instead. Those not set are left to the BMC.
    type: list
    elements: str
  registry_prefixes:
    description: The registries of messages to send.
    type: list
    elements: str
  resource_types:
    description: The types of resources whose events to send.
    type: list
    elements: str
  headers:
    description:
      - Names and values of HTTP headers to send with every event, such as a token.
      - BMCs do not show them, so a change of them alone is not seen.
    type: dict
  wait_timeout:
    description: Seconds to wait until the subscription reads back as declared.
    type: int
    default: 15
author:
  - typeone.metal contributors (@typeone)
"""

EXAMPLES = r"""
- name: Have alerts sent to the collector
  typeone.metal.bmc_event_subscription:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/bmc-ca.pem
    destination: https://192.0.2.1:8443/events
    context: rack1-node7
    event_types: [alert]
    headers:
      Authorization: "Bearer {{ vault_collector_token }}"

- name: Send no more events there
  typeone.metal.bmc_event_subscription:
    destination: https://192.0.2.1:8443/events
    state: absent
"""

RETURN = r"""
event_subscription:
  description: The subscription as it is now, or would be in check mode. V(null) is what the BMC does not tell.
  returned: when the BMC answered
  type: dict
  contains:
    destination:
      description: Where events are sent.
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
    context:
      description: The text that comes with every event.
      type: str
      returned: always
    event_types:
      description: The types of events.
      type: list
      elements: str
      returned: always
    registry_prefixes:
      description: The registries of messages.
      type: list
      elements: str
      returned: always
    resource_types:
      description: The types of resources.
      type: list
      elements: str
      returned: always
    protocol:
      description: How events are sent.
      type: str
      returned: always
  sample: {destination: "https://192.0.2.1:8443/events", exists: true, id: "1", context: rack1-node7,
    event_types: [alert], registry_prefixes: null, resource_types: null, protocol: redfish}
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
  sample: {address: 192.0.2.10, protocol: redfish, reason: it answered as a Redfish service}
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
  sample: {destination: "https://192.0.2.1:8443/events", state: present, event_types: [alert]}
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: What was read back afterwards, as RV(event_subscription).
  returned: success
  type: dict
verified:
  description: Whether what was read back is what was asked for.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
  sample: {kind: rejected, status: 400}
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.events import EventSubscriptionResource


def main() -> None:
    """Run the module."""
    run_module(EventSubscriptionResource)


if __name__ == "__main__":
    main()
