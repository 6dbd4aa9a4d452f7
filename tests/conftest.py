# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all tests: properties are tried with the same examples at every run, and no test is timed."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("typeone", deadline=None, derandomize=True, database=None,
                                     suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("typeone")
