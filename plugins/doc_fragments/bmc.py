# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options, and of what all ``bmc_*`` modules have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments C(typeone.metal.bmc), C(typeone.metal.bmc.write) and C(typeone.metal.bmc.info)."""

    DOCUMENTATION = r"""
options:
  bmc_address:
    description:
      - Where the BMC is, as a host name, an IP address, or a URL such as V(https://192.0.2.10:8443).
      - Needed, from the task, C(module_defaults), the environment, or a host variable of the same name.
      - Plain HTTP is used only where the URL says V(http://).
      - If not set, the value of the environment variable E(TYPEONE_BMC_ADDRESS) is used.
    type: str
  bmc_port:
    description:
      - The port of the Redfish service, where it is not the scheme's own.
      - If not set, the value of the environment variable E(TYPEONE_BMC_PORT) is used.
    type: int
  bmc_protocol:
    description:
      - How to speak to the BMC.
      - With V(auto), Redfish is tried first, and IPMI where nothing answers as a Redfish service. Credentials that
        are refused and certificates that are not trusted end the search. The result says which was taken, and why.
      - If not set, the value of the environment variable E(TYPEONE_BMC_PROTOCOL) is used.
    type: str
    choices: [auto, redfish, ipmi]
    default: auto
  bmc_username:
    description:
      - The account on the BMC.
      - If not set, the value of the environment variable E(TYPEONE_BMC_USERNAME) is used.
    type: str
  bmc_password:
    description:
      - The password of the account.
      - If not set, the value of the environment variable E(TYPEONE_BMC_PASSWORD) is used.
    type: str
  bmc_auth:
    description:
      - How to authenticate over Redfish.
      - With V(auto), one session is opened and deleted at the end; where the BMC has no sessions, basic
        authentication is used and a warning says so.
      - If not set, the value of the environment variable E(TYPEONE_BMC_AUTH) is used.
    type: str
    choices: [auto, session, basic]
    default: auto
  bmc_system:
    description:
      - Which system to work on, where several are behind one BMC. The last part of its Redfish path, its id, name,
        serial number or UUID.
      - If not set, the value of the environment variable E(TYPEONE_BMC_SYSTEM) is used.
    type: str
  bmc_timeout:
    description:
      - Seconds to wait for an answer. A BMC that hangs costs this time once a task, not once a request.
      - If not set, the value of the environment variable E(TYPEONE_BMC_TIMEOUT) is used.
    type: int
    default: 60
  bmc_concurrency:
    description:
      - How many requests may be under way at one BMC at a time, each over a connection of its own.
      - Many BMCs are slow and lose requests when asked in parallel; raise this for those that are known to cope.
      - If not set, the value of the environment variable E(TYPEONE_BMC_CONCURRENCY) is used.
    type: int
    default: 1
  bmc_quirks:
    description:
      - Rules for BMCs that need a known behaviour and are not in the collection's list yet.
      - Each has O(bmc_quirks[].id), O(bmc_quirks[].match), O(bmc_quirks[].behaviour) and optionally
        O(bmc_quirks[].parameters). They come before the collection's own.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: A name for messages.
        type: str
      match:
        description:
          - Regular expressions for C(manufacturer), C(model) and C(protocol), and a condition such as
            C(>=6.00, <7.20) for C(firmware). All must hold.
        type: dict
      behaviour:
        description: The behaviour to turn on; M(typeone.metal.bmc_capability_info) lists them.
        type: str
      parameters:
        description: The behaviour's parameters. C(enabled=false) turns the behaviour off.
        type: dict
      why:
        description: What the BMC does.
        type: str
      source:
        description: Where that is known from.
        type: str
  validate_certs:
    description:
      - Whether to verify the BMC's certificate.
      - If not set, the value of the environment variable E(TYPEONE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file or a folder with the certificates of the authorities to trust.
      - If not set, the value of the environment variable E(TYPEONE_CA_PATH) is used.
    type: path
  tls_fingerprint:
    description:
      - The SHA-256 fingerprint of the BMC's certificate, which then is trusted, and no other.
      - If not set, the value of the environment variable E(TYPEONE_TLS_FINGERPRINT) is used.
    type: str
  ipmi_port:
    description:
      - The UDP port of IPMI over LAN.
      - If not set, the value of the environment variable E(TYPEONE_IPMI_PORT) is used.
    type: int
    default: 623
  ipmi_cipher_suites:
    description: The cipher suites to offer, in this order. V(17) is HMAC-SHA256, V(3) HMAC-SHA1, both with AES-128.
    type: list
    elements: int
    default: [17, 3]
  ipmi_kg:
    description:
      - The BMC key of IPMI 2.0, where one is set.
      - If not set, the value of the environment variable E(TYPEONE_IPMI_KG) is used.
    type: str
  ipmi_privilege_level:
    description:
      - The privilege level to ask for over IPMI.
      - If not set, the value of the environment variable E(TYPEONE_IPMI_PRIVILEGE_LEVEL) is used.
    type: str
    choices: [administrator, operator, user]
    default: administrator
requirements:
  - sushy and urllib3 2 or newer (Redfish) or pyghmi (IPMI), where the task runs
notes:
  - When the task runs on the controller, it runs in Ansible's own worker process, and takes connection options that
    are not set from host variables of the same names.
  - C(become) has no meaning for a BMC and is ignored.
attributes:
  platform:
    description: The kinds of machine that this works on.
    platforms: all
    support: full
  action_group:
    description: Use C(group/typeone.metal.bmc) in C(module_defaults) to set connection options once for all of them.
    membership: [typeone.metal.bmc]
    support: full
  action:
    description: Has an action of the same name, which runs on the controller.
    support: full
  async:
    description: Can be run with C(async).
    support: partial
    details: Where the task runs on the controller over a local connection, or is delegated.
"""

    WRITE = r"""
attributes:
  check_mode:
    description: Tells what would change and sends nothing but reads.
    support: full
  diff_mode:
    description: Shows the state before and after.
    support: full
  idempotent:
    description: Changes nothing where the state is as declared.
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    description: Only reads, and so does the same in check mode.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: N/A
  idempotent:
    description: Only reads.
    support: full
"""
