# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage over a network: what is refused, and with which words; what is missing; what open-iscsi's records become."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import ISCSI, NVME, Portal, parse_target
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage_paths import (
    Path,
    SeenDisk,
    Timing,
    fabrics_options,
    merge_record,
    multipath_configuration,
    parse_connection,
    read_record,
    record_settings,
    settings_listing,
    shortcomings,
    without_secrets,
)

NAME = "iqn.2026-01.com.example:store1"
HOST = {"name": "iqn.2026-01.com.example:host3"}
FILE = {"number": 0, "file": "/var/store", "size": "1G"}
GIVEN = {"name": NAME, "portals": [{"address": "192.0.2.12"}], "disks": [FILE], "initiators": [HOST]}
SECRET, OTHER = "example-secret-1", "example-secret-2"
TIMING = Timing(path=10, queue=300, wait=60, boot=300)


@pytest.mark.parametrize(("change", "said"), [
    ({"name": "store1"}, "is no iSCSI name"),
    ({"name": "nqn.2026-01.com.example:x"}, "is no iSCSI name"),
    ({"portals": []}, "portals is empty"),
    ({"portals": [{"address": "store1"}]}, "is no IP address"),
    ({"portals": [{"address": "192.0.2.12", "port": 70000}]}, "port 70000"),
    ({"portals": [{"address": "192.0.2.12"}, {"address": "192.0.2.12", "port": 3260}]}, "twice"),
    ({"disks": []}, "disks is empty"),
    ({"disks": [{**FILE, "device": "/dev/sdb"}]}, "not both"),
    ({"disks": [{"number": 0}]}, "not none"),
    ({"disks": [{"number": 0, "device": "/dev/disk/by-id/wwn-1", "size": "1G"}]}, "size belongs to a file"),
    ({"disks": [{"number": 0, "device": "/dev/sdb1"}]}, "/dev/sdb1 may be another disk after a reboot: name it as /dev/disk/by-id"),
    ({"disks": [{"number": 0, "device": "/dev/nvme1n1"}]}, "/dev/nvme1n1 may be another disk"),
    ({"disks": [{"number": 0, "file": "/var/store"}]}, "size is missing"),
    ({"disks": [{**FILE, "size": "1000"}]}, "no multiple of 4 KiB"),
    ({"disks": [{**FILE, "size": "much"}]}, "is not a size"),
    ({"disks": [{**FILE, "file": "store"}]}, "absolute path"),
    ({"disks": [{**FILE, "file": "/var/a,b"}]}, "absolute path"),
    ({"disks": [FILE, {**FILE, "file": "/var/b"}]}, "has 0 twice"),
    ({"disks": [FILE, {**FILE, "number": 1}]}, "/var/store twice"),
    ({"disks": [{**FILE, "number": -1}]}, "not between 0"),
    ({"initiators": []}, "initiators is empty"),
    ({"initiators": [HOST, HOST]}, "twice"),
    ({"initiators": [{**HOST, "username": "u"}]}, "both of username and password"),
    ({"initiators": [{**HOST, "username": "u", "password": "short"}]}, "has 5 characters"),
    ({"initiators": [{**HOST, "mutual_username": "u", "mutual_password": SECRET}]}, "needs password as well"),
    ({"initiators": [{**HOST, "username": "u", "password": SECRET, "mutual_username": "v", "mutual_password": SECRET}]},
     "is the password"),
    ({"initiators": [{**HOST, "username": "u", "password": SECRET}, {"name": "iqn.2026-01.com.example:host4"}]}, "has no password"),
    ({"initiators": [{**HOST, "username": "u", "password": f"{SECRET}\n"}]}, "line feeds"),
])
def test_what_cannot_be_is_refused_by_the_name_of_its_option(change, said):
    """The secret itself is never said."""
    with pytest.raises(ValueError, match=said) as caught:
        parse_target({**GIVEN, **change}, ISCSI)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("secrets", "said"), [({"key": "abc"}, "is no key"), ({"controller_key": "DHHC-1:00:YWJj:"}, "needs key")])
def test_keys_of_nvme(secrets, said):
    """They have a form of their own."""
    with pytest.raises(ValueError, match=said):
        parse_connection({"name": "nqn.2026-01.com.example:store1", "portals": [{"address": "192.0.2.12"}], **secrets}, NVME)


def test_a_target_that_is_absent_needs_its_name_alone():
    """Its files stay, so that nothing has to be said of them."""
    assert not parse_target({"name": NAME, "state": "absent"}, ISCSI).present
    assert not parse_connection({"name": NAME, "state": "absent"}, ISCSI).present


def test_ports_have_a_default_for_each_protocol():
    """IPv6 has brackets."""
    assert str(parse_target(GIVEN, ISCSI).portals[0]) == "192.0.2.12:3260"
    assert str(Portal("2001:db8::1", 4420)) == "[2001:db8::1]:4420"


