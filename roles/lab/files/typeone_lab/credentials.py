# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Keys and certificates of a lab: SSH keys, a certificate authority, one certificate a BMC, the BMCs' password."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import secrets
import typing as t

from common import Lab, run, write

DAYS = 1825
RENEW_DAYS = 30


def _ssh_key(lab: Lab, name: str, comment: str) -> None:
    path = lab.dir / "ssh" / name
    if not path.exists() and lab.change(f"make SSH key {name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])


def ssh(lab: Lab) -> None:
    """The key to log in with, and the provisioner's host key, pinned before it is first used."""
    _ssh_key(lab, "id_ed25519", f"typeone-lab-{lab.name}")
    _ssh_key(lab, "provisioner_ssh_host_ed25519_key", "provisioner")
    known = lab.dir / "ssh/known_hosts"
    if not known.exists() and lab.change("pin the provisioner's host key"):
        key = (lab.dir / "ssh/provisioner_ssh_host_ed25519_key.pub").read_text().split()
        write(known, f"{lab.spec['provisioner']['address']} {key[0]} {key[1]}\n")


def _fresh(path: pathlib.Path) -> bool:
    """Is there a certificate that is valid for some time to come?"""
    from cryptography import x509

    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    end = getattr(certificate, "not_valid_after_utc", None)  # since cryptography 42
    end = end or certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    return end - datetime.datetime.now(datetime.timezone.utc) > datetime.timedelta(days=RENEW_DAYS)


def _sign(subject: str, public: t.Any, issuer: t.Any, extensions: list[tuple[t.Any, bool]]) -> t.Any:
    """A certificate for a public key. issuer: (name, private key)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[0])]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer[1], hashes.SHA256())


def _usage(**on: bool) -> t.Any:
    from cryptography import x509

    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
        " encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names.split()})


def _save(path: pathlib.Path, certificate: t.Any, key: t.Any) -> None:
    from cryptography.hazmat.primitives import serialization as form

    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    write(path.with_suffix(".key"), pem)
    write(path, certificate.public_bytes(form.Encoding.PEM), mode=0o644)


def authority(lab: Lab) -> bool:
    """Make the lab's certificate authority if there is none; true if it is new."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    path = lab.dir / "ca.pem"
    if _fresh(path) and path.with_suffix(".key").exists():
        return False
    if lab.change("make a certificate authority"):
        key = ec.generate_private_key(ec.SECP256R1())
        name = f"typeone lab {lab.name}"
        extensions = [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (_usage(key_cert_sign=True, crl_sign=True), True),
        ]
        _save(path, _sign(name, key.public_key(), (name, key), extensions), key)
    return True


def certificate(lab: Lab, node: dict[str, t.Any], *, renew: bool) -> None:
    """Make the certificate of one BMC, for its address."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    path = pathlib.Path(node["dir"]) / "bmc/bmc.pem"
    if (_fresh(path) and not renew) or not lab.change(f"make the certificate of {node['name']}'s BMC"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    authority_key = form.load_pem_private_key((lab.dir / "ca.key").read_bytes(), password=None)
    address = x509.IPAddress(ipaddress.ip_address(node["bmc_address"]))
    extensions = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([address]), False),
    ]
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _sign(f"{node['name']} BMC", key.public_key(), (f"typeone lab {lab.name}", authority_key), extensions)
    _save(path, signed, key)


def password(lab: Lab) -> None:
    """Make the password of the BMCs unless there is one."""
    path = lab.dir / "bmc_password"
    if not path.exists() and lab.change("make the BMCs' password"):
        write(path, secrets.token_urlsafe(12) + "\n")


def up(lab: Lab) -> None:
    """Everything that is missing."""
    ssh(lab)
    password(lab)
    renew = authority(lab)
    for node in lab.spec["nodes"]:
        certificate(lab, node, renew=renew)
