"""The rules of the house hold, and each of them notices when it is broken.

Every rule has a twin below: a small piece of source that breaks it on purpose, in a tree of its own. A rule without a
twin fails; so does a twin that its rule does not notice.
"""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import reference
from tests.house import pages, rooms, shape

ROOT = Path(__file__).resolve().parent.parent
Rule = Callable[[Path], list[str]]

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        rooms.only_the_ledger_writes_stock,
        rooms.flask_stays_at_the_edge,
        rooms.rules_and_plans_are_pure,
        rooms.rooms_get_the_time_with_each_call,
        rooms.digits_are_decimal,
        rooms.files_of_a_room_know_their_place,
        shape.files_are_short,
        shape.functions_are_short,
        shape.tables_stand_in_tables,
        shape.every_row_knows_its_warehouse,
        shape.constraints_have_names,
        shape.nothing_is_left_unfinished,
        shape.every_test_is_collected,
        shape.tests_do_not_pretend,
        pages.texts_speak_both_languages,
        pages.no_text_stands_twice,
        pages.used_texts_exist,
        pages.every_reason_has_words,
        pages.reasons_are_never_reused,
        pages.links_lead_somewhere,
        pages.named_files_are_there,
        pages.named_tests_are_there,
    )
}

REASON = 'class Reason(str):\n    GONE = ("gone", 404)\n    LATE = ("late", 409)\n'
WORDS = '"reason.gone" = { zh = "没了", en = "Gone" }\n"reason.late" = { zh = "迟了", en = "Late" }\n'
ROW = "class Tote(Base):\n    __tablename__ = 'tote'\n    id: Mapped[int]\n"
HOLD = "from wms.ledger.tables import Hold\n"
LONG_BODY = "    pass\n" * 60

