# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IPMI commands that are used, by name (IPMI 2.0, appendix G), and which of them only read.

``READS`` is the whitelist that check mode is held to: what is not in it is a write.
"""

from __future__ import annotations

from dataclasses import dataclass

CHASSIS, SENSOR, APP, STORAGE, TRANSPORT, GROUP = 0x00, 0x04, 0x06, 0x0A, 0x0C, 0x2C


@dataclass(frozen=True)
class Command:
    """One command. ``once``: sent once and never again, because a second time would do it twice.

    All others are sent again where no answer comes, with the same sequence number, by which the BMC knows a repeat
    (IPMB 1.0, section 4.5), and are such that a BMC which does not look at it does no harm by doing them twice.
    """

    netfn: int
    code: int
    name: str
    once: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Return what tells commands apart."""
        return self.netfn, self.code


GET_CHASSIS_STATUS = Command(CHASSIS, 0x01, "Get Chassis Status")
CHASSIS_CONTROL = Command(CHASSIS, 0x02, "Chassis Control", once=True)
SET_BOOT_OPTIONS = Command(CHASSIS, 0x08, "Set System Boot Options")
GET_BOOT_OPTIONS = Command(CHASSIS, 0x09, "Get System Boot Options")

GET_DEVICE_SDR_INFO = Command(SENSOR, 0x20, "Get Device SDR Info")
GET_DEVICE_SDR = Command(SENSOR, 0x21, "Get Device SDR")
RESERVE_DEVICE_SDR = Command(SENSOR, 0x22, "Reserve Device SDR Repository")
GET_READING_FACTORS = Command(SENSOR, 0x23, "Get Sensor Reading Factors")
GET_SENSOR_THRESHOLDS = Command(SENSOR, 0x27, "Get Sensor Thresholds")
GET_SENSOR_READING = Command(SENSOR, 0x2D, "Get Sensor Reading")

GET_DEVICE_ID = Command(APP, 0x01, "Get Device ID")
GET_SYSTEM_GUID = Command(APP, 0x37, "Get System GUID")
GET_CHANNEL_INFO = Command(APP, 0x42, "Get Channel Info")
SET_USER_ACCESS = Command(APP, 0x43, "Set User Access")
GET_USER_ACCESS = Command(APP, 0x44, "Get User Access")
SET_USER_NAME = Command(APP, 0x45, "Set User Name")
GET_USER_NAME = Command(APP, 0x46, "Get User Name")
SET_USER_PASSWORD = Command(APP, 0x47, "Set User Password")
ACTIVATE_PAYLOAD = Command(APP, 0x48, "Activate Payload", once=True)
DEACTIVATE_PAYLOAD = Command(APP, 0x49, "Deactivate Payload")

GET_FRU_INFO = Command(STORAGE, 0x10, "Get FRU Inventory Area Info")
READ_FRU_DATA = Command(STORAGE, 0x11, "Read FRU Data")
GET_SDR_INFO = Command(STORAGE, 0x20, "Get SDR Repository Info")
RESERVE_SDR = Command(STORAGE, 0x22, "Reserve SDR Repository")
GET_SDR = Command(STORAGE, 0x23, "Get SDR")
GET_SEL_INFO = Command(STORAGE, 0x40, "Get SEL Info")
RESERVE_SEL = Command(STORAGE, 0x42, "Reserve SEL")
GET_SEL_ENTRY = Command(STORAGE, 0x43, "Get SEL Entry")
CLEAR_SEL = Command(STORAGE, 0x47, "Clear SEL", once=True)

SET_LAN = Command(TRANSPORT, 0x01, "Set LAN Configuration Parameters")
GET_LAN = Command(TRANSPORT, 0x02, "Get LAN Configuration Parameters")
GET_SOL = Command(TRANSPORT, 0x22, "Get SOL Configuration Parameters")

GET_POWER_READING = Command(GROUP, 0x02, "Get Power Reading")
GET_CONTROLLER_ID_STRING = Command(GROUP, 0x09, "Get Management Controller Identifier String")
SET_CONTROLLER_ID_STRING = Command(GROUP, 0x0A, "Set Management Controller Identifier String")

# A reservation of the SDR repository changes nothing in it: parts of long records can only be read with one.
READS = frozenset(command.key for command in (
    GET_CHASSIS_STATUS, GET_BOOT_OPTIONS, GET_DEVICE_SDR_INFO, GET_DEVICE_SDR, RESERVE_DEVICE_SDR,
    GET_READING_FACTORS, GET_SENSOR_THRESHOLDS, GET_SENSOR_READING, GET_DEVICE_ID, GET_SYSTEM_GUID,
    GET_CHANNEL_INFO, GET_USER_ACCESS, GET_USER_NAME, GET_FRU_INFO, READ_FRU_DATA, GET_SDR_INFO, RESERVE_SDR,
    GET_SDR, GET_SEL_INFO, GET_SEL_ENTRY, GET_LAN, GET_SOL, GET_POWER_READING, GET_CONTROLLER_ID_STRING))
