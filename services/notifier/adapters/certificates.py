"""TLS towards endpoints: one context for each client certificate, so that connections are pooled for each."""

import hashlib
import ssl
import tempfile
from pathlib import Path

CONTEXTS_MAX = 256


class CertificateUnusable(Exception):
    """A client certificate that no connection can be made with; the text says why, and quotes nothing of it."""


class Contexts:
    """The TLS contexts of a wire. TLS 1.2 and later; the peer's name and chain are always verified."""

    def __init__(self, authorities: Path | None) -> None:
        self._authorities = authorities
        self._made: dict[str, ssl.SSLContext] = {}

    def of(self, certificate: str) -> ssl.SSLContext:
        """The context for a client certificate (PEM of chain and key), or for none. Raises CertificateUnusable."""
        name = hashlib.sha256(certificate.encode()).hexdigest()
        if name not in self._made:
            if len(self._made) >= CONTEXTS_MAX:
                self._made.clear()
            self._made[name] = self._make(certificate)
        return self._made[name]

    def _make(self, certificate: str) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._authorities is not None:
            context.load_verify_locations(cafile=self._authorities)
        if certificate:
            _load(context, certificate)
        return context


def certificate_fault(certificate: str) -> str | None:
    """Why this client certificate cannot be used, in words; None where it can."""
    try:
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)
    except CertificateUnusable as fault:
        return str(fault)
    return None


def _load(context: ssl.SSLContext, certificate: str) -> None:
    # The library reads files alone: this one is the owner's, and gone as soon as it is read.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate)
        file.flush()
        try:
            context.load_cert_chain(file.name, password=_no_password)
        except (ssl.SSLError, ValueError, OSError):
            raise CertificateUnusable("the client certificate and its key do not belong together") from None


def _no_password() -> str:
    """An encrypted key is refused; without this the library would ask on the terminal."""
    raise CertificateUnusable("the key of the client certificate is encrypted: store it in clear, it is kept encrypted")
