"""Order files of others: read as they stand, or refused with the row."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from wms.cli import main
from wms.demo.order_file import COLUMNS, BadOrders, plan_from, read_map, read_orders

HEADER = "InvoiceNo,StockCode,InvoiceDate,qty,price\n"
ROWS = (
    "536365,85123A,2010-12-01 08:26,6.0,2.55\n"
    "536365,71053,2010-12-01 08:26,6,3.39\n"
    "536366,85123A,2010-12-01 08:28,384,1.85\n"
    "536365,85123A,2010-12-01 08:26,2,2.55\n"
    "536999,22752,2010-12-02 09:00,1,7.65\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + ROWS, "utf-8")
    return path


def with_row(file: Path, row: str) -> Path:
    file.write_text(HEADER + ROWS + row + "\n", "utf-8")
    return file


def test_the_first_days_of_a_file_are_chosen_by_its_own_dates(file: Path) -> None:
    assert {line.order for line in read_orders(file, COLUMNS, 1)} == {"536365", "536366"}
    assert {line.order for line in read_orders(file, COLUMNS, 2)} == {"536365", "536366", "536999"}
    assert len(read_orders(file, COLUMNS, None)) == 5


def test_a_packed_file_reads_like_a_plain_one(file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_orders(packed, COLUMNS, None) == read_orders(file, COLUMNS, None)


def test_lines_of_one_order_and_sku_are_one_line(file: Path) -> None:
    plan = plan_from(read_orders(file, COLUMNS, 1), 1)
    by_no = {order.no: dict(order.lines) for order in plan.orders}
    assert by_no == {"536365": {"85123A": 8, "71053": 6}, "536366": {"85123A": 384}}


def test_the_same_file_and_seed_plan_the_same_day(file: Path) -> None:
    lines = read_orders(file, COLUMNS, None)
    assert plan_from(lines, 3) == plan_from(lines, 3)
    assert plan_from(lines, 3) != plan_from(lines, 4)


def test_stock_is_made_for_all_that_is_ordered_and_the_plan_says_what_was_made_up(file: Path) -> None:
    plan = plan_from(read_orders(file, COLUMNS, None), 1)
    there = Counter({lot.sku: lot.quantity for lot in plan.lots})
    assert there["85123A"] >= 392
    assert "addresses" in plan.made_up


def test_other_columns_are_named_by_map(tmp_path: Path) -> None:
    path = tmp_path / "others.csv"
    path.write_text("No,Item,When,Pieces\n1,A,2026-01-05,2\n", "utf-8")
    names = read_map("order=No,sku=Item,time=When,quantity=Pieces")
    assert [(line.order, line.sku, line.quantity) for line in read_orders(path, names, None)] == [("1", "A", 2)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("536999,22752,2010-12-02 09:00,-1,7.65", "qty -1 is not a whole number"),
        ("536999,22752,2010-12-02 09:00,0,7.65", "qty 0 is not a whole number"),
        ("536999,22752,2010-12-02 09:00,1.5,7.65", "qty 1.5 is not a whole number"),
        ("536999,22752,2010-12-02 09:00,nan,7.65", "qty nan is not a whole number"),
        ("536999,22752,2010-12-02 09:00,inf,7.65", "qty inf is not a whole number"),
        ("536999,22752,2010-12-02 09:00,many,7.65", "many"),
        ("536999,22752,02.12.2010,1,7.65", "02.12.2010"),
        ("536999,,2010-12-02 09:00,1,7.65", "StockCode is empty"),
        ("536999,22752,yesterday,1,7.65", "InvoiceDate 'yesterday' is no moment such as 2010-12-01 08:26:00"),
        ("536999,22752,2010-12-02 09:00,a few,7.65", "qty 'a few' is no number"),
        ("536999", "StockCode, InvoiceDate, qty is empty"),
        (f"{'9' * 41},22752,2010-12-02 09:00,1,7.65", "InvoiceNo is longer than 40"),
    ],
)
def test_a_bad_row_is_named(file: Path, row: str, says: str) -> None:
    with pytest.raises(BadOrders) as bad:
        read_orders(with_row(file, row), COLUMNS, None)
    assert "row 7" in str(bad.value)
    assert says in str(bad.value)


def test_a_missing_column_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("InvoiceNo,InvoiceDate,qty\n1,2010-12-01,1\n", "utf-8")
    with pytest.raises(BadOrders, match=r"no column StockCode; name others with --map"):
        read_orders(path, COLUMNS, None)


def test_a_map_of_an_unknown_field_is_refused() -> None:
    with pytest.raises(BadOrders, match="--map colour=C"):
        read_map("colour=C")


@pytest.mark.parametrize("content", [b"", HEADER.encode(), b"\xff\xfe\x00InvoiceNo"])
def test_an_empty_or_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(BadOrders):
        read_orders(path, COLUMNS, None)


def test_a_packed_file_that_was_cut_off_is_refused(file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes())[:-20])
    with pytest.raises(BadOrders, match="cannot be read"):
        read_orders(packed, COLUMNS, None)


def test_the_command_says_it_in_one_line_and_exits_with_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = with_row(file, "536999,22752,2010-12-02 09:00,-3,7.65")
    assert main(["demo", "--no-serve", "--orders", str(bad)]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "row 7" in said


@pytest.mark.parametrize(
    "options",
    [["--days", "2"], ["--days", "0", "--orders", "x.csv"], ["--count", "3"], ["--count", "20", "--orders", "x.csv"]],
)
def test_options_that_contradict_are_refused_with_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-serve", *options]) == 2
    assert capsys.readouterr().err.startswith("wms: --")


def test_a_file_that_is_not_there_is_refused_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-serve", "--orders", "nowhere.csv"]) == 2
    assert "no such order file" in capsys.readouterr().err