def connection(**given):
    """A target over two portals."""
    return parse_connection({"name": NAME, "portals": [{"address": "192.0.2.12"}, {"address": "198.51.100.12"}], **given}, ISCSI)


LIVE = {"192.0.2.12:3260": "live", "198.51.100.12:3260": "live"}


def disk(**given):
    """A disk with all its paths."""
    paths = tuple(Path(portal, f"/dev/sd{letter}", "live") for portal, letter in zip(LIVE, "bc"))
    return SeenDisk(**{"number": 0, "path": "/dev/x", "wwn": "6", "size": 1024**3, "paths": paths, **given})


@pytest.mark.parametrize(("portals", "disks", "settled", "said"), [
    (LIVE, [disk()], True, None),
    ({**LIVE, "192.0.2.12:3260": "failed"}, [disk()], True, "portal 192.0.2.12:3260 is failed"),
    ({}, [], False, "portal 192.0.2.12:3260 is not connected"),
    (LIVE, [], False, "disk 0 is not there"),
    (LIVE, [disk(size=5)], False, "disk 0 has 5 bytes and not 1073741824"),
    (LIVE, [disk(paths=disk().paths[:1])], True, "disk 0 has 1 of 2 paths"),
    (LIVE, [disk(paths=disk().paths[:1])], False, None),
    (LIVE, [disk(ready=False)], True, "/dev/x is not there"),
])
def test_what_is_missing_is_said(portals, disks, settled, said):
    """Paths and names count once the disks are there."""
    missing = shortcomings(connection(disks=[{"number": 0, "size": "1G"}]), portals, disks, settled=settled)
    assert missing == [] if said is None else said in missing


def test_without_disks_named_one_is_enough():
    """Any will do."""
    assert shortcomings(connection(), LIVE, [], settled=True) == ["the target shows no disk to this host"]
    assert not shortcomings(connection(), LIVE, [disk()], settled=True)


RECORD = "# BEGIN RECORD 2.1.8\nnode.name = x\nnode.startup = manual\nnode.session.auth.username = old\n# END RECORD\n"


def test_a_record_keeps_what_is_not_ours():
    """Settings are replaced in place, added before the end, and taken out where they are empty."""
    wanted = {"node.startup": "automatic", "node.session.auth.username": "", "node.session.auth.password": SECRET}
    text = merge_record(RECORD, wanted)
    assert text == (f"# BEGIN RECORD 2.1.8\nnode.name = x\nnode.startup = automatic\nnode.session.auth.password = {SECRET}\n"
                    "# END RECORD\n")
    assert read_record(text, wanted) == wanted and merge_record(text, wanted) == text


def test_several_paths_give_up_soon_and_one_waits():
    """With multipath it is that which queues."""
    secured = connection(username="u", password=SECRET)
    several = record_settings(secured, TIMING, multipath=True, patience=300)
    assert several["node.session.timeo.replacement_timeout"] == "10" and several["node.session.initial_login_retry_max"] == "20"
    assert several["node.session.auth.authmethod"] == "CHAP"
    single = record_settings(connection(), TIMING, multipath=False, patience=1)
    assert single["node.session.timeo.replacement_timeout"] == "300" and single["node.session.initial_login_retry_max"] == "1"
    assert single["node.session.auth.authmethod"] == "None"
    assert "no_path_retry 60" in multipath_configuration(["6a"], TIMING) and "wwid 36a" in multipath_configuration(["6a"], TIMING)


def test_a_diff_of_a_record_shows_no_secret():
    """It says whether it is another one."""
    wanted = {"node.session.auth.password": SECRET}
    assert settings_listing(wanted, wanted, "x") == "node.session.auth.password = (a secret)\n"
    assert settings_listing({"node.session.auth.password": OTHER}, wanted, "(another secret)") == \
        "node.session.auth.password = (another secret)\n"


def test_the_options_of_nvme():
    """Lost paths are tried for ever, reads and writes wait so long; a diff has no keys."""
    given = {"name": "nqn.2026-01.com.example:store1", "portals": [{"address": "192.0.2.12"}], "key": "DHHC-1:00:YWJj:"}
    wanted = parse_connection(given, NVME)
    text = fabrics_options(wanted, wanted.portals[0], TIMING, host=("nqn.2026-01.com.example:h", "id"))
    assert "ctrl_loss_tmo=-1" in text and "fast_io_fail_tmo=300" in text and "dhchap_secret=DHHC-1:00:YWJj:" in text
    assert "dhchap_ctrl_secret" not in text and "YWJj" not in without_secrets(text)
    assert SECRET not in repr(connection(username="u", password=SECRET))
