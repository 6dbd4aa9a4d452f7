# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From connection options to an open driver: which protocol is taken, and why."""

from __future__ import annotations

from typing import Callable

from .._domain.deadline import Deadline
from .._ipmi.driver import IpmiDriver
from .._redfish.driver import ROOT, RedfishDriver
from .errors import BmcError, BrokenAnswer, InvalidInput, MissingLibrary, Timeout, Unreachable
from .interface import Driver
from .options import Connection

DRIVERS: dict[str, Callable[[Connection], Driver]] = {"redfish": RedfishDriver, "ipmi": IpmiDriver}
# Seconds that IPMI gets at least to be found, where the search for Redfish has used up the timeout.
LEAST_FOR_IPMI = 3.0


def open_driver(connection: Connection) -> tuple[Driver, str]:
    """Return an open driver and the reason for its protocol; the caller closes it.

    ``auto`` tries Redfish, then IPMI. Only a host that does not speak Redfish at all leads on to IPMI: refused
    credentials, a certificate that is not trusted, or a service that breaks off after its root was read are answers,
    and end the search.
    """
    if connection.protocol != "auto":
        return _opened(DRIVERS[connection.protocol](connection)), f"bmc_protocol is {connection.protocol}"
    watch = Deadline(connection.timeout)
    try:
        return _opened(RedfishDriver(connection)), "it answered as a Redfish service"
    except (Unreachable, Timeout, BrokenAnswer) as error:
        if error.details.get("certificate") or error.details.get("path") not in (None, ROOT):
            raise
        return _over_ipmi(connection, error, seconds=max(LEAST_FOR_IPMI, watch.remaining))


def _over_ipmi(connection: Connection, redfish_error: BmcError, *, seconds: float) -> tuple[Driver, str]:
    """Return a driver over IPMI, opened within ``seconds``; the reason is what Redfish failed with."""
    try:
        return _opened(IpmiDriver(connection, open_within=seconds)), f"Redfish: {redfish_error.cause}"
    except (Unreachable, Timeout, MissingLibrary, InvalidInput) as ipmi_error:
        raise Unreachable(f"it speaks neither Redfish ({redfish_error.cause}) nor IPMI ({ipmi_error.cause})",
                          remedy="Check bmc_address, bmc_port and the network, or name bmc_protocol."
                          ) from redfish_error


def _opened(driver: Driver) -> Driver:
    """Return the driver opened, or closed again where that fails."""
    try:
        driver.open()
    except BaseException:
        driver.close()
        raise
    return driver
