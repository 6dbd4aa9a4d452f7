# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Loads everything that registers routes, and makes a BMC ready to serve."""

from __future__ import annotations

from . import machine, media, network, services, storage  # noqa: F401  pylint: disable=unused-import


def install(bmc) -> None:
    """State that the features keep on a BMC."""
    bmc.storage = storage.Storage(bmc)
    bmc.certificates = services.Certificates(bmc)
    bmc.cleared_logs = []
    if not bmc.identity:
        return
    for path in bmc.store.of_kind("Certificate"):
        if "/HTTPS/" in path and not bmc.store.get(path).get("CertificateString"):
            bmc.store.merge(path, {"CertificateString": bmc.identity.pem})