# rule -> (file, source that breaks it), several where there are several ways.
BROKEN: list[tuple[str, str, str]] = [
    ("only_the_ledger_writes_stock", "wms/picking/service.py", "from wms.ledger.tables import Stock as S\nS(on=1)"),
    ("only_the_ledger_writes_stock", "wms/picking/service.py", "from wms.ledger import tables\ntables.Hold(a=1)"),
    (
        "only_the_ledger_writes_stock",
        "wms/demo/build.py",
        "from wms.ledger.tables import Hold\nrun(delete(Hold))",
    ),
    (
        "only_the_ledger_writes_stock",
        "wms/demo/build.py",
        "from wms.ledger.tables import Stock\nStock.__table__.update()",
    ),
    ("only_the_ledger_writes_stock", "wms/demo/build.py", "s.execute(text('update stock set on_hand = 1'))"),
    ("only_the_ledger_writes_stock", "wms/counting/service.py", "row.on_hand += 1"),
    (
        "only_the_ledger_writes_stock",
        "wms/demo/b.py",
        f"{HOLD}t = table_of(Hold)\ninsert(t)",
    ),
    (
        "only_the_ledger_writes_stock",
        "wms/demo/b.py",
        f"{HOLD}r = s.get(Hold, 1)\ns.delete(r)",
    ),
    ("flask_stays_at_the_edge", "wms/picking/service.py", "from flask import request"),
    ("flask_stays_at_the_edge", "wms/core/call.py", "def f():\n    import flask_login"),
    ("rules_and_plans_are_pure", "wms/inbound/rules.py", "from sqlalchemy import select"),
    ("rules_and_plans_are_pure", "wms/inbound/rules.py", "from wms.core.db import Database"),
    ("rules_and_plans_are_pure", "wms/inbound/rules/life.py", "from wms.core import clock"),
    ("rules_and_plans_are_pure", "wms/optimise/twin.py", "import random\nrandom.shuffle([])"),
    ("rules_and_plans_are_pure", "wms/optimise/twin.py", "rng = np.random.default_rng()"),
    ("rules_and_plans_are_pure", "wms/optimise/twin.py", "began = time.time()"),
    ("rooms_get_the_time_with_each_call", "wms/work/service.py", "now = datetime.now(UTC)"),
    ("digits_are_decimal", "wms/work/rules.py", "number = int(text) if text.isdigit() else 0"),
    ("files_of_a_room_know_their_place", "wms/work/tables.py", "from wms.work.service import claim"),
    ("files_of_a_room_know_their_place", "wms/work/service.py", "from . import pages"),
    ("files_are_short", "wms/work/service.py", "a = 1\n" * 401),
    ("functions_are_short", "wms/work/service.py", f"class A:\n  def f():\n{LONG_BODY}"),
    ("tables_stand_in_tables", "wms/packing/service.py", ROW),
    ("every_row_knows_its_warehouse", "wms/packing/tables.py", ROW),
    ("constraints_have_names", "wms/packing/tables.py", "CheckConstraint('a > 0')"),
    ("nothing_is_left_unfinished", "wms/packing/rules.py", "a = 1  # TODO weigh it"),
    ("nothing_is_left_unfinished", "devices/scale.py", "    # FIXME: kilograms"),
    ("every_test_is_collected", "tests/packing/scales.py", "def test_a_scale(): ..."),
    ("every_test_is_collected", "tests/packing/test_scales.py", "a = 1"),
    ("tests_do_not_pretend", "tests/packing/test_scales.py", "from unittest import mock"),
    ("texts_speak_both_languages", "wms/work/texts.toml", '"a.b" = { zh = "甲" }'),
    ("texts_speak_both_languages", "wms/work/texts.toml", '"a.b" = { zh = "", en = "A" }'),
    ("texts_speak_both_languages", "wms/work/texts.toml", '"a.b" = { zh = "{n} 件", en = "{count} pieces" }'),
    ("no_text_stands_twice", "wms/work/texts.toml", WORDS),
    ("used_texts_exist", "wms/work/dialogue.py", "turn.say('work.no_such_key')"),
    ("every_reason_has_words", "wms/core/refusal.py", REASON + '    ODD = ("odd", 409)\n'),
    ("reasons_are_never_reused", "wms/core/refusal.py", REASON + '    GONE_AWAY = ("gone", 404)\n'),
    ("links_lead_somewhere", "docs/guide/first.md", "see [the map](../map.md)"),
    ("named_tests_are_there", "docs/guide/x.md", "`tests/core/test_x.py::test_y`"),
    ("named_tests_are_there", "docs/guide/when-things-break.md", "| the sky falls | nothing | duck | surely |"),
    ("named_files_are_there", "docs/guide/first.md", "look into `wms/picking/walks.py`"),
    ("links_lead_somewhere", "docs/guide/first.md", '<img alt="" src="terminal.png">'),
]

# What the same rules must let pass.
LAWFUL: list[tuple[str, str, str]] = [
    ("only_the_ledger_writes_stock", "wms/ledger/service.py", "from wms.ledger.tables import Stock\nStock(on=1)"),
    ("only_the_ledger_writes_stock", "wms/picking/queries.py", "from wms.ledger.tables import Stock\nselect(Stock.id)"),
    ("only_the_ledger_writes_stock", "wms/picking/service.py", "s.execute(update(Task)); row.state = 'done'"),
    ("only_the_ledger_writes_stock", "wms/picking/queries.py", "sql = 'SELECT 1 FROM stock -- no update of stocks'"),
    ("flask_stays_at_the_edge", "wms/picking/api.py", "from flask import request"),
    ("flask_stays_at_the_edge", "wms/picking/pages/walk.py", "from flask import request"),
    ("rules_and_plans_are_pure", "wms/inbound/rules.py", "from wms.core.refusal import Refused"),
    ("rules_and_plans_are_pure", "wms/optimise/twin.py", "rng = np.random.default_rng(7); began = time.monotonic()"),
    ("rooms_get_the_time_with_each_call", "wms/core/clock.py", "now = datetime.now(UTC)"),
    ("files_of_a_room_know_their_place", "wms/work/service.py", "from wms.work.rules import a"),
    ("files_are_short", "wms/work/service.py", "a = 1\n" * 400),
    ("functions_are_short", "wms/work/service.py", f'def f():\n    """A\n\n    word."""\n{LONG_BODY[:-9]}'),
    ("every_row_knows_its_warehouse", "wms/packing/tables.py", ROW + "    warehouse_id: Mapped[int]\n"),
    ("constraints_have_names", "wms/packing/tables.py", "CheckConstraint('a > 0', name='positive')"),
    ("named_files_are_there", "docs/guide/first.md", "look into `wms/core/refusal.py` and `scan.py`"),
    ("links_lead_somewhere", "docs/guide/first.md", "see [the map](https://example.org/map.md) and [below](#below)"),
]


