#!/usr/bin/env python3
"""Write the pages of docs/reference that are made from the code: `python scripts/reference.py`.

With `--check` nothing is written; exit 1 names the pages that are not current. Needs the environment of the checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from wms.core.i18n import catalogue
from wms.core.refusal import Reason
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


PAGES: dict[str, Callable[[], str]] = {"reasons.md": reasons_page, "settings.md": settings_page}


def stale(folder: Path) -> list[str]:
    """The pages in `folder` that are missing or not what the code says now."""
    return [
        name
        for name, make in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != make()
    ]


def _cell(reason: Reason, language: str) -> str:
    return catalogue().get(f"reason.{reason.value}", {}).get(language, "").replace("|", "\\|")


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
