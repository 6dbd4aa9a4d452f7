# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook firmware: everything that waits for a reset gets one, the same, and a second run changes nothing."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import yaml
from test_shells import variables

NEW = "9.99.1"


def firmware(folder, bmc, *arguments, **declared):
    """Run the playbook and return its exit code and output."""
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"nodes": {"hosts": {"node1": {**variables(bmc), **declared}}}}))
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), "typeone.metal.firmware", *arguments],
                          capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL, check=False,
                          env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0"))
    return done.returncode, done.stdout + done.stderr


def test_one_restart_for_all(test_bmc, tmp_path):
    """Checked without a write, applied with one restart, idempotent; nothing declared is nothing done."""
    bmc = test_bmc(quirks=["hpe_bios_staged"])
    bmc.set(bmc.system, {"Manufacturer": "HPE"})
    bmc.firmware.plan.targets = ("/redfish/v1/UpdateService/FirmwareInventory/BIOS",)
    bmc.storage.apply = "on_reset"
    image = tmp_path / "bios.bin"
    image.write_bytes(b"image" * 1000)
    declared = {"typeone_firmware_images": [{"component": "BIOS", "version": NEW, "image_path": str(image)}],
                "typeone_bios": {"SriovGlobalEnable": "Enabled"}, "typeone_secure_boot": True,
                "typeone_volumes": [{"name": "system", "level": "raid1", "drives": ["HDD0001", "HDD0002"]}]}
    code, output = firmware(tmp_path, bmc, "--check", "--diff", **declared)
    assert code == 0 and "changed=5" in output and not bmc.counters.effective_writes(), output
    code, output = firmware(tmp_path, bmc, **declared)
    assert code == 0 and "failed=0" in output, output
    assert [value for _system, value in bmc.power.resets] == ["On"]
    assert bmc.get("/redfish/v1/UpdateService/FirmwareInventory/BIOS")["Version"] == NEW
    assert bmc.get(f"{bmc.system}/Bios")["Attributes"]["SriovGlobalEnable"] == "Enabled"
    assert bmc.get(f"{bmc.system}/SecureBoot")["SecureBootCurrentBoot"] == "Enabled"
    assert "RAID1" in [bmc.get(path).get("RAIDType") for path in bmc.of_kind("Volume")]
    bmc.counters.reset()
    code, output = firmware(tmp_path, bmc, **declared)
    assert code == 0 and "changed=0" in output and not bmc.counters.effective_writes() and not bmc.sessions.open(), output
    code, output = firmware(tmp_path, bmc)
    assert code == 0 and "changed=0" in output, output
