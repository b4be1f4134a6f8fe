"""Plain HTTP on a LAN: for enrolled PDAs and paired gateways, and for nobody else.

What travels in the clear can be read along. A worker's PIN is worth nothing away from an enrolled device, and a gateway
signs what it says; a supervisor's password and a merchant's key are worth everything to whoever reads them. So their
doors stay shut to the network, and open on the machine itself, where a TLS proxy may stand.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import Any

from wms.core.i18n import text
from wms.core.perform import error_body
from wms.core.refusal import Reason, Refused

OPEN_DOORS = ("/pda/", "/gateway/")


class OnPlainHttp:
    """A WSGI application that lets in from the network only who may come without encryption."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if _is_this_machine(environ.get("REMOTE_ADDR", "")) or environ["PATH_INFO"].startswith(OPEN_DOORS):
            return self._app(environ, start_response)
        return _refusal(environ, start_response)


def _refusal(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """For programs as they know errors; for people both languages, as nobody is logged in yet."""
    reason = Reason.NEEDS_TLS
    if environ["PATH_INFO"].startswith("/api/"):
        kind, words = "application/json", json.dumps(error_body(Refused(reason), "en"), ensure_ascii=False)
    else:
        kind, words = "text/plain", "\n".join(text(f"reason.{reason.value}", language) for language in ("zh", "en"))
    body = words.encode()
    headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("403 FORBIDDEN", headers)
    return [body]


def _is_this_machine(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # no address: not over the network
        return not address
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
