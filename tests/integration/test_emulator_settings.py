# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual media, Secure Boot and BIOS on sushy-tools' emulator: another hand's idea of a BMC."""

from __future__ import annotations

import functools
import http.server
import threading

import pytest
from running import run
from servers import Emulator, has_libvirt

from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.firmware import FirmwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource


@pytest.fixture(name="emulator", scope="module")
def fixture_emulator(tmp_path_factory):
    """emulator(driver): a running one, each driver once."""
    running: dict = {}

    def start(driver):
        if driver == "libvirt" and not has_libvirt():
            pytest.skip("libvirt's Python bindings are not at hand (Debian: python3-libvirt)")
        if driver not in running:
            running[driver] = Emulator(driver, tmp_path_factory.mktemp(driver))
        running[driver].writes()
        return running[driver]

    yield start
    for subject in running.values():
        subject.stop()


@pytest.fixture(name="images")
def fixture_images(tmp_path):
    """The URL of a server that has two images."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        """Serves files, silently."""

        def log_message(self, format, *args):  # pylint: disable=redefined-builtin
            """Tell nothing."""

    for name in ("a.iso", "b.iso"):
        (tmp_path / name).write_bytes(b"image" * 1000)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_virtual_media(emulator, images):
    """Checked, inserted, replaced, ejected; the emulator fetches the image for real."""
    bmc = emulator("fake")

    def media(**params):
        return run(VirtualMediaResource, None, **bmc.options(), **params)

    for name in ("a.iso", "b.iso"):
        bmc.writes()
        url = f"{images}/{name}"
        assert media(image_url=url, check_mode=True)["changed"] and not bmc.writes()
        result = media(image_url=url)
        assert not result.get("failed") and result["verified"] and result["slot"] == "Cd", result
        bmc.writes()
        assert not media(image_url=url)["changed"] and not bmc.writes()
    result = media(state="ejected")
    assert result["changed"] and result["verified"] and not media(state="ejected")["changed"]
    result = media(image_url=f"{images}/missing.iso")
    assert result["failed"] and result["error"]["kind"] == "rejected" and "404" in result["msg"]


def test_secure_boot(emulator):
    """Kept, and idempotent."""
    bmc = emulator("fake")
    before = run(SecureBootResource, None, **bmc.options(), enabled=True, check_mode=True)["diff"]["before"]["enabled"]
    for enabled in (not before, before):
        bmc.writes()
        assert run(SecureBootResource, None, **bmc.options(), enabled=enabled, check_mode=True)["changed"] and not bmc.writes()
        result = run(SecureBootResource, None, **bmc.options(), enabled=enabled)
        assert not result.get("failed") and result["verified"] and result["secure_boot"]["enabled"] is enabled, result
        assert not run(SecureBootResource, None, **bmc.options(), enabled=enabled)["changed"]


def test_bios(emulator):
    """Its values are in effect at once, and there is no registry."""
    bmc = emulator("libvirt")

    def bios(**params):
        return run(BiosResource, None, **bmc.options(), attributes={"NumCores": "4"}, **params)

    assert bios(check_mode=True)["changed"] and not bmc.writes()
    result = bios()
    assert not result.get("failed") and result["verified"], result
    assert result["bios"] == {"attributes": {"NumCores": "4"}, "pending": {}, "reboot_required": False}
    bmc.writes()
    assert not bios(reboot=True)["changed"] and not bmc.writes()
    assert "does not exist" in run(BiosResource, None, **bmc.options(), attributes={"NumCore": "4"})["msg"]


def test_what_it_does_not_have(emulator):
    """An inventory that is not there, and a storage that is an error, are told; nothing is sent."""
    bmc = emulator("fake")
    result = run(FirmwareResource, None, **bmc.options(), component="BMC", version="2", image_url="http://192.0.2.1/x")
    assert result["failed"] and "404" in result["msg"]
    result = run(StorageVolumeResource, None, **bmc.options(), state="absent", name="x")
    assert result["failed"] and "cannot be read as a whole" in result["msg"] and not bmc.writes()
