# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_firmware against BMCs that take images, stage them, restart, forget their tasks, and fail."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible_collections.typeone.metal.plugins.module_utils._redfish import tasks as poller
from ansible_collections.typeone.metal.plugins.module_utils._resources import firmware as module
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.run import execute

# The size of the image whose push is watched for memory: small here, 1 GiB where somebody asks for it.
MIB = int(os.environ.get("TYPEONE_FIRMWARE_MIB", "64"))
NEW = "9.99.1"
URL = "https://192.0.2.1/firmware/bmc.bin"


@pytest.fixture(autouse=True)
def fixture_short_waits(monkeypatch):
    """Wait for a version, and for what a restart brings back, for a moment only."""
    monkeypatch.setattr(module, "SETTLE", 0.6)
    monkeypatch.setattr(module, "FORGOTTEN", 8.0)
    monkeypatch.setattr(poller, "GRACE_AFTER_RESTART", 0.4)


@pytest.fixture(name="image")
def fixture_image(tmp_path):
    """A small image on disk."""
    path = tmp_path / "bmc.bin"
    path.write_bytes(os.urandom(300_000))
    return path


def firmware(bmc, component="BMC", version=NEW, **params):
    """Run bmc_firmware."""
    return run(FirmwareResource, bmc, component=component, version=version, **params)


def version_of(bmc, component):
    """Return a component's version at the server."""
    return bmc.get(f"/redfish/v1/UpdateService/FirmwareInventory/{component}")["Version"]


def test_pushes_installs_verifies_and_is_idempotent(test_bmc, image):
    """The file arrives whole, with its length; the version is read back; a second run sends nothing."""
    bmc = test_bmc()
    said = []
    options = {**connect(bmc), "component": "bmc", "version": NEW, "image_path": str(image)}
    params = ArgumentSpecValidator(argument_spec(FirmwareResource)).validate(options).validated_parameters
    result = execute(FirmwareResource, params, check_mode=False, tell=said.append)
    assert result["changed"] and result["verified"] and not result["reboot_required"], result
    assert [entry["version"] for entry in result["firmware"]] == [NEW] and version_of(bmc, "BMC") == NEW
    upload = bmc.firmware.uploads[0]
    assert upload.sha256 == hashlib.sha256(image.read_bytes()).hexdigest() and upload.name == "bmc.bin" and upload.content_length
    assert result["sent"] == [{"method": "POST", "path": "/redfish/v1/UpdateService/upload", "status": 202,
                               "body": {"file": "bmc.bin", "size_bytes": 300_000, "parameters": {}}}]
    assert any(text.startswith("sending bmc.bin: 50 %") for text in said) and json.dumps(result)
    assert bmc.counters.logins == 1 and bmc.counters.connections == 1 and not bmc.sessions.open()
    bmc.counters.reset()
    again = firmware(bmc, image_path=str(image))
    assert not again["changed"] and again["verified"] and not bmc.counters.effective_writes() and not bmc.counters.duplicates


def test_pulls_from_a_url(test_bmc):
    """The BMC is told where from and how; the account goes there and nowhere else."""
    bmc = test_bmc()
    result = firmware(bmc, image_url=URL, image_username="reader", image_password="Image-Secret", targets=["BMC"])
    assert result["verified"] and version_of(bmc, "BMC") == NEW and "Image-Secret" not in str(result)
    assert bmc.firmware.pulls == [{"ImageURI": URL, "TransferProtocol": "HTTPS", "Username": "reader", "Password": "Image-Secret",
                                   "Targets": ["/redfish/v1/UpdateService/FirmwareInventory/BMC"]}]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_sends_only_reads(test_bmc, image, state):
    """What would change is told; a file that is not there is told too."""
    bmc = test_bmc()
    result = firmware(bmc, image_path=str(image) if state == "present" else "/nonexistent/bmc.bin", check_mode=True)
    assert not bmc.counters.effective_writes() and not bmc.firmware.uploads
    if state == "present":
        before, after = (result["diff"][key]["firmware"][0]["version"] for key in ("before", "after"))
        assert result["changed"] and (before, after) == ("1.2.3", NEW)
    else:
        assert result["failed"] and result["error"]["kind"] == "invalid_input"


