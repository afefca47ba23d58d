"""Authorities and certificates of 127.0.0.1 for tests of TLS, made on the spot."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY = datetime.timedelta(days=1)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own is `certificate`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._written(name, self._key.public_key(), authority=True)

    def pair(self, name: str) -> Pair:
        """A certificate for 127.0.0.1, of a server or of a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._written(name, key.public_key(), authority=False)
        file = certificate.with_suffix(".key")
        plain, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write_bytes(key.private_bytes(_PEM, plain, none))
        return Pair(certificate, file)

    def serving(self, server: Pair, *, clients: bool = False) -> ssl.SSLContext:
        """TLS of a server; with `clients` it wants a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context

    def _written(self, name: str, key: ec.EllipticCurvePublicKey, *, authority: bool) -> Path:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(
            _named(self._name), _named(name), key, x509.random_serial_number(),
            now - _DAY, now + _DAY,
        ).add_extension(x509.BasicConstraints(authority, None), critical=True)  # fmt: skip
        if not authority:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            names = x509.SubjectAlternativeName([address])
            builder = builder.add_extension(names, critical=False)
        path = self._folder / f"{self._name}-{name}.pem"
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
