# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Certificates for test BMCs: one CA a process, one certificate an address, elliptic keys (fast)."""

from __future__ import annotations

import atexit
import dataclasses
import datetime
import functools
import hashlib
import ipaddress
import pathlib
import shutil
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclasses.dataclass(frozen=True)
class Identity:
    """A key and certificate in files, and the certificate's SHA-256 fingerprint (hexadecimal, of the DER form)."""

    cert_path: str
    key_path: str
    fingerprint: str
    pem: str


@functools.lru_cache(maxsize=None)
def workspace() -> pathlib.Path:
    """A folder for this process' certificates, removed at its end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="testbmc-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def new_key():
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key) -> bytes:
    """A key as unencrypted PEM."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30)))


@functools.lru_cache(maxsize=None)
def authority():
    """This process' CA: (key, certificate, path of its PEM)."""
    key = new_key()
    name = _name("testbmc CA")
    usage = x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                          key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
    cert = (_builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))
    path = workspace() / "ca.pem"
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return key, cert, str(path)


def ca_path() -> str:
    """The CA's PEM file, to verify test BMCs with."""
    return authority()[2]


def sign(public_key, subject=None, *, addresses=("127.0.0.1",), names=("localhost",)):
    """A server certificate of the CA for a public key."""
    ca_key, ca_cert, _path = authority()
    alternatives = [x509.IPAddress(ipaddress.ip_address(item)) for item in addresses] + [x509.DNSName(item) for item in names]
    return (_builder(subject or _name(addresses[0]), ca_cert.subject, public_key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256()))


def fingerprint(cert) -> str:
    """SHA-256 of the DER form, lower-case hexadecimal without colons."""
    return hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).hexdigest()


def keep(key, cert, label: str) -> Identity:
    """Write a key and its certificate where `ssl` can load them."""
    cert_file, key_file = workspace() / f"{label}.pem", workspace() / f"{label}.key"
    text = cert.public_bytes(serialization.Encoding.PEM)
    cert_file.write_bytes(text)
    key_file.write_bytes(key_pem(key))
    return Identity(str(cert_file), str(key_file), fingerprint(cert), text.decode())


@functools.lru_cache(maxsize=None)
def identity(addresses: tuple = ("127.0.0.1",)) -> Identity:
    """A certificate for addresses, made once a process."""
    key = new_key()
    wanted = addresses if "127.0.0.1" in addresses else (*addresses, "127.0.0.1")
    return keep(key, sign(key.public_key(), addresses=wanted), f"server-{addresses[0]}-{len(addresses)}")


@functools.lru_cache(maxsize=None)
def server_context(who: Identity) -> ssl.SSLContext:
    """A server's TLS settings, shared between BMCs of one address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(who.cert_path, who.key_path)
    return context


def client_context(*, verify: bool = True) -> ssl.SSLContext:
    """A client's TLS settings that trust the CA."""
    context = ssl.create_default_context(cafile=ca_path())
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