def test_missing_and_wrong_options(test_bmc, image):
    """They are refused before anything is sent; the error lists what there is."""
    bmc = test_bmc()
    checked = ArgumentSpecValidator(argument_spec(FirmwareResource), **FirmwareResource.CONSTRAINTS).validate(
        {**connect(bmc), "component": "BMC", "version": "1"})
    assert "image_path, image_url" in str(checked.error_messages)
    assert firmware(bmc, image_url="https://me:Secret-4@192.0.2.1/x")["error"]["kind"] == "invalid_input" and bmc.counters.connections == 0
    result = firmware(bmc, component="GPU", image_path=str(image))
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "BIOS, BMC, NIC 1" in result["msg"]
    assert "'PSU'" in firmware(bmc, image_path=str(image), targets=["PSU"])["msg"]
    assert "does not fetch by nfs" in firmware(bmc, image_url="nfs://192.0.2.1/x.bin")["msg"]
    bmc.set("/redfish/v1/UpdateService", {"MaxImageSizeBytes": 1000})
    assert "300000 bytes" in firmware(bmc, image_path=str(image))["msg"]
    assert not bmc.counters.effective_writes()


def test_several_components(test_bmc, image):
    """All that match are to have the version; targets are named."""
    bmc = test_bmc()
    assert not firmware(bmc, component="BMC", version="1.2.3", image_path="/nonexistent")["changed"]
    result = firmware(bmc, component="B*", image_path=str(image), targets=["B*"])
    assert result["verified"] and version_of(bmc, "BMC") == version_of(bmc, "BIOS") == NEW and len(result["firmware"]) == 2
    assert len(bmc.firmware.uploads[0].parameters["Targets"]) == 2


def test_a_plain_push(test_bmc, image):
    """Where there is no multipart, the file itself is the body."""
    bmc = test_bmc()
    bmc.set("/redfish/v1/UpdateService", {"MultipartHttpPushUri": None})
    result = firmware(bmc, image_path=str(image))
    assert result["verified"] and bmc.firmware.uploads[0].sha256 == hashlib.sha256(image.read_bytes()).hexdigest()
    assert firmware(bmc, "BIOS", image_path=str(image), targets=["BIOS"])["error"]["kind"] == "unsupported"
    bmc.set("/redfish/v1/UpdateService", {"HttpPushUriTargets": []})
    result = firmware(bmc, "BIOS", image_path=str(image), targets=["BIOS"])
    assert not result.get("failed") and result["verified"] and version_of(bmc, "BIOS") == NEW


def test_the_task_is_waited_for(test_bmc, image):
    """Its progress is told; the version counts when it has ended."""
    bmc = test_bmc()
    bmc.firmware.plan.seconds = 0.8
    bmc.firmware.plan.retry_after = "a while"
    said = []
    params = ArgumentSpecValidator(argument_spec(FirmwareResource)).validate(
        {**connect(bmc), "component": "BMC", "version": NEW, "image_path": str(image)}).validated_parameters
    result = execute(FirmwareResource, params, check_mode=False, tell=said.append)
    assert result["verified"] and any("Running" in text and "%" in text for text in said)


@pytest.mark.parametrize("keeps_tasks", [True, False])
def test_the_bmc_restarts_while_it_works(test_bmc, image, keeps_tasks):
    """Its task is found again, or its version tells; no session is left."""
    bmc = test_bmc()
    plan = bmc.firmware.plan
    plan.seconds, plan.restart, plan.keeps_tasks = 1.2, 0.5, keeps_tasks
    result = firmware(bmc, image_path=str(image))
    assert not result.get("failed") and result["verified"] and version_of(bmc, "BMC") == NEW, result
    assert len(bmc.firmware.uploads) == 1 and not bmc.sessions.open()


def test_the_bmc_knows_no_session_while_it_goes_down(test_bmc, image):
    """Its last answer is a 401, and a login is lost: it is away, and nobody is refused."""
    bmc = test_bmc()
    bmc.firmware.plan.seconds = 1.0
    bmc.faults.add("session_expired", path="Tasks/")
    bmc.faults.add("restart", method="POST", path="Sessions$", skip=1, seconds=0.4, answer=False)
    result = firmware(bmc, image_path=str(image))
    assert not result.get("failed") and result["verified"] and version_of(bmc, "BMC") == NEW, result
    assert len(bmc.firmware.uploads) == 1 and bmc.counters.logins == 3 and not bmc.sessions.open()


