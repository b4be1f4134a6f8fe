"""Rules about words: reasons, texts in both languages, generated pages, links."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from tests.house.source import dotted, sources

LANGUAGES = ("zh", "en")
REASONS_FILE = "wms/core/refusal.py"
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)|<img[^>]* src=\"(?!https?:)([^\"]+)\"")
NAMED_FILE = re.compile(r"`((?:wms|devices|migrations|scripts|tests|docs)/[\w./-]+)`")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FAULTS = "when-things-break.md"
TEXT_CALLS = ("text", "say")


def texts(root: Path) -> Iterator[tuple[str, str, object]]:
    """Page, key and words of every text of every room."""
    for page in sorted((root / "wms").glob("*/texts.toml")):
        name = page.relative_to(root).as_posix()
        for key, words in tomllib.loads(page.read_text("utf-8")).items():
            yield name, key, words


def texts_speak_both_languages(root: Path) -> list[str]:
    """Each text has Chinese and English, nothing else, and both fill the same placeholders."""
    return [f"{page}: {key} {trouble}" for page, key, words in texts(root) for trouble in _troubles(words)]


def _troubles(words: object) -> Iterator[str]:
    if not isinstance(words, dict) or set(words) != set(LANGUAGES):
        yield f"must have {' and '.join(LANGUAGES)}"
        return
    for language in LANGUAGES:
        if not str(words[language]).strip():
            yield f"is empty in {language}"
    if len({_placeholders(str(words[language])) for language in LANGUAGES}) > 1:
        yield "has other placeholders in one language than in the other"


def _placeholders(words: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(words) if name)


def no_text_stands_twice(root: Path) -> list[str]:
    """One key, one place."""
    first: dict[str, str] = {}
    return [
        f"{page}: {key} stands in {first[key]} too"
        for page, key, _ in texts(root)
        if first.setdefault(key, page) != page
    ]


def used_texts_exist(root: Path) -> list[str]:
    """A key that is asked for by name is in the catalogue; else a person would read the key."""
    known = {key for _, key, _ in texts(root)}
    return [
        f"{source.at(node.lineno)} asks for the text {node.args[0].value}, which no texts.toml has"
        for source in sources(root, "wms")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in TEXT_CALLS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", node.args[0].value)
        and node.args[0].value not in known
    ]


def reasons(root: Path) -> dict[str, tuple[str, int]]:
    """Name of each member of Reason -> its code and HTTP status."""
    tree = ast.parse((root / REASONS_FILE).read_text("utf-8"))
    listed = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Reason")
    return {
        dotted(line.targets[0]): ast.literal_eval(line.value)
        for line in listed.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple)
    }


def every_reason_has_words(root: Path) -> list[str]:
    """In both languages (another rule), under `reason.<code>`; and no words without a reason."""
    known = {key.removeprefix("reason.") for _, key, _ in texts(root) if key.startswith("reason.")}
    codes = {code for code, _ in reasons(root).values()}
    return [
        *(f"{REASONS_FILE}: {code} has no text reason.{code}" for code in sorted(codes - known)),
        *(f"reason.{code} is a text of no reason" for code in sorted(known - codes)),
    ]


def reasons_are_never_reused(root: Path) -> list[str]:
    """A code means one thing; its name says the same."""
    listed = reasons(root)
    codes = [code for code, _ in listed.values()]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    misnamed = [name for name, (code, _) in listed.items() if code != name.lower()]
    return [
        *(f"{REASONS_FILE}: {code} is the code of two reasons" for code in twice),
        *(f"{REASONS_FILE}: {name} must have the code {name.lower()}" for name in misnamed),
    ]


def links_lead_somewhere(root: Path) -> list[str]:
    """Every relative link and picture of our pages."""
    return [
        f"{page.relative_to(root).as_posix()} links to {target}, which is not there"
        for page in _pages(root)
        for found in LINK.finditer(page.read_text("utf-8"))
        if not (page.parent / (target := found[1] or found[2])).exists()
    ]


def named_files_are_there(root: Path) -> list[str]:
    """A file or folder that a page names by its path; decisions are history and may name what has gone."""
    return [
        f"{page.relative_to(root).as_posix()} names {named}, which is not there"
        for page in _pages(root)
        if page.parent.name != "decisions"
        for named in NAMED_FILE.findall(page.read_text("utf-8"))
        if not (root / named).exists()
    ]


def named_tests_are_there(root: Path) -> list[str]:
    """A test that a page names as proof exists, and each row of a page of faults names one."""
    return [
        f"{page.relative_to(root).as_posix()} {trouble}"
        for page in _pages(root)
        for line in page.read_text("utf-8").splitlines()
        for trouble in _of_proofs(root, page, line)
    ]


def _of_proofs(root: Path, page: Path, line: str) -> Iterator[str]:
    named = NAMED_TEST.findall(line)
    for file, name in named:
        source = root / file
        if not source.is_file() or f"def {name}(" not in source.read_text("utf-8"):
            yield f"names {file}::{name}, which is not there"
    is_row = line.startswith("| ") and not line.startswith("| fault |")
    if page.name == FAULTS and is_row and not named:
        yield f"names no test: {line[:40]}"


def _pages(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
