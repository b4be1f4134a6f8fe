#!/usr/bin/env python3
"""Write the pages of docs/reference that are made from the code: `python scripts/reference.py`.

With `--check` nothing is written; exit 1 names the pages that are not current. Needs the environment of the checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wms.app import BLUEPRINTS
from wms.auditing import PROMISES
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.dialogue import Dialogue, Step
from wms.core.i18n import catalogue, of_many
from wms.core.refusal import Reason, Refused
from wms.core.web import Edge, make_flask
from wms.handheld.registry import DIALOGUES
from wms.settings import PREFIX, Settings

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
MADE_BY = "<!-- made by scripts/reference.py; change the code, then run it -->\n"


def reasons_page() -> str:
    """Every code a refusal can have."""
    rows = "".join(
        f"| `{reason.value}` | {reason.status} | {_cell(reason, 'en')} | {_cell(reason, 'zh')} |\n" for reason in Reason
    )
    return (
        f"# Reasons\n\n{MADE_BY}\n"
        "How Chuwei says no. The code is part of the contract with machines and other programs: it is never renamed\n"
        'and never reused. HTTP answers carry it as `{"error": {"reason", "message", "facts"}}`; the facts are those\n'
        "in braces.\n\n"
        f"| reason | HTTP | English | 中文 |\n|---|---|---|---|\n{rows}"
    )


def settings_page() -> str:
    """Every setting, its default and what it does."""
    rows = "".join(
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return (
        f"# Settings\n\n{MADE_BY}\n"
        "Settings come from the environment. A name that is not listed here, or a value that does not fit, refuses to\n"
        "start: a typing error must not become a silent default.\n\n"
        f"| setting | default | meaning |\n|---|---|---|\n{rows}"
    )


def promises_page() -> str:
    """Every promise `wms audit` recomputes."""
    rows = "".join(
        f"| {one.number} | `{one.name}` | {one.sentence} | `{(one.check.__module__).replace('.', '/')}.py` |\n"
        for one in PROMISES
    )
    return (
        f"# Promises\n\n{MADE_BY}\n"
        "`wms audit` recomputes each of these from the rows, and exits with 1 if one is broken. A running server asks\n"
        "every minute about what new movements touched, and every night about every row. What is broken (and is so\n"
        "when asked again) is written down and shown on the terminal, and the row of stock it names is\n"
        "frozen until a person has looked. An audit never repairs.\n\n"
        "Rows with one number are parts of one promise. Some promises are held by the database itself as well:\n"
        "`0 <= promised <= on hand` is a check of the table, and triggers refuse to change or delete a movement.\n\n"
        f"| no. | promise | in words | asked in |\n|---|---|---|---|\n{rows}"
    )


def dialogues_page() -> str:
    """Every dialogue of the PDA: its steps, what each listens to, where it may lead."""
    return (
        f"# Dialogues\n\n{MADE_BY}\n"
        "What a PDA can be led through, as the rooms declare it. A step listens to scans, to keys and typed values\n"
        "(the actions), to a scale or to a put wall's buttons; a refusal keeps the step and shows the reason.\n"
        "*end* is the menu.\n" + "".join(_dialogue(one) for one in DIALOGUES.values())
    )


def _dialogue(one: Dialogue) -> str:
    title = catalogue()[one.title]
    rows = "".join(f"| `{name}` | {_listens(step)} | {_leads(step)} |\n" for name, step in one.steps.items())
    return (
        f"\n## {title['en']} {title['zh']}\n\n"
        f"`{one.name}`; needs the right `{one.right}`{_opened(one)}.\n\n"
        f"| step | listens to | leads to |\n|---|---|---|\n{rows}"
    )


def _opened(one: Dialogue) -> str:
    found = [
        f"does tasks of kind `{one.takes}`" if one.takes else "",
        "opens with a scan in the menu" if one.opens_with else "",
        "goes on without network" if one.ahead else "",
    ]
    return "".join(f"; {words}" for words in found if words)


def _listens(step: Step) -> str:
    heard = ["scan"] * (step.on_scan is not None) + ["weight"] * (step.on_weight is not None)
    heard += ["button"] * (step.on_button is not None)
    return ", ".join([*heard, *(f"`{action}`" for action in step.actions)])


def _leads(step: Step) -> str:
    named = sorted(f"`{name}`" for name in step.leads_to if name is not None)
    return ", ".join([*named, *["*end*"] * (None in step.leads_to)])


def rest_page() -> str:
    """Every call other programs may make."""
    spec = _spec()
    schemas = spec["components"]["schemas"]
    rows = "".join(
        f"| `{method.upper()} {path}` | {call.get('summary', '')} | {_body(call, schemas)} |\n"
        for path, calls in sorted(spec["paths"].items())
        for method, call in sorted(calls.items())
        if method in ("get", "post", "put", "delete")
    )
    return (
        f"# REST\n\n{MADE_BY}\n"
        "`/api/openapi.json` of a running server describes these calls in full. Each carries\n"
        "`Authorization: Bearer KEY` (`wms keys create`), each that changes something an `Idempotency-Key` of the\n"
        "caller's making: asked again under the same key, it is done once and answered alike; other content under the\n"
        'same key is refused (422). Errors are `{"error": {"reason", "message", "facts"}}`: see\n'
        "[reasons](reasons.md). Quantities are whole numbers of base units, lengths mm, weights g, moments ISO 8601\n"
        "with a zone. `?` marks what may be left out. A body has at most 64 kB.\n\n"
        f"| call | does | body |\n|---|---|---|\n{rows}"
    )


def _spec() -> dict[str, Any]:
    """OpenAPI of the application's doors; nothing is opened and nobody is asked."""

    def nobody(_key: str) -> Any:
        raise Refused(Reason.KEY_UNKNOWN)

    app = make_flask("reference", Edge(Database.open("sqlite://"), WallClock(), nobody))
    for blueprint in filter(None, BLUEPRINTS):
        app.register_blueprint(blueprint)
    spec = app.spec
    assert isinstance(spec, dict)
    return spec