def test_the_bmc_drops_a_connection_that_is_being_opened(test_bmc, image):
    """It goes down in the middle of a handshake: it has spoken TLS before, so it is away, and trusted as it was."""
    bmc = test_bmc()
    context = bmc.server.context

    class Dropping:  # pylint: disable=too-few-public-methods
        """Ends the next connection before a word is said."""

        @staticmethod
        def wrap_socket(_sock, **_options):
            bmc.server.context = context
            raise OSError

    bmc.firmware.plan.seconds = 0.6
    bmc.faults.add("close", path="Tasks/", match=lambda request: not setattr(bmc.server, "context", Dropping))
    result = firmware(bmc, image_path=str(image))
    assert not result.get("failed") and result["verified"] and bmc.counters.handshake_failures == 1, result


def test_the_bmc_restarts_instead_of_answering(test_bmc, image):
    """The answer to the push is lost: it is not sent again, its task is looked for."""
    bmc = test_bmc()
    bmc.firmware.plan.seconds = 1.0
    bmc.faults.add("restart", method="POST", path="upload$", seconds=0.4, answer=False)
    result = firmware(bmc, image_path=str(image))
    assert not result.get("failed") and result["verified"] and len(bmc.firmware.uploads) == 1, result


def test_what_is_staged_is_no_success_yet(test_bmc, image):
    """The BMC says that it waits for a reset: the result says so; a restart installs it."""
    bmc = test_bmc(quirks=["hpe_bios_staged"])
    bmc.set(bmc.system, {"Manufacturer": "HPE"})
    bmc.firmware.plan.targets = ("/redfish/v1/UpdateService/FirmwareInventory/BIOS",)
    result = firmware(bmc, component="BIOS", image_path=str(image))
    assert result["changed"] and result["verified"] is False and result["reboot_required"] and "staged" in result["warnings"][0]
    assert version_of(bmc, "BIOS") == "2.0.1"
    result = firmware(bmc, component="BIOS", image_path=str(image), reboot=True)
    assert result["verified"] and version_of(bmc, "BIOS") == NEW and bmc.power.resets[-1][1] == "On"
    assert not firmware(bmc, component="BIOS", image_path=str(image), reboot=True)["changed"]


def test_a_task_that_completes_without_effect_is_no_success(test_bmc, image):
    """Where nothing says that the image is staged, the task fails and tells what may help."""
    bmc = test_bmc()
    bmc.firmware.plan.needs_reset = True
    result = firmware(bmc, image_path=str(image))
    assert result["failed"] and result["error"]["kind"] == "rejected" and "BMC has version 1.2.3, not 9.99.1" in result["msg"]
    assert "reboot: true" in result["msg"] and result["changed"]


def test_an_image_of_another_version(test_bmc, image):
    """It was installed, and is not what was declared."""
    bmc = test_bmc()
    result = firmware(bmc, version="9.99.2", image_path=str(image))
    assert result["failed"] and "has version 9.99.1, not 9.99.2" in result["msg"] and result["error"]["observed"][0]["version"] == NEW


def test_a_task_that_fails(test_bmc, image):
    """What the BMC says is told."""
    bmc = test_bmc()
    bmc.firmware.plan.fail = "The image is not for this system."
    result = firmware(bmc, image_path=str(image))
    assert result["failed"] and result["error"]["kind"] == "rejected" and "ended in Exception: The image is not for this system." in result["msg"]
    assert version_of(bmc, "BMC") == "1.2.3" and not bmc.sessions.open()


