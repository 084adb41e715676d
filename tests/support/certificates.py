"""Certificates for tests: an authority of our own, and what it signs."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.clock import SystemClock

DAY = datetime.timedelta(days=1)
PEM, PKCS8 = Encoding.PEM, PrivateFormat.PKCS8


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; `file` holds its own certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    @classmethod
    def make(cls, folder: Path, name: str = "authority") -> "Authority":
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _builder(name, name, key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        signed = certificate.sign(key, hashes.SHA256())
        file = folder / f"{name}.pem"
        file.write_bytes(signed.public_bytes(PEM))
        return cls(key, signed, file)

    def issue(self, name: str, *, ended: bool = False) -> str:
        """Certificate and key of a name, as one PEM text; `ended`: it was valid until yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        builder = _builder(name, issuer, key.public_key(), ended=ended).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return (signed.public_bytes(PEM) + key.private_bytes(PEM, PKCS8, NoEncryption())).decode()

    def server(self, folder: Path, pem: str, *, clients: bool = False) -> ssl.SSLContext:
        """A server's context; `clients`: it wants a client certificate of this authority."""
        file = folder / "server.pem"
        file.write_text(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context


def _builder(
    name: str, issuer: str, public_key: ec.EllipticCurvePublicKey, *, ended: bool = False
) -> x509.CertificateBuilder:
    now = SystemClock().now()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * DAY)
        .not_valid_after(now - DAY if ended else now + 9 * DAY)
    )
