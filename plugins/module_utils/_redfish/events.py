# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions to events over Redfish: EventService and EventDestination (DMTF DSP0268)."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._bmc.errors import BmcError, BrokenAnswer, InvalidInput, Rejected, Unsupported
from .._bmc.interface import Driver, Events
from .._domain.events import EventType
from .client import link_of
from .members import documents

Json = dict[str, Any]
EVENT_TYPES = {"Alert": EventType.ALERT.value, "StatusChange": EventType.STATUS_CHANGE.value,
               "ResourceAdded": EventType.RESOURCE_ADDED.value, "ResourceRemoved": EventType.RESOURCE_REMOVED.value,
               "ResourceUpdated": EventType.RESOURCE_UPDATED.value, "MetricReport": EventType.METRIC_REPORT.value,
               "Other": EventType.OTHER.value}
WORDS = {neutral: word for word, neutral in EVENT_TYPES.items()}
# The context of a subscription that declares none: many BMCs take none without.
CONTEXT = "typeone.metal"
FORM_REFUSED = (400, 422)


class RedfishEvents(Events):
    """The members of EventService.Subscriptions that are sent by HTTP."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _service(self) -> Json:
        link = link_of(self._driver.root.get("EventService"))
        if link is None:
            raise Unsupported("the BMC has no event service", capability=self.title, protocol="redfish",
                              remedy="Read its logs instead (bmc_log_info).")
        return self._driver.client.read(link)

    def _collection(self) -> str:
        link = link_of(self._service().get("Subscriptions"))
        if link is None:
            raise Unsupported("the BMC lists no subscriptions", capability=self.title, protocol="redfish",
                              remedy="Read its logs instead (bmc_log_info).")
        return link

    def read(self) -> list[Json]:
        """Read the subscriptions anew."""
        self._driver.client.forget()
        return [_row(link, document) for link, document in self._documents().items()]

    def _documents(self) -> dict[str, Json]:
        """Return the subscriptions by link, without the object that says what a subscription may hold (DSP0266,
        section on capabilities objects)."""
        found = {link: document for link, document in documents(self._driver.client, self._collection()).items()
                 if not any(key.endswith("OnCreate") for key in document)}
        for link, document in found.items():
            if not isinstance(document.get("Destination"), str):
                raise BrokenAnswer(f"the subscription {link} does not tell its destination", path=link)
        return found

    def offers(self) -> Json:
        """Return what the service says that a subscription may name."""
        service = self._service()
        types = _texts(service.get("EventTypesForSubscription"))
        enabled = service.get("ServiceEnabled")
        return {"enabled": enabled if isinstance(enabled, bool) else None,
                "event_types": [EVENT_TYPES.get(word, word) for word in types] if types else None,
                "registry_prefixes": _texts(service.get("RegistryPrefixes")),
                "resource_types": _texts(service.get("ResourceTypes"))}

    def create(self, subscription: Json) -> None:
        """Post the subscription as it is asked for; where that form is refused, with all types of events named."""
        last: Optional[BmcError] = None
        for body in self._forms(subscription):
            try:
                self._driver.client.write("POST", self._collection(), body)
                return
            except Rejected as error:
                if error.details.get("status") not in FORM_REFUSED:
                    raise
                last = last or error
        raise last or Unsupported("the BMC takes no subscription", capability=self.title, protocol="redfish")

    def _forms(self, subscription: Json) -> Iterator[Json]:
        """Yield the bodies to try. Older services want the types of events, of which newer ones know nothing."""
        body: Json = {"Destination": subscription["destination"], "Protocol": "Redfish",
                      "Context": subscription.get("context") or CONTEXT}
        types = subscription.get("event_types")
        for key, values in (("EventTypes", [WORDS.get(name, name) for name in types] if types else None),
                            ("RegistryPrefixes", subscription.get("registry_prefixes")),
                            ("ResourceTypes", subscription.get("resource_types"))):
            if values is not None:
                body[key] = list(values)
        if subscription.get("headers"):
            body["HttpHeaders"] = [{name: value} for name, value in subscription["headers"].items()]
        yield body
        if types is None:
            known = _texts(self._service().get("EventTypesForSubscription")) or [WORDS[EventType.ALERT.value]]
            yield {**body, "EventTypes": known}

    def delete(self, subscription_id: str) -> None:
        """Delete the member of that id."""
        for link, document in self._documents().items():
            if _row(link, document)["id"] == subscription_id:
                self._driver.client.write("DELETE", link)
                return
        raise InvalidInput(f"no subscription has the id {subscription_id}", remedy="It may just have been deleted.")


def _texts(values: Any) -> Optional[list[str]]:
    """Return the texts of a list, ``None`` where there is no list."""
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else None


def _row(link: str, document: Json) -> Json:
    """Return a subscription in neutral words."""
    types, protocol, context = _texts(document.get("EventTypes")), document.get("Protocol"), document.get("Context")
    return {"id": str(document.get("Id") or link.rstrip("/").rsplit("/", 1)[-1]),
            "destination": document["Destination"], "context": context if isinstance(context, str) else None,
            "event_types": [EVENT_TYPES.get(word, word) for word in types] if types is not None else None,
            "registry_prefixes": _texts(document.get("RegistryPrefixes")),
            "resource_types": _texts(document.get("ResourceTypes")),
            "protocol": protocol.lower() if isinstance(protocol, str) else None}