def test_a_task_that_never_ends(test_bmc, image):
    """The deadline holds; the error tells what was seen last."""
    bmc = test_bmc()
    bmc.firmware.plan.seconds = 3600
    result = firmware(bmc, image_path=str(image), wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "timeout" and "Running" in result["error"]["last_seen"]


@pytest.mark.parametrize(("quirk", "maker"), [
    ("dell_no_chunked", "Dell Inc."), ("dell_task_vanishes", "Dell Inc."), ("lenovo_monitor_deletes_task", "Lenovo"),
    ("openbmc_task_monitor_suffix", "OpenBMC"), ("any_retry_after_text", "Any"), ("any_trailing_slashes", "Any"),
    ("any_messy_collections", "Any"), ("any_paged_collections", "Any"), ("dell_idrac10_if_match_on_action", "Dell Inc.")])
def test_habits_of_bmcs(test_bmc, image, quirk, maker):
    """Pushed and pulled, followed to the end, verified."""
    bmc = test_bmc(quirks=[quirk], task_seconds=0.2)
    bmc.set(bmc.system, {"Manufacturer": maker})
    bmc.firmware.plan.seconds = 0.4
    result = firmware(bmc, image_path=str(image))
    assert not result.get("failed") and result["verified"] and version_of(bmc, "BMC") == NEW, result
    bmc.firmware.plan.version = "10.0"
    result = firmware(bmc, version="10.0", image_url=URL)
    assert not result.get("failed") and result["verified"] and version_of(bmc, "BMC") == "10.0", result


@pytest.mark.parametrize("kind", ["failed", "completed"])
def test_a_vanished_task_is_judged_by_its_job(test_bmc, image, kind):
    """The job queue tells how it ended."""
    bmc = test_bmc(quirks=["dell_task_vanishes"])
    bmc.set(bmc.system, {"Manufacturer": "Dell Inc."})
    bmc.firmware.plan.seconds, bmc.firmware.plan.fail = 0.6, "Bad image." if kind == "failed" else None
    result = firmware(bmc, image_path=str(image))
    assert bool(result.get("failed")) is (kind == "failed") and ("Bad image" in result.get("msg", "")) is (kind == "failed"), result


def test_a_session_that_expires_before_the_push(test_bmc, image):
    """The BMC takes it again from the first byte."""
    bmc = test_bmc()
    bmc.faults.add("session_expired", method="POST", path="upload$")
    result = firmware(bmc, image_path=str(image))
    assert result["verified"] and [upload.size for upload in bmc.firmware.uploads] == [300_000] and not bmc.sessions.open()


@pytest.mark.parametrize(("name", "by"), [
    ("dell-r750-idrac9_6.00", "image_path"), ("lenovo-sr670v2-xcc_1.40", "image_path"), ("nvidia-gh200-24.05", "image_path"),
    ("dmtf-public_rackmount1", "image_path"), ("hpe-dl380agen11-ilo6_1.66", "image_url"), ("gigabyte-h262_ami-12.84", "image_url")])
def test_recorded_machines(test_bmc, image, name, by):
    """The first component that may be updated is, by the way that the machine offers."""
    bmc = test_bmc(name)
    target = next(path for path in bmc.firmware.inventory() if bmc.get(path).get("Updateable", True) and bmc.get(path).get("Version")
                  and not path.rpartition("/")[2].startswith("Previous"))
    bmc.firmware.plan.targets = (target,)
    options = {"component": bmc.get(target)["Id"], "bmc_system": bmc.system.rpartition("/")[2],
               by: str(image) if by == "image_path" else URL.replace("https", "http")}
    result = firmware(bmc, **options)
    assert not result.get("failed") and result["verified"] and bmc.get(target)["Version"] == NEW, result
    assert not firmware(bmc, **options)["changed"]


def test_no_way_in(test_bmc, image):
    """A BMC whose push is no Redfish, and one without updates, are told as that."""
    bmc = test_bmc()
    bmc.set(bmc.system, {"Manufacturer": "HPE"})
    bmc.set("/redfish/v1/UpdateService", {"MultipartHttpPushUri": None, "HttpPushUri": "/cgi-bin/uploadFile"})
    result = firmware(bmc, image_path=str(image))
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "image_url" in result["msg"]
    bmc.set("/redfish/v1", {"UpdateService": None})
    assert firmware(bmc, image_path=str(image))["error"]["kind"] == "unsupported"


def test_a_large_image_costs_no_memory(test_bmc, tmp_path):
    """A sparse file is pushed by a process whose memory stays as it is; progress is told all along."""
    bmc = test_bmc()
    path = tmp_path / "large.bin"
    with open(path, "wb") as file:
        file.truncate(MIB << 20)
    program = f"""
import json, resource, sys
sys.path[:0] = {sys.path!r}
import running
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.run import execute
from ansible_collections.typeone.metal.plugins.module_utils._module import argument_spec
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
given = json.loads(sys.stdin.read())
params = ArgumentSpecValidator(argument_spec(FirmwareResource)).validate(given).validated_parameters
execute(FirmwareResource, params, check_mode=True, tell=lambda text: None)
before, said = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
result = execute(FirmwareResource, params, check_mode=False, tell=said.append)
print(json.dumps([result.get("verified"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, len(said), result.get("msg")]))
"""
    options = {**connect(bmc), "component": "BMC", "version": NEW, "image_path": str(path)}
    done = subprocess.run([sys.executable, "-c", program], input=json.dumps(options), capture_output=True, text=True, timeout=300, check=True)
    verified, grown_kib, said, message = json.loads(done.stdout)
    print(f"a push of {MIB} MiB: {grown_kib} KiB more")
    assert verified, message
    assert bmc.firmware.uploads[0].size == MIB << 20 and said >= 20
    assert grown_kib < min(100, MIB // 4) * 1024
