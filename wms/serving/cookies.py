"""Cookies under TLS: bound to this very host by their name.

A browser takes a cookie named `__Host-...` only from this host, over TLS and for all of its paths; no neighbour on the
same domain and no page over plain HTTP can plant one. The rooms know their cookies by their plain names; here they get
the prefix on the way out and lose it on the way in, and what comes without it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

PREFIX = "__Host-"
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class HostCookies:
    """A WSGI application behind TLS."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_COOKIE" in environ:
            environ["HTTP_COOKIE"] = as_the_rooms_know_them(environ["HTTP_COOKIE"])

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            out = [(name, bound(value) if name.lower() == "set-cookie" else value) for name, value in headers]
            return start_response(status, out, *more)

        return self._app(environ, start)


def as_the_rooms_know_them(sent: str) -> str:
    """The host's own cookies under their plain names."""
    pairs = (pair.strip() for pair in sent.split(";"))
    return "; ".join(pair.removeprefix(PREFIX) for pair in pairs if pair.startswith(PREFIX))


def bound(cookie: str) -> str:
    """A Set-Cookie value as a browser takes it under the host's prefix."""
    pair, *attributes = [part.strip() for part in cookie.split(";")]
    kept = [one for one in attributes if one.lower() != "secure" and not one.lower().startswith(("path=", "domain="))]
    return "; ".join([PREFIX + pair, *kept, "Path=/", "Secure"])
