# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_virtual_media against BMCs whose drives differ in what they take and in what they tell."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._resources import virtual_media
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource

ISO, OTHER, STICK = (f"https://192.0.2.1/images/{name}" for name in ("installer.iso", "other.iso", "tools.img"))


def media(bmc, **params):
    """Run bmc_virtual_media."""
    return run(VirtualMediaResource, bmc, **params)


def images(bmc):
    """Return what the slots hold, by path."""
    slots = {path: bmc.get(path) for path in bmc.of_kind("VirtualMedia")}
    return {path: slot["Image"] for path, slot in slots.items() if slot.get("ConnectedVia") == "URI" or slot.get("Inserted")}


@pytest.fixture(autouse=True)
def fixture_short_looks(monkeypatch):
    """Look for an effect for a moment only."""
    monkeypatch.setattr(virtual_media, "LOOK", 0.4)


def test_inserts_reads_back_and_is_idempotent(test_bmc):
    """The image is in one slot; a second run sends nothing; another image replaces it."""
    bmc = test_bmc()
    result = media(bmc, image_url=ISO)
    assert result["changed"] and result["verified"] and result["slot"] == "CD1"
    assert images(bmc) == {f"{bmc.system}/VirtualMedia/CD1": ISO}
    assert [entry["body"] for entry in result["sent"]] == [{"Image": ISO}]
    bmc.counters.reset()
    again = media(bmc, image_url=ISO)
    assert not again["changed"] and again["verified"] and again["slot"] == "CD1" and not bmc.counters.effective_writes()
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.counters.duplicates
    assert media(bmc, image_url=OTHER)["verified"]
    assert images(bmc) == {f"{bmc.system}/VirtualMedia/CD1": OTHER} and not bmc.sessions.open()


def test_ejects_all_or_what_is_named(test_bmc):
    """Without criteria nothing is left; with them the rest stays."""
    bmc = test_bmc()
    media(bmc, image_url=ISO)
    media(bmc, image_url=STICK)
    assert sorted(images(bmc)) == [f"{bmc.system}/VirtualMedia/{name}" for name in ("CD1", "USB1")]
    result = media(bmc, state="ejected", media_type="usb")
    assert result["verified"] and list(images(bmc).values()) == [ISO]
    assert not media(bmc, state="ejected", image_url=OTHER)["changed"]
    result = media(bmc, state="ejected")
    assert result["changed"] and not images(bmc) and [slot["inserted"] for slot in result["virtual_media"]] == [False] * 3
    bmc.counters.reset()
    assert not media(bmc, state="ejected")["changed"] and not bmc.counters.effective_writes()


