"""The page's files keep to the rules of the house: own words only, strict policy, nothing from elsewhere, small."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.handheld.page.scripted import ROOM

STATIC = ROOM / "static"
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
STYLES = sorted((STATIC / "css").glob("*.css"))
PAGES = sorted((ROOM / "templates").glob("*.html"))
TEXTS = tomllib.loads((ROOM / "texts.toml").read_text("utf-8"))
VENDORED = [STATIC / "vendor", Path(__file__).parent / "vendor"]
MENU = "pda.menu."  # said by the server
LINES_MAX = 420
# Markup from text, code from text, inline styles (the policy forbids them), and what plain HTTP does not have.
RISKY = ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", ".style.", "randomUUID(", "serviceWorker")
# Names that scripts put together: count_should, state_held ...
MADE = {f"pda.count_{name}" for name in ("should", "done", "left", "short")} | {
    f"pda.state_{name}" for name in ("waiting", "held", "conflict")
}


def said() -> set[str]:
    """Every text a script names, by `say("x")`, by `local(level, "x")` with its "x_do", or in a list of names."""
    source = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    names = set(re.findall(r'"((?:test\.)?[a-z]+(?:_[a-z]+)*)"', source))
    local = set(re.findall(r'local\("\w+", "(\w+)"', source))
    return {f"pda.{name}" for name in names | {f"{name}_do" for name in local}} | MADE


def test_every_text_is_used_and_stands_in_both_languages() -> None:
    own = {key for key in TEXTS if key.startswith("pda.") and not key.startswith(MENU)}
    assert own - said() == set()
    assert all(set(words) == {"zh", "en"} for words in TEXTS.values())


def test_every_text_that_is_said_is_written() -> None:
    source = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    wanted = set(re.findall(r'say\("([\w.]+)"', source)) | set(re.findall(r'hint: "(\w+)"', source))
    local = set(re.findall(r'local\("\w+", "(\w+)"', source))
    assert {f"pda.{name}" for name in wanted | local | {f"{name}_do" for name in local}} - set(TEXTS) == set()


def test_both_languages_take_the_same_facts() -> None:
    for key, words in TEXTS.items():
        assert set(re.findall(r"\{(\w+)\}", words["zh"])) == set(re.findall(r"\{(\w+)\}", words["en"])), key


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_has_no_inline_script_or_style_and_preloads_what_it_imports(page: Path) -> None:
    html = page.read_text("utf-8")
    assert "style=" not in html
    assert "<style" not in html
    assert not re.search(r"<script(?![^>]*src=)", html)
    assert not re.search(r"\son\w+=", html)
    entry = re.search(r'type="module" src="/pda/static/js/(\w+\.js)"', html)
    assert entry
    preloaded = set(re.findall(r'rel="modulepreload" href="/pda/static/(.+?)"', html))
    assert preloaded == imported(entry[1]) - {f"js/{entry[1]}"}


def imported(name: str) -> set[str]:
    """All modules that a script pulls in, by their place in `static/`."""
    found, open_ends = set(), [STATIC / "js" / name]
    while open_ends:
        path = open_ends.pop()
        place = path.relative_to(STATIC).as_posix()
        if place in found:
            continue
        found.add(place)
        if "vendor" not in place:
            open_ends += [
                (path.parent / one).resolve() for one in re.findall(r'from "(\.[^"]+)"', path.read_text("utf-8"))
            ]
    return found


@pytest.mark.parametrize("path", SCRIPTS + STYLES, ids=lambda path: path.name)
def test_a_file_is_small_says_what_it_is_for_and_reaches_for_nothing_outside(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= LINES_MAX
    assert source.startswith(("//", "/*"))
    assert set(re.findall(r"https?://[^\s\"']+", source)) <= {"http://www.w3.org/2000/svg"}
    for risky in RISKY:
        assert risky not in source, risky


@pytest.mark.parametrize("folder", VENDORED, ids=["product", "tests"])
def test_what_is_vendored_is_unchanged_and_has_its_licence(folder: Path) -> None:
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines())
    here = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*")}
    assert set(sums) == set(here)
    assert {place: hashlib.sha256(path.read_bytes()).hexdigest() for place, path in here.items()} == sums
    assert {place.split("/")[0] for place in here} == {
        place.split("/")[0] for place in here if place.endswith("LICENSE")
    }
