# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIOS settings over Redfish: the Bios resource, its settings object and its attribute registry (DMTF DSP0268)."""

from __future__ import annotations

import re
from typing import Any, Iterator, Optional

from .._bmc.errors import BmcError, Rejected, Unsupported
from .._bmc.interface import Bios, Driver
from .._domain.bios import together
from .actions import find_action
from .client import dig, link_of
from .tasks import state_of, unfinished

Json = dict[str, Any]
APPLY_TIME = "@Redfish.SettingsApplyTime"
ON_RESET = {"ApplyTime": "OnReset"}
FORM_REFUSED = (400, 415, 422)
# AttributeRegistry (DSP0270): what an entry says, and what it is called here.
FACTS = {"LowerBound": "minimum", "UpperBound": "maximum", "ScalarIncrement": "increment", "MinLength": "min_length",
         "MaxLength": "max_length", "ValueExpression": "pattern", "DefaultValue": "default", "HelpText": "help"}


class RedfishBios(Bios):
    """Attributes are written to the settings object and take effect at the next reset."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._registry: Optional[dict[str, Json]] = None

    def _link(self) -> str:
        link = link_of(self._driver.system.get("Bios"))
        if link is None:
            raise Unsupported("the system has no BIOS settings", capability=self.title, protocol="redfish",
                              remedy="The BMC's firmware may be too old, or lack the licence.")
        return link

    def read(self) -> Json:
        """Read the attributes, those that wait for a reset, and (once) what the registry allows."""
        client, link = self._driver.client, self._link()
        document = client.reread(link)
        attributes = _attributes(document)
        if not attributes:
            raise Unsupported("the BMC shows no BIOS attributes", capability=self.title, protocol="redfish",
                              remedy="Some show them only once the system was started: start it, and try again.")
        jobs = self._jobs()
        return {"attributes": attributes, "pending": self._pending(document, attributes), "jobs": jobs,
                "shows_pending": self._settings_link(document) is not None,
                "defaults_pending": document.get("ResetBiosToDefaultsPending") is True,
                "registry": self._known(document)}

    def _settings_link(self, document: Json) -> Optional[str]:
        return link_of(dig(document, "@Redfish.Settings", "SettingsObject"))

    def _pending(self, document: Json, attributes: Json) -> Json:
        """Return the values that wait for a reset. Some settings objects repeat all that is current."""
        link = self._settings_link(document)
        if link is None:
            return {}
        try:
            settings = _attributes(self._driver.client.reread(link))
        except BmcError as error:
            self._driver.warn(f"The pending BIOS settings could not be read ({error.cause}).")
            return {}
        return {name: value for name, value in settings.items() if value is not None and attributes.get(name) != value}

    def _jobs(self) -> list[Json]:
        """Return the BIOS jobs that are not finished: iDRAC shows pending values as current before they end."""
        rule = self._driver.quirks.behaviour("bios_jobs_count")
        if rule is None:
            return []
        pattern = re.compile(str(rule.get("name") or "bios"), re.IGNORECASE)
        return [{"id": job.get("Id"), "state": state_of(job)} for job in unfinished(self._driver.client)
                if pattern.search(f"{job.get('Name')} {job.get('JobType')} {job.get('Id')}")]

    # The registry

    def _known(self, document: Json) -> dict[str, Json]:
        """Return the registry's entries by attribute; empty where there is none, which is a warning."""
        if self._registry is None:
            name = document.get("AttributeRegistry")
            try:
                self._registry = self._read_registry(name if isinstance(name, str) else None)
            except BmcError as error:
                self._driver.warn(f"The registry of BIOS attributes could not be read ({error.cause}).")
                self._registry = {}
            if not self._registry:
                self._driver.warn("The BMC has no registry of its BIOS attributes: names and types are checked "
                                  "against what is current, values by the BMC alone.")
        return self._registry

    def _read_registry(self, name: Optional[str]) -> dict[str, Json]:
        client = self._driver.client
        for link in self._registry_files(name):
            try:
                locations = client.read(link).get("Location")
                entries = self._entries(locations if isinstance(locations, list) else [])
            except BmcError as error:
                self._driver.warn(f"The registry of BIOS attributes at {link} could not be read ({error.cause}).")
                continue
            if entries:
                return {entry["AttributeName"]: _plain(entry) for entry in entries
                        if isinstance(entry, dict) and isinstance(entry.get("AttributeName"), str)}
        return {}

    def _registry_files(self, name: Optional[str]) -> list[str]:
        """Return the links of the registry's file: of that very name, else of the name without its version."""
        registries = link_of(self._driver.root.get("Registries"))
        if registries is None:
            return []
        links = list(self._driver.client.member_links(self._driver.client.read(registries)))
        last = {link: link.rstrip("/").rsplit("/", 1)[-1].lower() for link in links}
        wanted = (name or "BiosAttributeRegistry").lower()
        bare = re.sub(r"[._]?v?\d+([._]\d+)*$", "", wanted)
        exact = [link for link in links if last[link] == wanted]
        return exact or [link for link in links if re.sub(r"[._]?v?\d+([._]\d+)*$", "", last[link]) == bare]

    def _entries(self, locations: list[Any]) -> list[Any]:
        """Return the attributes of the English registry document, else of the first."""
        ranked = sorted((entry for entry in locations if isinstance(entry, dict)),
                        key=lambda entry: not str(entry.get("Language") or "").lower().startswith("en"))
        for entry in ranked:
            uri = entry.get("Uri")
            uri = uri.get("extref") if isinstance(uri, dict) else uri  # old iLOs wrap the path
            if isinstance(uri, str) and uri:
                found = dig(self._driver.client.read(uri), "RegistryEntries", "Attributes")
                if isinstance(found, list):
                    return found
        return []

    # Writing

    def write(self, attributes: Json) -> None:
        """Ask for the attributes. The apply time is sent where it is offered, and left out where it is refused."""
        document = self._driver.client.read(self._link())
        settings = self._settings_link(document)
        group = self._driver.quirks.behaviour("bios_attributes_together")
        if group is not None:
            attributes = together(attributes, _attributes(document), str(group.get("pattern") or ""))
        forms = [{"Attributes": attributes}]
        if self._sends_apply_time(document):
            forms.insert(0, {"Attributes": attributes, APPLY_TIME: ON_RESET})
        self._first_taken("PATCH", settings or self._link(), iter(forms))

    def _sends_apply_time(self, document: Json) -> bool:
        quirks = self._driver.quirks
        if quirks.behaviour("bios_apply_time_unknown") is not None:
            return False
        times = dig(document, "@Redfish.Settings", "SupportedApplyTimes")
        offered = isinstance(times, list) and "OnReset" in times
        return offered or quirks.behaviour("bios_apply_time") is not None

    def reset_to_defaults(self) -> None:
        """Ask for the factory's defaults; some want to be told of a kind of reset."""
        action = find_action(self._driver.client, self._driver.client.read(self._link()), "#Bios.ResetBios", "ResetType")
        if action is None:
            raise Unsupported("the BMC cannot reset its BIOS settings to their defaults", capability=self.title,
                              protocol="redfish", remedy="Set the attributes one by one.")
        kinds = [{"ResetType": kind} for kind in sorted(action.allowed)]
        self._first_taken("POST", action.target, iter([*kinds, {}, None]))

    def _first_taken(self, method: str, link: str, forms: Iterator[Optional[Json]]) -> None:
        """Send the first form that the BMC takes; raise the refusal of the last form where it takes none."""
        last: Optional[BmcError] = None
        for form in forms:
            try:
                self._driver.client.write(method, link, form)
                return
            except Rejected as error:
                last = error
                if error.details.get("status") not in FORM_REFUSED:
                    raise
        raise last


def _attributes(document: Json) -> Json:
    """Return the attributes of a document; some write each as an object with its ``current_value``."""
    found = document.get("Attributes")
    found = found if isinstance(found, dict) else {}
    return {name: value.get("current_value") if isinstance(value, dict) else value for name, value in found.items()
            if "@" not in name}


def _plain(entry: Json) -> Json:
    """Return a registry's entry with the facts that it tells."""
    plain = {ours: entry[theirs] for theirs, ours in FACTS.items() if entry.get(theirs) not in (None, "")}
    for name in ("minimum", "maximum", "increment", "min_length", "max_length"):
        if name in plain and (not isinstance(plain[name], int) or isinstance(plain[name], bool)):
            del plain[name]
    values = entry.get("Value")
    names = [item.get("ValueName") for item in values if isinstance(item, dict)] if isinstance(values, list) else []
    kind = entry.get("Type")
    return {**plain, "type": kind.lower() if isinstance(kind, str) else None,
            "read_only": entry.get("ReadOnly") is True or entry.get("Immutable") is True,
            "values": [name for name in names if isinstance(name, str)]}
