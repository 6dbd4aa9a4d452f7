# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a resource: connect, read, plan, apply, read back; one result whatever the shell around it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import Any, Iterator, Optional

from .._bmc.errors import BmcError, InvalidInput
from .._bmc.factory import open_driver
from .._bmc.interface import Driver
from .._bmc.options import Connection, connection_from
from .base import Params, Resource, Tell

MASK = "********"


def execute(resource_class: type[Resource], params: Params, *, check_mode: bool, tell: Tell) -> dict[str, Any]:
    """Run a resource and return the task's result: with ``failed``, ``msg`` and ``error`` where it failed."""
    resource = resource_class(params, tell=tell)
    result: dict[str, Any] = {"changed": False}
    driver: Optional[Driver] = None
    connection: Optional[Connection] = None
    try:
        with _logout_on_termination():
            try:
                connection = connection_from(params, check_mode=check_mode)
                resource.validate()
                driver, reason = open_driver(connection)
                result["bmc"] = {"address": connection.address, "protocol": driver.protocol, "reason": reason}
                resource.bind(driver)
                _run(resource, driver, result, check_mode=check_mode)
            finally:
                if driver is not None:
                    driver.close()
    except BmcError as error:
        address = connection.address if connection else params.get("bmc_address") or "(no address)"
        result.update(failed=True, error=error.as_dict(), msg=error.message(
            resource.doing, address, driver.protocol if driver else _named_protocol(params, error)))
        if driver is not None and resource.WRITES:
            result.update(changed=bool(driver.sent), sent=list(driver.sent))
    if driver is not None and driver.warnings:
        result["warnings"] = result.get("warnings", []) + driver.warnings
    return scrub(result, connection.secrets if connection else (params.get("bmc_password"),))


def _run(resource: Resource, driver: Driver, result: dict[str, Any], *, check_mode: bool) -> None:
    """Read, plan and apply; fill the result as far as it comes."""
    current = resource.read()
    result[resource.NAME] = current
    if not resource.WRITES:
        result.update(resource.extra())
        return
    change = resource.plan(current)
    result["diff"] = {"before": change.before, "after": change.after}
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
    result["diff"]["after"] = effect.observed
    _warn(result, effect.warnings)
    result.update(resource.extra())
    result.update(effect.extra)


def _warn(result: dict[str, Any], warnings: tuple[str, ...]) -> None:
    if warnings:
        result["warnings"] = result.get("warnings", []) + list(warnings)


def _named_protocol(params: Params, error: BmcError) -> Optional[str]:
    """Return the protocol for a message where no driver came about."""
    if isinstance(error, InvalidInput) or params.get("bmc_protocol") == "auto":
        return None
    return params.get("bmc_protocol")


def scrub(value: Any, secrets: Any) -> Any:
    """Return plain data without any of ``secrets`` in its texts. Texts shorter than 4 are left: they are words."""
    secrets = [secret for secret in secrets if secret and len(secret) >= 4]
    if not secrets:
        return value
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {key: scrub(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(item, secrets) for item in value]
    return value


@contextmanager
def _logout_on_termination() -> Iterator[None]:
    """Turn SIGTERM into an exception while a BMC is in use, so that the session is deleted on the way out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, unused: Any) -> None:
        raise SystemExit(128 + number)

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
