"""TLS on a network without names and authorities: the house is its own, small authority.

Its certificate (ten years, this house only) is what PDAs and gateways are told to trust, once. The server's own
certificate is signed by it, carries the names and addresses it is reached by, lives as long as browsers accept (397
days) and is made anew at a start when it is about to end or the addresses have changed. Both lie beside the database,
readable by its owner only.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
RENEWED_BEFORE_END = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=25)  # a PDA whose clock is a day behind can still connect
ELSEWHERE = ("192.0.2.1", 9)  # an address of no one (RFC 5737): asked for the way there, sent nothing


@dataclass(frozen=True, slots=True)
class Papers:
    """Files of the server's certificate and key; and, made here, of the authority to trust, with its SHA-256."""

    certificate: Path
    key: Path
    authority: Path | None = None
    fingerprint: str = ""


def papers(folder: Path, host: str, now: datetime) -> Papers:
    """What lies in `folder`, made or renewed where it must be. Raises OSError when the folder cannot be written and
    ValueError when something else lies in its files.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _authority(folder, now)
    certificate, key = folder / "server.pem", folder / "server-key.pem"
    names = names_of(host)
    if not (certificate.exists() and key.exists() and _is_good(certificate, names, authority[0], now)):
        _issue(certificate, key, names, authority, now)
    return Papers(certificate, key, folder / "ca.pem", fingerprint(authority[0]))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 in pairs, as phones and browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def names_of(host: str) -> tuple[str, ...]:
    """Names and addresses this machine is reached by when it listens at `host`."""
    found = {"localhost", "127.0.0.1", "::1", socket.gethostname()}
    found |= set(_own_addresses()) if host in ("0.0.0.0", "::", "") else {host}
    return tuple(sorted(found))


def _own_addresses() -> Iterable[str]:
    for family, target in ((socket.AF_INET, ELSEWHERE), (socket.AF_INET6, ("2001:db8::1", 9))):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect(target)
                yield asking.getsockname()[0]
        except OSError:
            continue


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate, key = folder / "ca.pem", folder / "ca-key.pem"
    if certificate.exists() and key.exists():
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(secret, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key} holds another kind of key")
        if made.not_valid_after_utc - now > RENEWED_BEFORE_END:
            return made, secret
    secret = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Chuwei {socket.gethostname()}")
    usage = _usage(signs_certificates=True)
    made = (
        _begun(name, name, secret, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False)
        .sign(secret, hashes.SHA256())
    )
    _write(key, [_pem_of_key(secret)])
    _write(certificate, [_pem(made)])
    return made, secret


def _issue(
    certificate: Path,
    key: Path,
    names: Sequence[str],
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    now: datetime,
) -> None:
    issuer, issuers_key = authority
    secret = ec.generate_private_key(ec.SECP256R1())
    made = (
        _begun(_name("Chuwei server"), issuer.subject, secret, now, SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers_key.public_key()), critical=False)
        .sign(issuers_key, hashes.SHA256())
    )
    _write(key, [_pem_of_key(secret)])
    _write(certificate, [_pem(made), _pem(issuer)])


def _is_good(file: Path, names: Sequence[str], issuer: x509.Certificate, now: datetime) -> bool:
    made = x509.load_pem_x509_certificate(file.read_bytes())
    listed = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(one.value) for one in listed}
    lasts = made.not_valid_after_utc - now > RENEWED_BEFORE_END
    return lasts and known >= set(names) and made.issuer == issuer.subject and _signed(made, issuer)


def _signed(made: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        made.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made anew
        return False
    return True


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now - CLOCKS_DIFFER + life)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, parts: Sequence[bytes]) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(b"".join(parts))
    fresh.replace(file)
