# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a BMC, declared; what may cut the task off is sent last, and proven where the BMC is then."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import AnswerLost, BmcError, InvalidInput, Rejected, Timeout, Unreachable, Unsupported
from .._bmc.interface import BmcNetwork
from .._bmc.options import Connection, moved
from .._domain.bmc_network import (
    MOVING, BadNetwork, changes, check_static, desired_network, expected, not_told, reached, split,
)
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .base import Resource

Json = dict[str, Any]


class NetworkResource(Resource):
    """``bmc_network``."""

    NAME = "network"
    DOING = "change the BMC's network"
    CAPABILITY = BmcNetwork
    SPEC = {
        "interface": dict(type="str"),
        "hostname": dict(type="str"),
        "dhcp": dict(type="bool"),
        "address": dict(type="str"),
        "netmask": dict(type="str"),
        "gateway": dict(type="str"),
        "dns": dict(type="list", elements="str"),
        "vlan": dict(type="int"),
        "ntp": dict(type="list", elements="str"),
        "protocols": dict(type="dict"),
        "new_address": dict(type="str"),
        "allow_lockout": dict(type="bool", default=False),
        "wait_timeout": dict(type="int", default=120),
    }

    def validate(self) -> None:
        """Refuse options that cannot be."""
        protocols = self.params.get("protocols") or {}
        for name, on in protocols.items():
            if not isinstance(on, bool):
                raise InvalidInput(f"protocols.{name} is '{on}'", remedy="Give true or false.")
        try:
            self._wanted = desired_network(self.params)
        except BadNetwork as error:
            raise InvalidInput(error.args[0], remedy=error.args[1]) from error

    @property
    def bmc(self) -> BmcNetwork:
        """Return the capability, told which interface is meant."""
        capability = self.driver.get(self.CAPABILITY)
        capability.interface = self.params.get("interface")
        return capability

    def read(self) -> Json:
        """Return the network as it is."""
        return self.bmc.read()

    def plan(self, current: Json) -> Change:
        """Return the changes, after it was found that they can be made and will not lock anybody out unasked."""
        changed = changes(current, self._wanted)
        unknown = not_told(current, changed)
        if unknown:
            raise Unsupported(f"the BMC does not tell {', '.join(unknown)}, and it cannot be changed",
                              capability="BMC network", remedy=_offers(current, unknown))
        if {"dhcp", "address", "netmask", "gateway"} & set(changed):
            try:
                check_static(current, self._wanted)
            except BadNetwork as error:
                raise InvalidInput(error.args[0], remedy=error.args[1]) from error
        self._refuse_lockout(current, changed)
        return Change(before=current, after=expected(current, changed), steps=split(changed), requested=self._wanted,
                      warnings=self._warnings(current, changed))

    def _cuts_off(self, current: Json, changed: Json) -> bool:
        return bool(set(MOVING) & set(changed)) and current.get("in_use", True)

    def _own_protocol(self) -> str:
        """Return the protocol over which this task works, as the BMC lists it."""
        return self.driver.connection.scheme if self.driver.protocol == "redfish" else self.driver.protocol

    def _closes_itself(self, changed: Json) -> bool:
        return (changed.get("protocols") or {}).get(self._own_protocol()) is False

    def _refuse_lockout(self, current: Json, changed: Json) -> None:
        """Refuse what would leave the task, and maybe everybody, without a known way to the BMC."""
        if self.params["allow_lockout"]:
            return
        if self._closes_itself(changed):
            raise InvalidInput(f"protocols.{self._own_protocol()} is what this task uses, and would be switched off",
                               remedy="Use the other protocol, or set allow_lockout: true.")
        if self._cuts_off(current, changed) and changed.get("dhcp") and not self.params.get("new_address"):
            raise InvalidInput("where DHCP will put the BMC is not known, and the change could not be proven",
                               remedy="Set new_address to the address or name that it will have, or "
                                      "allow_lockout: true.")

    def _place(self, current: Json, changed: Json) -> Optional[str]:
        """Return where the BMC will be once the changes hold; ``None`` where that is where it is."""
        if not self._cuts_off(current, changed):
            return None
        return self.params.get("new_address") or changed.get("address")

    def _warnings(self, current: Json, changed: Json) -> tuple[str, ...]:
        if not self._cuts_off(current, changed):
            return ()
        place = self._place(current, changed)
        if place is None and changed.get("dhcp"):
            return ("This task speaks to the BMC over the interface that goes to DHCP; where it will be is not known.",)
        return (f"This task speaks to the BMC over the interface that changes; it is expected at "
                f"{place or self.driver.connection.address} afterwards.",)

    def apply(self, change: Change) -> Effect:
        """Send what cannot cut the task off, prove it, then the rest, and prove it where the BMC is then."""
        observed = change.before
        for changed in change.steps:
            place, home = self._place(change.before, changed), self.driver.connection
            away = self._cuts_off(change.before, changed)
            try:
                self.bmc.write(changed)
            except AnswerLost as error:
                self.tell(f"{error.cause}; reading the network instead of asking again")
            if self._closes_itself(changed) or (away and changed.get("dhcp") and place is None):
                return Effect(observed=expected(observed, changed), verified=None, warnings=(
                    "The change was sent; this task has no way left to read what came of it (allow_lockout: true).",))
            if place is not None:
                self.tell(f"looking for the BMC at {place}")
                self.driver.reconnect(moved(self.driver.connection, place))
            try:
                observed = self._proven(changed)
            except Unreachable:
                if place is not None:
                    self._look_back(home, changed)
                raise
        return Effect(observed=observed, verified=True)

    def _look_back(self, home: Connection, changed: Json) -> None:
        """Raise what a BMC shows that is found where it was before; nothing where it is not there either."""
        self.driver.reconnect(home)
        try:
            seen = self.bmc.read()
        except BmcError:
            return
        raise Rejected(f"the BMC took the change, but is still at {home.address} and reads back "
                       f"{_differing(seen, changed)}", observed=seen,
                       remedy="It may need a restart of the BMC, or new_address may be wrong.")

    def _proven(self, changed: Json) -> Json:
        """Return the network once it reads back as changed; a BMC that is on its way, or starts its services anew,
        may be out of reach until then."""
        seconds = self.params["wait_timeout"]
        failures: list[BmcError] = []

        def read() -> Optional[Json]:
            try:
                return self.bmc.read()
            except (Unreachable, Timeout) as error:
                if error.details.get("certificate"):
                    raise
                failures.append(error)
                return None

        done, seen = wait_until(
            read, lambda seen: seen is not None and reached(seen, changed), deadline=Deadline(seconds),
            tell=lambda seen: self.tell("the BMC is not back yet" if seen is None else "not changed yet"))
        if done:
            return seen
        if seen is None:
            place = self.driver.connection.address
            raise Unreachable(f"the change was sent, and the BMC does not answer at {place} after {seconds} s "
                              f"({failures[-1].cause})", expected_at=place,
                              remedy="Look for it at its old and its new address, and check VLAN, gateway and cabling; "
                                     "nothing was tried to undo the change.")
        raise Rejected(f"the BMC took the change, but reads back {_differing(seen, changed)}", observed=seen,
                       remedy="It may need a restart of the BMC, or refuse the value silently; see its log.")


def _differing(seen: Json, changed: Json) -> str:
    """Return what is not as it was asked for, in words."""
    return ", ".join(f"{key} {seen.get(key)}" for key in changes(seen, changed)) or "all as asked"


def _offers(current: Json, unknown: list[str]) -> str:
    """Return what helps where something cannot be changed."""
    if any(name.startswith("protocols.") for name in unknown):
        return f"Its protocols are {', '.join(current.get('protocols') or {}) or 'not told'}."
    return "Leave it out, or change it in the BMC's own pages."
