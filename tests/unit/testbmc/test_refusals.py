# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test BMC refuses what a BMC refuses: a server that takes anything proves nothing."""

from __future__ import annotations

import base64

import pytest

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
BIOS = f"{SYSTEM}/Bios/Settings"
MEDIA = "/redfish/v1/Managers/1/VirtualMedia/CD1"
VOLUMES = f"{SYSTEM}/Storage/RAID1/Volumes"
DISKS = [f"{SYSTEM}/Storage/RAID1/Drives/Disk{place}" for place in range(3)]
ACCOUNTS = "/redfish/v1/AccountService/Accounts"
SUBSCRIPTIONS = "/redfish/v1/EventService/Subscriptions"
BMC_PORT = "/redfish/v1/Managers/1/EthernetInterfaces/1"

REFUSED = [
    ("PATCH", SYSTEM, {"Colour": "red"}, 400, "PropertyUnknown"),
    ("PATCH", SYSTEM, {"PowerState": "On"}, 400, "PropertyNotWritable"),
    ("PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "Tape"}}, 400, "PropertyValueNotInList"),
    ("PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "UefiTarget", "BootSourceOverrideEnabled": "Once"}}, 400, "PropertyValueConflict"),
    ("PATCH", SYSTEM, {"Boot": {"HttpBootUri": "not a uri"}}, 400, "PropertyValueFormatError"),
    ("PATCH", SYSTEM, {"Boot": {"BootOrder": ["Boot0001"]}}, 400, "PropertyValueNotInList"),
    ("PATCH", SYSTEM, {"Boot": "Pxe"}, 400, "PropertyValueTypeError"),
    ("PATCH", SYSTEM, {}, 400, "EmptyJSON"),
    ("PATCH", SYSTEM, b"{not json", 400, "MalformedJSON"),
    ("PATCH", SYSTEM, b"[1]", 400, "UnrecognizedRequestBody"),
    ("DELETE", SYSTEM, None, 405, "OperationNotAllowed"),
    ("POST", SYSTEM, {"a": 1}, 405, "OperationNotAllowed"),
    ("PUT", SYSTEM, {"a": 1}, 405, "OperationNotAllowed"),
    ("PATCH", "/redfish/v1/Systems/7", {"AssetTag": "x"}, 404, "ResourceMissingAtURI"),
    ("GET", RESET, None, 405, "OperationNotAllowed"),
    ("POST", RESET, {"ResetType": "Sideways"}, 400, "ActionParameterValueNotInList"),
    ("POST", RESET, {"ResetType": "Suspend"}, 400, "ActionParameterValueNotInList"),
    ("POST", RESET, {}, 400, "ActionParameterMissing"),
    ("POST", RESET, {"ResetType": "On", "Gently": True}, 400, "ActionParameterUnknown"),
    ("POST", RESET, {"ResetType": "ForceRestart"}, 409, "InvalidOperationForSystemState"),
    ("PATCH", f"{SYSTEM}/Bios", {"Attributes": {"BootMode": "Bios"}}, 400, "PropertyNotWritable"),
    ("PATCH", BIOS, {"Attributes": {"SystemMemorySize": "128 GB"}}, 400, "PropertyNotWritable"),
    ("PATCH", BIOS, {"Attributes": {"NoSuchThing": "x"}}, 400, "PropertyUnknown"),
    ("PATCH", BIOS, {"Attributes": {"BootMode": "Legacy"}}, 400, "PropertyValueNotInList"),
    ("PATCH", BIOS, {"Attributes": {"NumLock": "yes"}}, 400, "PropertyValueTypeError"),
    ("PATCH", BIOS, {"Attributes": {"BootRetry": 11}}, 400, "PropertyValueOutOfRange"),
    ("PATCH", BIOS, {"Attributes": {"AssetTag": "x" * 33}}, 400, "PropertyValueFormatError"),
    ("PATCH", BIOS, {"Attributes": {"NumLock": False}, "@Redfish.SettingsApplyTime": {"ApplyTime": "Immediate"}}, 400, "PropertyValueNotInList"),
    ("POST", f"{MEDIA}/Actions/VirtualMedia.InsertMedia", {}, 400, "ActionParameterMissing"),
    ("POST", f"{MEDIA}/Actions/VirtualMedia.InsertMedia", {"Image": "disc"}, 400, "PropertyValueFormatError"),
    ("POST", f"{MEDIA}/Actions/VirtualMedia.EjectMedia", {}, 400, "GeneralError"),
    ("PATCH", MEDIA, {"Image": "http://192.0.2.1/x.iso"}, 405, "OperationNotAllowed"),
    ("POST", VOLUMES, {"RAIDType": "RAID1", "Links": {"Drives": [{"@odata.id": DISKS[1]}]}}, 400, "PropertyValueConflict"),
    ("POST", VOLUMES, {"RAIDType": "RAID1", "Links": {"Drives": [{"@odata.id": DISKS[0]}, {"@odata.id": DISKS[1]}]}}, 409, "ResourceInUse"),
    ("POST", VOLUMES, {"RAIDType": "RAID6", "Links": {"Drives": [{"@odata.id": DISKS[1]}]}}, 400, "PropertyValueNotInList"),
    ("POST", ACCOUNTS, {"UserName": "new", "Password": "long-enough"}, 400, "PropertyMissing"),
    ("POST", ACCOUNTS, {"UserName": "new", "Password": "short", "RoleId": "Operator"}, 400, "PropertyValueFormatError"),
    ("POST", ACCOUNTS, {"UserName": "new", "Password": "long-enough", "RoleId": "Emperor"}, 400, "PropertyValueNotInList"),
    ("POST", ACCOUNTS, {"UserName": "root", "Password": "long-enough", "RoleId": "Operator"}, 400, "ResourceAlreadyExists"),
    ("POST", SUBSCRIPTIONS, {"Destination": "nowhere", "Protocol": "Redfish"}, 400, "PropertyValueFormatError"),
    ("PATCH", BMC_PORT, {"IPv4StaticAddresses": [{"Address": "192.0.2.999"}]}, 400, "PropertyValueFormatError"),
    ("PATCH", BMC_PORT, {"MACAddress": "02:00:00:00:00:01"}, 400, "PropertyNotWritable"),
    ("PATCH", f"{SYSTEM}/EthernetInterfaces/NIC1", {"MTUSize": 9000}, 405, "OperationNotAllowed"),
    ("PATCH", f"{SYSTEM}/SecureBoot", {"SecureBootEnable": "yes"}, 400, "PropertyValueTypeError"),
]


def test_what_is_wrong_is_refused_and_changes_nothing(start):
    """Status and message of the Base registry; state, tasks and pending values stay as they were."""
    bmc, client = start()
    before = {path: bmc.store.raw(path) for path in bmc.tree.files if "Sessions" not in path}
    for method, path, body, status, message in REFUSED:
        answer = client(method, path, body)
        assert (answer.status, answer.message) == (status, message), (method, path, body, answer.raw)
    assert {path: bmc.store.raw(path) for path in before} == before
    assert not bmc.power.resets and not bmc.bios.pending and not bmc.tasks.all
    assert len(bmc.counters.effective_writes()) == len([entry for entry in REFUSED if entry[0] != "GET"])


def test_405_tells_what_is_allowed(start):
    """In the header Allow."""
    _bmc, client = start()
    assert client("DELETE", SYSTEM).headers["Allow"] == "GET, HEAD, PATCH"
    assert client("GET", RESET).headers["Allow"] == "POST"


def test_a_body_of_another_type_is_refused(start):
    """JSON alone is taken."""
    _bmc, client = start()
    answer = client("PATCH", SYSTEM, b"a=1", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.message) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("policy, taken, refused", [
    (("required",), ["{tag}"], [None]),
    ((), [None, "{tag}", "{strong}", "{bare}", "*"], ['"other"', 'W/"other"']),
    (("strong_only",), ["{strong}"], ["{tag}"]),
    (("unquoted",), ["{bare}"], ["{tag}", "{strong}"]),
    (("exact",), ["{tag}"], ["{strong}"]),
    (("refused",), [None], ["{tag}", "{strong}"]),
    (("ignored",), [None, '"other"'], []),
])
def test_if_match(start, policy, taken, refused):
    """428 where it must be there, 412 where it does not suit; the ETag moves on with each change."""
    bmc, client = start(etag="weak", etag_policy=policy)
    for place, (form, fits) in enumerate([(form, True) for form in taken] + [(form, False) for form in refused]):
        tag = client("GET", SYSTEM).headers["ETag"]
        forms = {"tag": tag, "strong": tag.removeprefix("W/"), "bare": tag.removeprefix("W/").strip('"')}
        headers = {} if form is None else {"If-Match": form.format(**forms)}
        answer = client("PATCH", SYSTEM, {"AssetTag": f"tag {place}"}, **headers)
        assert answer.status == (200 if fits else 428 if form is None else 412), form
        assert (bmc.get(SYSTEM)["AssetTag"] == f"tag {place}") is fits
        assert (client("GET", SYSTEM).headers["ETag"] != tag) is fits


def test_if_match_on_an_action(start):
    """Refused where the habit says so, else no matter."""
    bmc, client = start(etag_policy=("refused_on_post",))
    assert client("POST", RESET, {"ResetType": "On"}, If_Match='"x"').status == 412 and not bmc.power.boots
    assert client("POST", RESET, {"ResetType": "On"}).status == 204


def test_who_may_ask(start):
    """The root alone is open; unknown users, wrong passwords, disabled accounts and stale tokens are 401."""
    bmc, client = start(login=False)
    assert client("GET", "/redfish/v1/").status == 200
    for answer in (client("GET", SYSTEM), client("GET", SYSTEM, X_Auth_Token="guess"), client.login("nobody"), client.login(password="wrong"),
                   client("GET", SYSTEM, Authorization="Basic " + base64.b64encode(b"root:wrong").decode()),
                   client("POST", RESET, {"ResetType": "On"})):
        assert answer.status == 401
    basic = {"Authorization": "Basic " + base64.b64encode(f"{bmc.username}:{bmc.password}".encode()).decode()}
    assert client("GET", SYSTEM, **basic).status == 200
    bmc.options.basic = False
    assert client("GET", SYSTEM, **basic).status == 401
    bmc.set(bmc.accounts.find("root"), {"Enabled": False})
    assert client.login().status == 401 and not bmc.sessions.open() and not bmc.power.boots
    assert bmc.counters.failed_logins == 3 and bmc.counters.logins == 0


def test_a_login_needs_both_halves(start):
    """A missing password is a missing property."""
    bmc, client = start(login=False)
    answer = client("POST", bmc.sessions.collection, {"UserName": "root"})
    assert (answer.status, answer.message) == (400, "PropertyMissing")


def test_sessions_are_few_and_end(start):
    """A cap, an idle time, a DELETE, and a token that is worth nothing afterwards."""
    bmc, client = start(session_cap=2, session_timeout=100)
    assert client.login().status == 201
    full = client.login()
    assert (full.status, full.message) == (503, "SessionLimitExceeded") and len(bmc.sessions.open()) == 2
    bmc.clock.advance(60)
    assert client("GET", SYSTEM).status == 200
    bmc.clock.advance(60)
    assert len(bmc.sessions.open()) == 1, "the one that was not used has expired"
    assert client("DELETE", client.session).status == 204 and not bmc.sessions.open()
    assert client("GET", SYSTEM).status == 401 and bmc.counters.logouts == 1
    client.headers.clear()
    assert client.login().status == 201


def test_what_is_right_takes_effect(start):
    """An override is used up by a start, BIOS values wait for one, a soft power-off may never end."""
    bmc, client = start()
    boot = {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
    assert client("PATCH", SYSTEM, {"Boot": boot}).status == 200
    assert client("PATCH", BIOS, {"Attributes": {"SriovGlobalEnable": "Enabled"}}).status == 200
    assert client("GET", f"{SYSTEM}/Bios").json["Attributes"]["SriovGlobalEnable"] == "Disabled"
    assert client("GET", BIOS).json["Attributes"] == {"SriovGlobalEnable": "Enabled"}
    assert client("POST", RESET, {"ResetType": "On"}).status == 204
    assert client("GET", SYSTEM).json["PowerState"] == "On" and bmc.power.boots[0]["target"] == "Pxe"
    assert client("GET", SYSTEM).json["Boot"]["BootSourceOverrideEnabled"] == "Disabled"
    assert client("GET", f"{SYSTEM}/Bios").json["Attributes"]["SriovGlobalEnable"] == "Enabled" and not bmc.bios.pending
    bmc.options.graceful = "never"
    assert client("POST", RESET, {"ResetType": "GracefulShutdown"}).status == 204
    bmc.clock.advance(600)
    assert client("GET", SYSTEM).json["PowerState"] == "On"
    bmc.options.redundant_power = "conflict"
    assert client("POST", RESET, {"ResetType": "On"}).status == 409


def test_power_takes_its_time(start):
    """Between a reset and its effect the state is the old one, or says that it is changing."""
    bmc, client = start(power_lag=10, power_intermediate=True)
    client("POST", RESET, {"ResetType": "On"})
    assert client("GET", SYSTEM).json["PowerState"] == "PoweringOn"
    bmc.clock.advance(10)
    assert client("GET", SYSTEM).json["PowerState"] == "On"
    client("POST", RESET, {"ResetType": "PowerCycle"})
    bmc.clock.advance(10)
    assert client("GET", SYSTEM).json["PowerState"] == "Off"
    bmc.clock.advance(10)
    assert client("GET", SYSTEM).json["PowerState"] == "On" and len(bmc.power.boots) == 2