@pytest.mark.parametrize("params", [{"image_url": OTHER}, {"state": "ejected"}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    media(bmc, image_url=ISO)
    bmc.counters.reset()
    result = media(bmc, check_mode=True, **params)
    assert result["changed"] and not result["verified"] and result["sent"] == []
    slot = result["diff"]["after"]["virtual_media"][0]
    assert (slot["image_url"], slot["inserted"]) == (params.get("image_url"), params.get("state") != "ejected")
    assert result["diff"]["before"]["virtual_media"][0]["image_url"] == ISO
    assert not bmc.counters.effective_writes() and list(images(bmc).values()) == [ISO]


def test_missing_and_wrong_options(test_bmc):
    """They are refused before the BMC is asked anything, and no secret is told."""
    bmc = test_bmc()
    checked = ArgumentSpecValidator(argument_spec(VirtualMediaResource), **VirtualMediaResource.CONSTRAINTS).validate(connect(bmc))
    assert "image_url" in str(checked.error_messages)
    result = media(bmc, image_url="http://reader:S3cret-in-url@192.0.2.1/x.iso")
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "S3cret" not in str(result)
    assert media(bmc, image_url="installer.iso")["error"]["kind"] == "invalid_input"
    assert bmc.counters.connections == 0


def test_a_slot_that_is_not_there(test_bmc):
    """The error lists those that are."""
    bmc = test_bmc()
    result = media(bmc, image_url=ISO, slot="CD9")
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "USB1 (usb)" in result["msg"]
    assert "floppy" in media(bmc, image_url=ISO, media_type="floppy")["msg"]
    assert media(bmc, state="ejected", slot="CD9")["failed"] and not bmc.counters.effective_writes()


def test_a_named_slot_and_an_account(test_bmc):
    """The slot is taken by its path; the account goes to the BMC and nowhere else."""
    bmc = test_bmc()
    result = media(bmc, image_url=ISO, slot=f"{bmc.manager}/VirtualMedia/CD1", image_username="reader", image_password="Share-Secret")
    assert result["verified"] and images(bmc) == {f"{bmc.manager}/VirtualMedia/CD1": ISO}
    assert bmc.counters.effective_writes()[-1][2]["Password"] == "Share-Secret" and "Share-Secret" not in str(result)


def test_no_slots(test_bmc):
    """A BMC without virtual media is told as that."""
    bmc = test_bmc()
    for path in (bmc.system, bmc.manager):
        bmc.set(path, {"VirtualMedia": None})
    result = media(bmc, image_url=ISO)
    assert result["failed"] and result["error"]["kind"] == "unsupported"


@pytest.mark.parametrize(("quirk", "maker"), [
    ("dell_media_listed_after_eject", "Dell Inc."), ("supermicro_image_name_stays", "Supermicro"),
    ("supermicro_insert_defaults_refused", "Supermicro"), ("nvidia_media_credentials", "NVIDIA"),
    ("hpe_eject_needs_body", "HPE"), ("lenovo_no_insert_media", "Lenovo"), ("dell_idrac10_media_under_systems", "Dell Inc."),
    ("hpe_post_in_progress", "HPE"), ("dell_idrac10_if_match_on_action", "Dell Inc."), ("huawei_if_match_required", "Huawei"),
    ("huawei_no_managed_by", "Huawei"), ("any_trailing_slashes", "Any"), ("any_messy_collections", "Any")])
def test_habits_of_bmcs(test_bmc, quirk, maker):
    """Inserted, replaced, ejected; each proven at the server, and each idempotent."""
    bmc = test_bmc(quirks=[quirk])
    bmc.set(bmc.system, {"Manufacturer": maker})
    for image in (ISO, OTHER):
        result = media(bmc, image_url=image)
        assert not result.get("failed") and result["verified"], result
        assert list(images(bmc).values()) == [image]
        assert not media(bmc, image_url=image)["changed"]
    result = media(bmc, state="ejected")
    assert not result.get("failed") and result["verified"] and not images(bmc)
    assert not media(bmc, state="ejected")["changed"]


@pytest.mark.parametrize("status", [400, 405])
def test_a_slot_that_is_for_the_console_only(test_bmc, status):
    """The next one is taken, though it calls itself a DVD."""
    bmc = test_bmc(quirks=[("cisco_media_slots", {"status": status})])
    result = media(bmc, image_url=ISO)
    assert result["verified"] and list(images(bmc).values()) == [ISO]
    assert bmc.get(next(iter(images(bmc))))["MediaTypes"] == ["DVD"]


def test_what_a_person_has_inserted_is_left_alone(test_bmc):
    """An image of a remote console is neither replaced while there is another slot, nor ejected unnamed."""
    bmc = test_bmc()
    path = f"{bmc.system}/VirtualMedia/CD1"
    bmc.set(path, {"Image": "C:/mine.iso", "ImageName": "mine.iso", "Inserted": True, "ConnectedVia": "Applet"})
    assert media(bmc, image_url=ISO)["verified"] and bmc.get(f"{bmc.manager}/VirtualMedia/CD1")["Image"] == ISO
    media(bmc, state="ejected")
    assert bmc.get(path)["Inserted"] and not bmc.get(f"{bmc.manager}/VirtualMedia/CD1")["Inserted"]
    assert media(bmc, state="ejected", slot="CD1")["verified"] and not bmc.get(path)["Inserted"]


def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc):
    """The connection breaks after the image was inserted."""
    bmc = test_bmc()
    bmc.faults.add("reset_after", method="POST", path="InsertMedia$", times=1)
    result = media(bmc, image_url=ISO)
    assert not result.get("failed") and result["verified"] and list(images(bmc).values()) == [ISO]
    assert len(bmc.counters.effective_writes()) == 1 and not bmc.sessions.open()


def test_an_image_that_does_not_come_is_no_success(test_bmc):
    """The BMC answers 204 and nothing happens: the task fails and tells the slot."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="InsertMedia$", times=None, status=204, body=b"")
    result = media(bmc, image_url=ISO, wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "still is empty" in result["msg"]
    assert result["error"]["observed"]["slot"] == "CD1" and len(bmc.counters.effective_writes()) == 1


def test_no_slot_takes_it(test_bmc):
    """Each slot's reason is told."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="InsertMedia$", times=None, status=400, message="CouldNotEstablishConnection", args=(ISO,))
    result = media(bmc, image_url=ISO)
    assert result["failed"] and "CD1:" in result["msg"] and "failed to establish a connection" in result["msg"] and not images(bmc)


@pytest.mark.parametrize("name", ["dell-r750-idrac9_6.00", "hpe-dl360gen10plus-ilo5_3.11", "lenovo-sr670v2-xcc_1.40",
                                  "gigabyte-h262_ami-12.84", "nvidia-gh200-24.05", "dmtf-public_rackmount1"])
def test_recorded_machines(test_bmc, name):
    """An image is inserted, seen and ejected on each."""
    bmc = test_bmc(name)
    kind = "usb" if name.startswith("nvidia") else "cd"
    options = {"image_url": ISO, "media_type": kind, "bmc_system": bmc.system.rpartition("/")[2]}
    result = media(bmc, **options)
    assert not result.get("failed") and result["verified"] and ISO in images(bmc).values(), result
    assert not media(bmc, **options)["changed"]
    assert media(bmc, state="ejected", **options)["verified"] and ISO not in images(bmc).values()
