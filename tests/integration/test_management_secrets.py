# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords, tokens and keys that are given to a BMC: in no output of ansible-playbook, as actions and as modules."""

from __future__ import annotations

import yaml
from cryptography.hazmat.primitives import serialization
from test_shells import play, variables
from testbmc import certs

SECRET, TOKEN = "Monitor-Secret-1", "Bearer-Of-A-Secret-1"


def test_no_secret_at_the_highest_verbosity(test_bmc, tmp_path):
    """Neither where it works nor where it fails; and all of it has happened."""
    bmc = test_bmc()
    key = certs.new_key()
    given = {"secret": SECRET, "token": TOKEN, "key": certs.key_pem(key).decode(),
             "pem": certs.sign(key.public_key()).public_bytes(serialization.Encoding.PEM).decode()}
    tasks = [{"typeone.metal.bmc_user": {"name": "monitor", "password": "{{ secret }}"}},
             {"typeone.metal.bmc_user": {"name": "other", "password": "{{ secret }}", "update_password": "always"}, "async": 60, "poll": 1,
              "delegate_to": "localhost"},
             {"typeone.metal.bmc_user": {"name": "emperor", "password": "{{ secret }}", "role": "emperor"}, "ignore_errors": True},
             {"typeone.metal.bmc_event_subscription": {"destination": "https://192.0.2.1/", "headers": {"Authorization": "{{ token }}"}}},
             {"typeone.metal.bmc_certificate": {"certificate": "{{ pem }}", "private_key": "{{ key }}", "wait_timeout": 20}}]
    (tmp_path / "given.yml").write_text(yaml.safe_dump(given))
    code, output = play(tmp_path, tasks, arguments=("-vvvv", "--diff", "-e", f"@{tmp_path / 'given.yml'}"),
                        hosts={"node": variables(bmc, ansible_connection="local")})
    assert code == 0, output
    assert bmc.accounts.check("monitor", SECRET) and bmc.accounts.check("other", SECRET) and len(bmc.certificates.replaced) == 1
    lines = given["key"].splitlines()[1:-1]
    assert not [secret for secret in (SECRET, TOKEN, bmc.password, *lines) if secret in output]
