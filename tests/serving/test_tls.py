"""HTTPS: certificates made here, cookies bound to the host, and clients that do not shake hands."""

from __future__ import annotations

import http.client
import socket
import ssl
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.serving.test_server import FOR_EVER_S, GET, WAIT_S, answer, ask, echo
from wms.serving import certificates, server
from wms.serving.certificates import Papers, papers
from wms.serving.cookies import as_the_rooms_know_them, bound
from wms.serving.server import Server, Tls

NOW = datetime.now(UTC)


@contextmanager
def served(shown: Papers, app: Any = echo) -> Iterator[Server]:
    made = Server(app, "127.0.0.1", 0, threads=4, tls=Tls(shown.certificate, shown.key))
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(WAIT_S)


def trusting(shown: Papers) -> ssl.SSLContext:
    """A client that trusts the house's authority and nobody else."""
    return ssl.create_default_context(cafile=str(shown.authority))


@contextmanager
def connected(of: Server, shown: Papers) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", of.effective_port), WAIT_S) as plain,
        trusting(shown).wrap_socket(plain, server_hostname="127.0.0.1") as one,
    ):
        yield one


def test_who_trusts_the_house_talks_to_it(tmp_path: Path) -> None:
    shown = papers(tmp_path / "tls", "127.0.0.1", NOW)
    with served(shown) as here, connected(here, shown) as one:
        assert ask(one, GET % b"a") == (200, b"/a 0 -")
        assert ask(one, GET % b"b") == (200, b"/b 0 -")
        assert str(one.version()) >= "TLSv1.2"


def test_who_does_not_trust_it_hangs_up(tmp_path: Path) -> None:
    shown = papers(tmp_path / "tls", "127.0.0.1", NOW)
    other = papers(tmp_path / "another house", "127.0.0.1", NOW)
    with served(shown) as here, pytest.raises(ssl.SSLCertVerificationError), connected(here, other):
        pass


def test_clients_that_never_shake_hands_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "QUIET_S", FOR_EVER_S)  # whom they kept out they would keep out for ever
    shown = papers(tmp_path / "tls", "127.0.0.1", NOW)
    with served(shown) as here:
        silent = [socket.create_connection(("127.0.0.1", here.effective_port), WAIT_S) for _ in range(3)]
        with connected(here, shown) as one:
            assert ask(one, GET % b"a")[0] == 200
        for one_silent in silent:
            one_silent.close()


def test_plain_http_is_told_what_to_do(tmp_path: Path) -> None:
    shown = papers(tmp_path / "tls", "127.0.0.1", NOW)
    with served(shown) as here, socket.create_connection(("127.0.0.1", here.effective_port), WAIT_S) as plain:
        status, said = ask(plain, GET % b"a")
        assert (status, said) == (400, b"This port speaks TLS only: begin with https")
        assert answer(plain) == (0, b"")


def test_papers_are_kept_readable_by_their_owner_only_and_used_again(tmp_path: Path) -> None:
    first = papers(tmp_path / "tls", "127.0.0.1", NOW)
    before = {file: file.read_bytes() for file in (tmp_path / "tls").iterdir()}
    again = papers(tmp_path / "tls", "127.0.0.1", NOW + timedelta(days=200))
    assert again == first
    assert {file: file.read_bytes() for file in (tmp_path / "tls").iterdir()} == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in before} == {0o600}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("host", "later"),
    [("127.0.0.1", timedelta(days=380)), ("10.1.2.3", timedelta(days=1)), ("wms.park.lan", timedelta(days=1))],
)
def test_the_server_s_certificate_is_renewed_and_the_authority_stays(
    tmp_path: Path, host: str, later: timedelta
) -> None:
    first = papers(tmp_path / "tls", "127.0.0.1", NOW)
    before = first.certificate.read_bytes()
    again = papers(tmp_path / "tls", host, NOW + later)
    assert again.fingerprint == first.fingerprint
    assert again.certificate.read_bytes() != before
    made = x509.load_pem_x509_certificate(again.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert host in {str(each.value) for each in names}
    assert made.not_valid_after_utc - made.not_valid_before_utc <= certificates.SERVER_LIFE


def test_a_certificate_of_somebody_else_in_the_folder_is_replaced(tmp_path: Path) -> None:
    mine, other = (papers(tmp_path / name, "127.0.0.1", NOW) for name in ("tls", "other"))
    for name in ("server.pem", "server-key.pem"):
        (tmp_path / "tls" / name).write_bytes((tmp_path / "other" / name).read_bytes())
    again = papers(tmp_path / "tls", "127.0.0.1", NOW)
    assert again.fingerprint == mine.fingerprint != other.fingerprint
    with served(again) as here, connected(here, again) as one:
        assert ask(one, GET % b"a")[0] == 200


def test_cookies_are_bound_to_the_host_and_others_are_dropped(tmp_path: Path) -> None:
    def keeps(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        said = environ.get("HTTP_COOKIE", "").encode()
        cookie = "csrf=abc; Path=/pda; Max-Age=60; SameSite=Strict"
        start_response("200 OK", [("Set-Cookie", cookie), ("Content-Length", str(len(said)))])
        return [said]

    shown = papers(tmp_path / "tls", "127.0.0.1", NOW)
    with served(shown, keeps) as here:
        one = http.client.HTTPSConnection("127.0.0.1", here.effective_port, timeout=WAIT_S, context=trusting(shown))
        one.request("GET", "/", headers={"Cookie": "csrf=planted; __Host-csrf=abc; __Host-chuwei_pda=t"})
        said = one.getresponse()
        assert said.read() == b"csrf=abc; chuwei_pda=t"
        (morsel,) = SimpleCookie(said.headers["Set-Cookie"]).values()
        assert (morsel.key, morsel.value, morsel["path"], bool(morsel["secure"])) == ("__Host-csrf", "abc", "/", True)
        assert (morsel["samesite"], morsel["max-age"], morsel["domain"]) == ("Strict", "60", "")
        one.close()


def test_a_cookie_s_value_may_hold_anything_but_a_semicolon() -> None:
    assert bound("a=b=c/d; Secure; HttpOnly; Path=/x; Domain=evil") == "__Host-a=b=c/d; HttpOnly; Path=/; Secure"
    assert as_the_rooms_know_them("") == ""
    assert as_the_rooms_know_them("__Host-a=b=c; x=__Host-y") == "a=b=c"
