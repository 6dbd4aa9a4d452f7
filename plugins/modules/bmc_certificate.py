#!/usr/bin/python

# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_certificate
short_description: Replace the HTTPS certificate of a BMC
version_added: 0.1.0
description:
  - Puts a certificate into the HTTPS service of a BMC over Redfish, and proves it by what the BMC shows to a new
    connection then. A certificate that is shown already is not sent again.
  - Has the BMC make a key and a request to sign it, so that the key never leaves it.
extends_documentation_fragment:
  - typeone.metal.bmc
  - typeone.metal.bmc.write
options:
  state:
    description:
      - With V(present), O(certificate) is put in.
      - With V(requested), the BMC makes a new key, at every run, and RV(csr) is to be signed. The certificate that is
        in use stays until another is put in.
    type: str
    choices: [present, requested]
    default: present
  certificate:
    description: The certificate in PEM, followed by those that signed it where the BMC is to show them.
    type: str
  private_key:
    description: Its key in PEM, not encrypted, where the BMC did not make it.
    type: str
  certificate_id:
    description: Which of the BMC's HTTPS certificates to work on, where it has several.
    type: str
  subject:
    description: Whom the certificate is for. Many BMCs want all but the last of these.
    type: dict
    suboptions:
      common_name:
        description: The name by which the BMC is reached.
        type: str
        required: true
      organization:
        description: The organization.
        type: str
      organizational_unit:
        description: The unit within it.
        type: str
      city:
        description: The city.
        type: str
      state:
        description: The state or province.
        type: str
      country:
        description: The country, as two letters.
        type: str
      email:
        description: An address for mail.
        type: str
  alternative_names:
    description: Other names and addresses by which the BMC is reached.
    type: list
    elements: str
  key_algorithm:
    description: The kind of key, the BMC's own choice where this is not set.
    type: str
    choices: [rsa, ecdsa]
  key_bits:
    description: The length of an RSA key.
    type: int
  key_curve:
    description: The curve of an ECDSA key.
    type: str
    choices: [p256, p384, p521]
  wait_timeout:
    description: Seconds to wait until the certificate is shown.
    type: int
    default: 120
author:
  - typeone.metal contributors (@typeone)
"""

EXAMPLES = r"""
- name: Have the BMC make a key
  typeone.metal.bmc_certificate:
    bmc_address: 192.0.2.10
    bmc_username: admin
    bmc_password: "{{ vault_bmc_password }}"
    tls_fingerprint: "{{ bmc_fingerprint }}"
    state: requested
    subject:
      common_name: bmc7.example.com
      organization: Example
      organizational_unit: Metal
      city: Bern
      state: BE
      country: CH
  register: request

- name: Put in what the authority made of it
  typeone.metal.bmc_certificate:
    tls_fingerprint: "{{ bmc_fingerprint }}"
    certificate: "{{ lookup('ansible.builtin.file', 'bmc7.pem') }}"
"""

RETURN = r"""
certificate:
  description: The certificate as it is now, or would be in check mode. V(null) is what is not known.
  returned: when the BMC answered
  type: dict
  contains:
    id:
      description: The BMC's own id for it.
      type: str
      returned: always
    subject:
      description: Whom it is for, with the keys of O(subject).
      type: dict
      returned: always
    issuer:
      description: Who signed it, with the keys of O(subject).
      type: dict
      returned: always
    valid_from:
      description: When it begins to hold, in UTC.
      type: str
      returned: always
    valid_until:
      description: When it ends, in UTC.
      type: str
      returned: always
    fingerprint:
      description: The SHA-256 fingerprint of what the BMC has on record.
      type: str
      returned: always
    served_fingerprint:
      description: The SHA-256 fingerprint of what it shows to a new connection, as O(tls_fingerprint) takes it.
      type: str
      returned: always
csr:
  description: The request to be signed, in PEM.
  returned: if O(state=requested), not in check mode
  type: str
bmc:
  description: Which BMC was spoken to, and how.
  returned: when the BMC answered
  type: dict
requested:
  description: What was asked for, in neutral words.
  returned: success
  type: dict
sent:
  description: The requests that may have changed something, without secrets.
  returned: when the BMC answered
  type: list
  elements: dict
observed:
  description: What was read back afterwards, as RV(certificate).
  returned: success
  type: dict
verified:
  description:
    - Whether what was asked for is shown to a new connection. It is V(false), with a warning, where the BMC has it on
      record and needs a restart.
  returned: success
  type: bool
error:
  description: What went wrong, for programs. C(kind) tells the sort.
  returned: failure
  type: dict
"""

from ansible_collections.typeone.metal.plugins.module_utils._module import run_module
from ansible_collections.typeone.metal.plugins.module_utils._resources.certificate import CertificateResource


def main() -> None:
    """Run the module."""
    run_module(CertificateResource)


if __name__ == "__main__":
    main()