def _body(call: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    return f"`{_shape(content['schema'], schemas)}`" if "schema" in content else ""


def _shape(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """A body in one line: fields, what they hold, `?` for what may be missing."""
    if "$ref" in schema:
        return _shape(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return " or ".join(_shape(one, schemas) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        return f"[{_shape(schema.get('items', {}), schemas)}]"
    if "properties" in schema:
        needed = schema.get("required", [])
        fields = (
            f"{name}{'' if name in needed else '?'}: {_shape(one, schemas)}"
            for name, one in schema["properties"].items()
        )
        return "{" + ", ".join(fields) + "}"
    return str(schema.get("format") or schema.get("type") or "any")


PAGES: dict[str, Callable[[], str]] = {
    "dialogues.md": dialogues_page,
    "promises.md": promises_page,
    "reasons.md": reasons_page,
    "rest.md": rest_page,
    "settings.md": settings_page,
}


def stale(folder: Path) -> list[str]:
    """The pages in `folder` that are missing or not what the code says now."""
    return [
        name
        for name, make in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != make()
    ]


def _cell(reason: Reason, language: str) -> str:
    return of_many(catalogue().get(f"reason.{reason.value}", {}).get(language, "")).replace("|", "\\|")


def _default(value: object) -> str:
    return "(empty)" if value == "" else f"`{value}`"


def main() -> int:
    """Write the pages, or with --check only compare."""
    old = stale(REFERENCE)
    if "--check" in sys.argv[1:]:
        for name in old:
            print(f"docs/reference/{name} is not current: python scripts/reference.py", file=sys.stderr)
        return 1 if old else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in old:
        (REFERENCE / name).write_text(PAGES[name](), "utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