def house(root: Path, path: str, source: str) -> Path:
    """The smallest lawful house, with one file of ours in it."""
    lawful = {"wms/core/refusal.py": REASON, "wms/core/texts.toml": WORDS, "docs/index.md": ""}
    for name, content in {**lawful, path: source}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, "utf-8")
    return root


def sentences_on(rule: str, root: Path, path: str) -> list[str]:
    """What the rule says about this file (exceptions that are excused in the real house are not at hand here)."""
    named = path.removesuffix(".py") if rule == "every_reason_has_words" else path
    return [sentence for sentence in RULES[rule](root) if named in sentence]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps(rule: str) -> None:
    broken = RULES[rule](ROOT)
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(("rule", "path", "source"), BROKEN)
def test_a_rule_notices_when_it_is_broken(rule: str, path: str, source: str, tmp_path: Path) -> None:
    assert sentences_on(rule, house(tmp_path, path, source), path)


@pytest.mark.parametrize(("rule", "path", "source"), LAWFUL)
def test_a_rule_lets_lawful_source_pass(rule: str, path: str, source: str, tmp_path: Path) -> None:
    assert not sentences_on(rule, house(tmp_path, path, source), path)


def test_every_rule_is_listed_and_has_a_twin() -> None:
    written = {
        name
        for module in (rooms, shape, pages)
        for name, thing in inspect.getmembers(module, inspect.isfunction)
        if thing.__module__ == module.__name__ and str(inspect.signature(thing)) == "(root: 'Path') -> 'list[str]'"
    }
    assert written == set(RULES) == {rule for rule, _, _ in BROKEN}


def test_exceptions_are_argued() -> None:
    of_shape = (shape.LONG_FILES, shape.LONG_FUNCTIONS, shape.WITHOUT_WAREHOUSE)
    for excused in (*of_shape, rooms.WALL_CLOCK_FILES, rooms.BYTES_FILES):
        assert all(len(reason.split()) >= 3 for reason in excused.values())


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """The arrow of the house, checked in `root`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_rooms_import_only_upstream() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("wms/ledger/service.py", "import wms.picking", "Downstream knows upstream, never the reverse"),
        ("wms/core/web.py", "from wms import terminal", "Downstream knows upstream, never the reverse"),
        ("wms/annex/service.py", "import wms.core", "Downstream knows upstream, never the reverse"),
        ("devices/outbox.py", "from wms.core import clock", "The gateway imports nothing of the warehouse"),
        ("wms/demo/build.py", "import devices", "The warehouse imports nothing of the gateway"),
    ],
)
def test_an_import_against_the_arrow_is_noticed(path: str, line: str, contract: str, tmp_path: Path) -> None:
    for made in [*ROOT.glob("wms/*/__init__.py"), ROOT / "wms/__init__.py", ROOT / "devices/__init__.py"]:
        (tmp_path / made.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made.relative_to(ROOT)).write_text("")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).parent.joinpath("__init__.py").touch()
    (tmp_path / path).write_text(line)
    checked = lint_imports(tmp_path)
    assert checked.returncode == 1
    assert f"{contract} BROKEN" in checked.stdout


def test_generated_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_stale_or_missing_page_is_noticed_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reasons.md").write_text("yesterday's reasons")
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    assert reference.main() == 1
    told = capsys.readouterr().err
    assert "reasons.md" in told
    assert "settings.md" in told
    monkeypatch.setattr(sys, "argv", ["reference.py"])
    assert reference.main() == 0
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    assert reference.main() == 0
    assert {path.name for path in tmp_path.iterdir()} == set(reference.PAGES)
