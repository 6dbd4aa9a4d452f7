# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers mean: pauses asked for, words of refusals, references; and what boot options are."""

from __future__ import annotations

import email.utils
import time

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import AuthenticationFailed, Rejected
from ansible_collections.typeone.metal.plugins.module_utils._domain.boot import BootDevice
from ansible_collections.typeone.metal.plugins.module_utils._redfish.answers import (
    Answer, absolute_links, error_text, message_ids, refusal, retry_after, says,
)
from ansible_collections.typeone.metal.plugins.module_utils._redfish.boot import DEVICES
from ansible_collections.typeone.metal.plugins.module_utils._redfish.boot_order import BootOrder


def test_retry_after():
    """Numbers and dates count, text and nonsense are the default, and nothing is below 0.1 or above 300 seconds."""
    cases = {"7": 7, " 2.5 ": 2.5, "0": 0.1, "-3": 0.1, "1e9": 300, "inf": 300, "nan": 2, "soon": 2, "": 2,
             email.utils.formatdate(time.time() - 60, usegmt=True): 0.1, "Thu, 99 Foo 2026 00:00:00 GMT": 2}
    for text, seconds in cases.items():
        assert retry_after({"Retry-After": text}) == seconds, text
    assert retry_after({}) == 2 and retry_after({}, default=5) == 5
    assert 25 < retry_after({"Retry-After": email.utils.formatdate(time.time() + 30, usegmt=True)}) <= 30


@pytest.mark.parametrize("body, text, ids", [
    ({}, "", []),
    ({"error": {"message": "See below.", "@Message.ExtendedInfo": [{"MessageId": "Base.1.0.X", "Message": "No."}, {"MessageId": "Y"}, 7, None]}},
     "No", ["Base.1.0.X", "Y"]),
    ({"error": {"message": " Bad. "}}, "Bad", []),
    ({"error": {"@Message.ExtendedInfo": {"Message": "One object."}}}, "One object", []),
    ({"@Message.ExtendedInfo": [{"Message": "At the top."}, {"Message": "At the top."}]}, "At the top", []),
    ({"error": "text"}, "", []), ({"error": {"@Message.ExtendedInfo": "text", "message": 7}}, "", []),
])
def test_words_of_a_refusal(body, text, ids):
    """In all forms in which services put them."""
    assert error_text(body) == text and message_ids(body) == ids


def test_what_a_refusal_is():
    """By its status; 403 names what was not allowed, and none of them says more than the BMC."""
    assert isinstance(refusal("GET", "/x", Answer(401, {})), AuthenticationFailed)
    error = refusal("PATCH", "/x", Answer(403, {}, {"error": {"message": "Licence."}}))
    assert isinstance(error, AuthenticationFailed) and "PATCH /x" in error.cause and "Licence" in error.cause
    error = refusal("POST", "/x", Answer(418, {}))
    assert isinstance(error, Rejected) and error.details == {"status": 418, "message_ids": [], "path": "/x", "method": "POST"}


def test_words_are_found_wherever_they_stand():
    """In an id, in a text, in the code."""
    for body in ({"error": {"code": "IDRAC.2.8.SYS518"}}, {"error": {"@Message.ExtendedInfo": [{"MessageId": "IDRAC.SYS518"}]}},
                 {"error": {"message": "SYS518: not ready"}}):
        assert says(body, ("SYS518",)) and not says(body, ("SYS519",))


def test_references_become_absolute():
    """Relative ones, at any depth; all others stay as they are."""
    document = {"Members": [{"@odata.id": "1"}, {"@odata.id": "/a/2"}, {"@odata.id": "https://x/3"}, {"@odata.id": ""}, {"@odata.id": 7}, None],
                "Members@odata.nextLink": "?$skip=2", "Actions": {"#A": {"target": "../go", "@Redfish.ActionInfo": "./info"}}, "Name": "1",
                "Same": {"@odata.id": "#/Fans/0"}}
    absolute_links(document, "https://bmc/redfish/v1/Systems/")
    assert [item and item["@odata.id"] for item in document["Members"]] == ["/redfish/v1/Systems/1", "/a/2", "https://x/3", "", 7, None]
    assert document["Members@odata.nextLink"] == "/redfish/v1/Systems/?$skip=2" and document["Name"] == "1"
    assert document["Actions"]["#A"] == {"target": "/redfish/v1/go", "@Redfish.ActionInfo": "/redfish/v1/Systems/info"}
    assert document["Same"] == {"@odata.id": "#/Fans/0"}


@pytest.mark.parametrize("name, path, alias, device", [
    ("ubuntu", "HD_1_GPT_80230AA1_0x800_EFI_ubuntu_shimx64_efi", None, BootDevice.DISK), ("CD_DVDRom", "VenHw_B2AD_02", None, BootDevice.CD),
    ("HardDisk", "VenHw_01", None, BootDevice.DISK), ("Network", "VenHw_05", None, BootDevice.PXE), ("USBStorage", "VenHw_04", None, BootDevice.USB),
    ("HTTP Device 1: NIC in Slot 5 Port 1", "VenHw(98)", None, BootDevice.HTTP), ("UEFI: Built-in EFI Shell", "VenMedia(5)", None, BootDevice.UEFI_SHELL),
    ("OCP Slot 10 Port 1 : Adapter - NIC (PXE IPv6)", "PciRoot(0x4)/MAC(50,0x1)/IPv6(0)", "None", BootDevice.PXE),
    ("NIC (HTTP(S) IPv4)", "PciRoot(0x1)/MAC(84,0x1)/IPv4(0.0.0.0)/Uri()", "None", BootDevice.HTTP),
    ("UEFI Micron_7450", "PciRoot(0x4)/NVMe(0x1,9B)", None, BootDevice.DISK), ("whatever", "", "UsbCd", BootDevice.CD), ("whatever", None, 7, None),
])
def test_what_a_boot_option_is(name, path, alias, device):
    """By its alias, else by the name or the path that real BMCs give it."""
    option = {"DisplayName": name, "UefiDevicePath": path, "Alias": alias}
    assert BootOrder(None, DEVICES)._kind(option) is device
