# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quirks as data: which behaviour holds on which BMC. Data only; see ``quirks`` for how a rule is matched.

A rule has an ``id``, a ``match`` (regular expressions for manufacturer, model and protocol, ignoring case, found
anywhere; a condition such as ``>=6.00, <7.20`` for firmware), the ``behaviour`` it turns on with ``parameters``,
``why`` it is needed and the ``source`` of the fact. Rules are tried in order; the first of a behaviour counts.
"""

from __future__ import annotations

from typing import Any

VERSION = "2026.11.1"

# Every behaviour that a driver asks for, and what it does.
BEHAVIOURS: dict[str, str] = {
    "boot_settings_object": "Write the boot override to the object that @Redfish.Settings names.",
    "boot_override_complete": "Send target, enabled and mode in every change of the boot override.",
    "boot_enabled_separately": "Send the UEFI target in a change of its own, before the override is enabled.",
    "boot_cd_by_attribute": "Choose a virtual CD by the manager's attributes given; the target Cd is the drive itself.",
    "boot_target_preferred": "Send the target given for a device, where the BMC allows it, instead of the usual one.",
    "ipmi_boot_valid_bit_lost": "Take the boot flags' device although their valid bit is not set (IPMI).",
    "ipmi_uefi_disk_selector": "Name the disk in UEFI mode by the boot flags' selector given (IPMI).",
    "media_connection_decides": "Take ConnectedVia, not Inserted or the image's name, for what is in a virtual drive.",
    "media_account_needed": "Send an account with every image, a made-up one where none is given.",
    "bios_apply_time": "Send ApplyTime OnReset with BIOS settings although the BMC does not offer it.",
    "bios_apply_time_unknown": "Send BIOS settings without an apply time although the BMC offers it.",
    "bios_attributes_together": "Write the BIOS attributes that the pattern matches all together, each value once.",
    "bios_jobs_count": "Take BIOS settings as pending while a job whose name matches has not ended.",
    "firmware_push_own_protocol": "Do not push to HttpPushUri, which speaks a protocol of its own.",
    "firmware_staged_silently": "Take a finished update whose version is not there yet as waiting for a reset.",
    "certificate_own_service": "Replace the HTTPS certificate in the service of its own that the rule leads to.",
}

RULES: tuple[dict[str, Any], ...] = (
    {"id": "dell-idrac10-boot-settings", "match": {"manufacturer": "dell", "model": "idrac.?10|1[78]G|R[67]7\\d"},
     "behaviour": "boot_settings_object", "why": "Boot on the System is read-only.", "source": "CG, GF"},
    {"id": "supermicro-boot-complete", "match": {"manufacturer": "super\\s*micro"},
     "behaviour": "boot_override_complete",
     "why": "BootSourceOverrideEnabled must be sent every time and the mode resets itself.", "source": "IR"},
    {"id": "ami-boot-complete", "match": {"manufacturer": "american megatrends|\\bami\\b|asrock"},
     "behaviour": "boot_override_complete", "why": "Mode, enabled and target are expected every time.",
     "source": "IR"},
    {"id": "dell-older-uefi-target", "match": {"manufacturer": "dell", "firmware": "<5.0"},
     "behaviour": "boot_enabled_separately",
     "why": "UefiTargetBootSourceOverride and BootSourceOverrideEnabled are refused in one change.", "source": "CG"},
    {"id": "dell-virtual-cd", "match": {"manufacturer": "dell"}, "behaviour": "boot_cd_by_attribute",
     "parameters": {"links": ["Links", "Oem", "Dell", "DellAttributes"], "device": "ServerBoot.1.FirstBootDevice",
                    "once": "ServerBoot.1.BootOnce", "cd": "VCD-DVD", "none": "Normal", "yes": "Enabled",
                    "no": "Disabled"},
     "why": "The target Cd means the physical drive.", "source": "IR"},
    {"id": "supermicro-virtual-cd", "match": {"manufacturer": "super\\s*micro"}, "behaviour": "boot_target_preferred",
     "parameters": {"cd": "UsbCd"}, "why": "The virtual CD is UsbCd.", "source": "SU"},
    {"id": "supermicro-ipmi-uefi-disk", "match": {"manufacturer": "super\\s*micro", "protocol": "ipmi"},
     "behaviour": "ipmi_uefi_disk_selector", "parameters": {"selector": 0x24},
     "why": "The selector of the disk in UEFI mode is that of a remote drive.", "source": "IR"},
    {"id": "supermicro-image-name-stays", "match": {"manufacturer": "super\\s*micro"},
     "behaviour": "media_connection_decides", "why": "ImageName stays after an eject.", "source": "CG"},
    {"id": "nvidia-media-account", "match": {"manufacturer": "nvidia"}, "behaviour": "media_account_needed",
     "why": "InsertMedia wants a user and a password, whatever they are.", "source": "SU"},
    {"id": "dell-bios-apply-time", "match": {"manufacturer": "dell"}, "behaviour": "bios_apply_time",
     "why": "BIOS settings without ApplyTime OnReset stay pending for ever.", "source": "CG"},
    {"id": "dell-bios-jobs", "match": {"manufacturer": "dell"}, "behaviour": "bios_jobs_count",
     "parameters": {"name": "bios"}, "why": "Pending values are shown as current before their job has ended.",
     "source": "IR"},
    {"id": "lenovo-bios-apply-time", "match": {"manufacturer": "lenovo"}, "behaviour": "bios_apply_time_unknown",
     "why": "SettingsApplyTime is an unknown property.", "source": "BL"},
    {"id": "huawei-boot-type-order", "match": {"manufacturer": "huawei"}, "behaviour": "bios_attributes_together",
     "parameters": {"pattern": "^BootTypeOrder\\d+$"}, "why": "BootTypeOrder0 to 3 are refused unless all are sent.",
     "source": "IR"},
    {"id": "hpe-firmware-push", "match": {"manufacturer": "\\bhpe?\\b|hewlett"},
     "behaviour": "firmware_push_own_protocol", "source": "CG",
     "why": "HttpPushUri is a form that wants a session key in a cookie and in a field."},
    {"id": "hpe-firmware-staged", "match": {"manufacturer": "\\bhpe?\\b|hewlett"},
     "behaviour": "firmware_staged_silently", "source": "IR",
     "why": "A BIOS firmware task completes when the image is only staged."},
    {"id": "hpe-https-certificate", "match": {"manufacturer": "\\bhpe?\\b|hewlett"}, "behaviour": "certificate_own_service",
     "parameters": {"links": [["Oem", "Hpe", "Links", "SecurityService"], ["Links", "HttpsCert"]],
                    "import": "HpeHttpsCert.ImportCertificate", "field": "Certificate",
                    "request": "HpeHttpsCert.GenerateCSR", "csr": "CertificateSigningRequest",
                    "facts": "X509CertificateInformation",
                    "names": {"common_name": "CommonName", "organization": "OrgName", "organizational_unit": "OrgUnit",
                              "city": "City", "state": "State", "country": "Country"}},
     "why": "CertificateService does not know the certificate of HTTPS.", "source": "recorded trees"},
)
