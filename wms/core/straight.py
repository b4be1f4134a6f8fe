"""Calls that come in their thousands go straight from the server to their room.

Flask sets up two contexts, a request and a response for each call, which costs as much as a third of a pick. A route
that is marked as `straight` is a plain function (what was asked -> status and JSON text); here it is called without all
that, as long as the request is what one expects: known route, a body of its length, JSON that fits the model. Whatever
is not so, and whatever is raised, is left to Flask, so that there is one place only where errors are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import Any

from pydantic import BaseModel, ValidationError

from wms.core.json_in import read_json

Answer = tuple[int, str]
RAISED = "chuwei.raised"  # in the WSGI environment: what came of a call that went straight, for Flask to tell
MARK = "straight"
JSON_TYPE = "application/json"


class Asked:
    """What was asked: an HTTP request as far as our calls look at it."""

    __slots__ = ("_environ", "body", "path")

    def __init__(self, environ: dict[str, Any], path: str, body: bytes) -> None:
        self._environ = environ
        self.path = path
        self.body = body

    @property
    def line(self) -> str:
        """Method and address, as commands are told apart by them."""
        return f"{self._environ['REQUEST_METHOD']} {self.path}?{self._environ.get('QUERY_STRING', '')}"

    def header(self, name: str) -> str:
        """A header by its name; "" when it was not sent."""
        return str(self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    def cookie(self, name: str) -> str:
        """One of our own cookies, whose values need no quotes."""
        for pair in self.header("Cookie").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return value
        return ""


class StraightWay:
    """A WSGI application: marked routes straight, the rest through Flask."""

    def __init__(self, app: Any, headers: dict[str, str], body_bytes_max: int) -> None:
        """`app` is the Flask application, `headers` go out with every answer."""
        self._app = app
        self._through_flask = app.wsgi_app
        self._headers = [("Content-Type", JSON_TYPE), *headers.items()]
        self._body_bytes_max = body_bytes_max
        self._routes: Any = None
        self._plain_views: dict[str, Any] = {}  # of routes without a part that varies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = None
        try:
            answer = self._answer(environ)
        except Exception as error:  # noqa: BLE001 - told by Flask, which knows how each is told
            environ[RAISED] = error
        if answer is None:
            return self._through_flask(environ, start_response)  # type: ignore[no-any-return]
        status, body = answer[0], answer[1].encode()
        start_response(_status_line(status), [*self._headers, ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer | None:
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "POST" or environ.get("QUERY_STRING") or not _is_plain(path):
            return None
        view, given = self._view(path)
        answer = getattr(view, MARK, None)
        body = None if answer is None else self._body(environ)
        if answer is None or body is None:
            return None
        model = getattr(view, "_spec", {}).get("body")
        if model is not None:
            fitting = _fitting(model, environ, body)
            if fitting is None:
                return None
            given = {**given, "json_data": fitting}
        with self._app.app_context():
            return answer(Asked(environ, path, body), **given)  # type: ignore[no-any-return]

    def _view(self, path: str) -> tuple[Any, dict[str, Any]]:
        known = self._plain_views.get(path)
        if known is not None:
            return known, {}
        if self._routes is None:
            self._routes = self._app.url_map.bind("")
        try:
            endpoint, given = self._routes.match(path, "POST")
        except Exception:  # noqa: BLE001 - not found, another method, a slash too many: Flask says so
            return None, {}
        view = self._app.view_functions[endpoint]
        if not given:
            self._plain_views[path] = view
        return view, given

    def _body(self, environ: dict[str, Any]) -> bytes | None:
        """The whole body, which Flask can read again."""
        length = environ.get("CONTENT_LENGTH") or ("" if "HTTP_TRANSFER_ENCODING" in environ else "0")
        if not length.isdecimal() or int(length) > self._body_bytes_max:
            return None
        body: bytes = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        return body if len(body) == int(length) else None


def _fitting(model: type[BaseModel], environ: dict[str, Any], body: bytes) -> BaseModel | None:
    if not environ.get("CONTENT_TYPE", "").startswith(JSON_TYPE):
        return None
    try:
        return model.model_validate(read_json(body))
    except (ValueError, ValidationError):
        return None


def _is_plain(path: str) -> bool:
    return path.isascii() and path.isprintable()


@cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase.upper()}"
