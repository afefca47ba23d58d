"""TLS of a backend's server: the files that a configuration names, and why a handshake fails.

Vespa's client says of every failure that it happened while a request was sent. Whether a file is no
certificate, the server's authority is unknown or the server wants a client's certificate is found
here with the standard library, before the first request and after one that failed.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from synth_dspy.errors import BackendError

if TYPE_CHECKING:
    from synth_dspy.config.routing import Backend

_SECTION = "routing.backend"
_REFUSAL_S = 1.0


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """The files that are there, absolute; None where the configuration names none."""

    certificate: Path | None
    key: Path | None
    authority: Path | None

    @property
    def client_pem(self) -> bytes | None:
        """The client's certificate and its key, one after the other; None without."""
        if self.certificate is None:
            return None
        parts = [self.certificate.read_bytes()]
        if self.key is not None and self.key != self.certificate:
            parts.append(self.key.read_bytes())
        return b"\n".join(parts)


def tls_files(settings: Backend) -> TLSFiles:
    """The files of the settings, each read once to see that it is what it should be.

    Raises:
        BackendError: one is not there or is none of its kind, or certificate and key are of
            different pairs; the text names the setting.
    """
    if settings.key is not None and settings.certificate is None:
        raise BackendError(
            f"{_SECTION}.key is {settings.key!r}, and {_SECTION}.certificate is not set; name the "
            "certificate that the key belongs to."
        )
    files = TLSFiles(
        settings.absolute(settings.certificate),
        settings.absolute(settings.key),
        settings.absolute(settings.ca_certificate),
    )
    _context(files)
    return files


def tls_fault(url: str, files: TLSFiles, timeout_s: float) -> str:
    """What stands between this client and a server, with the remedy; "" where it is not TLS."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return ""
    address = (parts.hostname, parts.port or 443)
    try:
        with (
            socket.create_connection(address, timeout_s) as plain,
            _context(files).wrap_socket(plain, server_hostname=parts.hostname) as wrapped,
        ):
            # With TLS 1.3 a server refuses a client's certificate after the handshake; one that
            # takes it waits for a request.
            wrapped.settimeout(min(timeout_s, _REFUSAL_S))
            wrapped.recv(1)
    except ssl.SSLCertVerificationError as error:
        return (
            f"its certificate is not trusted: {error.verify_message.rstrip('.')}. Name the file "
            f"of the authority that signed it in {_SECTION}.ca_certificate, and the server in "
            f"{_SECTION}.url as the certificate does."
        )
    except ssl.SSLError as error:
        told = _told(error)
        if "alert" in told:
            return (
                f"it refuses this client ({told}). Name the certificate that it wants in "
                f"{_SECTION}.certificate, and its key in {_SECTION}.key."
            )
        return f"there is no TLS ({told}). Name the address of its TLS port in {_SECTION}.url."
    except OSError:
        return ""
    return ""


def _context(files: TLSFiles) -> ssl.SSLContext:
    for name in ("certificate", "key", "authority"):
        path: Path | None = getattr(files, name)
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            raise _unusable(name, path, error) from error
    try:
        context = ssl.create_default_context(cafile=files.authority)
    except OSError as error:
        raise _unusable("authority", files.authority, error) from error
    if files.certificate is not None:
        try:
            # A password, even an empty one, so that no terminal is asked for it.
            context.load_cert_chain(files.certificate, files.key, password="")
        except OSError as error:
            raise _unusable("certificate", files.certificate, error) from error
    return context


def _unusable(name: str, path: Path | None, error: OSError) -> BackendError:
    setting = "ca_certificate" if name == "authority" else name
    key = " with its key" if name == "certificate" and isinstance(error, ssl.SSLError) else ""
    return BackendError(
        f"{_SECTION}.{setting} {str(path)!r} cannot be used{key}: {_told(error)}; name a PEM file."
    )


def _told(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return error.strerror or str(error)
