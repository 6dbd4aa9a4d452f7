# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a resource: connect, read, plan, apply, read back; one result whatever the shell around it."""

from __future__ import annotations

import re
import signal
import threading
from contextlib import contextmanager
from typing import Any, Iterator, Optional, Sequence

from .._bmc.errors import BmcError, InvalidInput
from .._bmc.factory import open_driver
from .._bmc.interface import Driver
from .._bmc.options import Connection, connection_from
from .base import Params, Resource, Tell

MASK = "********"
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)


def execute(resource_class: type[Resource], params: Params, *, check_mode: bool, tell: Tell) -> dict[str, Any]:
    """Run a resource and return the task's result: with ``failed``, ``msg`` and ``error`` where it failed."""
    return execute_together([(resource_class, params)], check_mode=check_mode, tell=tell)[0]


def execute_together(runs: Sequence[tuple[type[Resource], Params]], *, check_mode: bool,
                     tell: Tell) -> list[dict[str, Any]]:
    """Run resources of one BMC, each with its options, one after the other, over one login; return the result of
    each, as alone. How to connect is taken from the first.

    What keeps one from working does not keep the next from it, except that a BMC that could not be reached or
    logged in to is not asked again.
    """
    place = _Place(runs[0][1], check_mode=check_mode)
    with terminated_cleanly():
        try:
            results = [_attempt(cls(params, tell=tell), place) for cls, params in runs]
        finally:
            place.close()
    for result in results:
        if place.driver is not None and place.driver.warnings:
            result["warnings"] = result.get("warnings", []) + place.driver.warnings
    secrets = tuple(place.secrets) + tuple(secret for cls, params in runs for secret in secrets_of(cls.SPEC, params))
    return [scrub(result, secrets) for result in results]


class _Place:
    """The BMC that the parameters lead to: connected when first needed, once."""

    def __init__(self, params: Params, *, check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.connection: Optional[Connection] = None
        self.driver: Optional[Driver] = None
        self.reason = ""
        self._failure: Optional[BmcError] = None

    def options(self) -> Connection:
        """Return the connection that the options mean."""
        if self.connection is None:
            self.connection = connection_from(self.params, check_mode=self.check_mode)
        return self.connection

    def open(self) -> Driver:
        """Return the driver, opened; what kept it from opening is raised again."""
        if self._failure is not None:
            raise self._failure
        if self.driver is None:
            try:
                self.driver, self.reason = open_driver(self.options())
            except BmcError as error:
                self._failure = error
                raise
        return self.driver

    @property
    def address(self) -> str:
        """Return the address for messages."""
        return self.connection.address if self.connection else self.params.get("bmc_address") or "(no address)"

    @property
    def secrets(self) -> tuple[Optional[str], ...]:
        """Return what no result may hold."""
        return self.connection.secrets if self.connection else (self.params.get("bmc_password"),)

    def close(self) -> None:
        """Log out."""
        if self.driver is not None:
            self.driver.close()


def _attempt(resource: Resource, place: _Place) -> dict[str, Any]:
    """Run one resource at its BMC; an error becomes part of the result."""
    result: dict[str, Any] = {"changed": False}
    driver: Optional[Driver] = None
    try:
        connection = place.options()
        resource.validate()
        driver = place.open()
        result["bmc"] = {"address": connection.address, "protocol": driver.protocol, "reason": place.reason}
        resource.bind(driver)
        _run(resource, driver, result, check_mode=place.check_mode)
    except BmcError as error:
        result.update(failed=True, error=error.as_dict(), msg=error.message(
            resource.doing, place.address, driver.protocol if driver else _named_protocol(place.params, error)))
        if driver is not None and resource.WRITES:
            result.update(changed=bool(driver.sent), sent=list(driver.sent))
    return result


def _run(resource: Resource, driver: Driver, result: dict[str, Any], *, check_mode: bool) -> None:
    """Read, plan and apply; fill the result as far as it comes."""
    current = resource.read()
    result[resource.NAME] = current
    if not resource.WRITES:
        result.update(resource.extra())
        return
    change = resource.plan(current)
    result["diff"] = {"before": _diffable(resource, change.before), "after": _diffable(resource, change.after)}
    result.update(requested=change.requested, sent=[], observed=change.before, verified=not change)
    _warn(result, change.warnings)
    if not change:
        result.update(resource.extra())
        return
    result["changed"] = True
    if check_mode:
        result.update({resource.NAME: change.after, "verified": False})
        result.update(resource.extra())
        return
    effect = resource.apply(change)
    result.update({resource.NAME: effect.observed, "observed": effect.observed, "verified": effect.verified,
                   "sent": list(driver.sent)})
    result["diff"]["after"] = _diffable(resource, effect.observed)
    _warn(result, effect.warnings)
    result.update(resource.extra())
    result.update(effect.extra)


def _diffable(resource: Resource, state: Any) -> Any:
    """Return a state as Ansible shows differences: of texts and mappings, and of a list by its name."""
    return {resource.NAME: state} if isinstance(state, list) else state


def _warn(result: dict[str, Any], warnings: tuple[str, ...]) -> None:
    if warnings:
        result["warnings"] = result.get("warnings", []) + list(warnings)


def _named_protocol(params: Params, error: BmcError) -> Optional[str]:
    """Return the protocol for a message where no driver came about."""
    if isinstance(error, InvalidInput) or params.get("bmc_protocol") == "auto":
        return None
    return params.get("bmc_protocol")


def secrets_of(spec: dict[str, dict[str, Any]], params: Params) -> Iterator[str]:
    """Yield the texts in the options that are marked ``no_log``, in lists and mappings too."""
    for name, option in spec.items():
        pending = [params.get(name)] if option.get("no_log") else []
        while pending:
            value = pending.pop()
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                pending.extend(value.values())
            elif isinstance(value, (list, tuple)):
                pending.extend(value)


def scrub(value: Any, secrets: Any) -> Any:
    """Return plain data without any of ``secrets`` in its texts, and without private keys in PEM, whole or cut off.
    Secrets shorter than 4 are left: they are words."""
    secrets = [secret for secret in secrets if secret and len(secret) >= 4]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return _PRIVATE_KEY.sub(MASK, value)
    if isinstance(value, dict):
        return {key: scrub(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(item, secrets) for item in value]
    return value


@contextmanager
def terminated_cleanly() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into an exception while a BMC is in use: the session is deleted on the way out.

    Ansible's worker ends itself at once at either, and an interrupted playbook sends it both, one after the other: only
    the first counts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, unused: Any) -> None:
        for each in previous:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in previous:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)
