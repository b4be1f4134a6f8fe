"""Files become merchants, slots, stock and orders; a file is taken whole or not at all, and every bad row is named."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from tests import builders
from tests.exchange.lists import a_known_park, importer, refused
from wms.catalog import queries as catalog
from wms.cli import main
from wms.core.db import Database
from wms.exchange.files import KINDS, BadRows, import_rows
from wms.exchange.tables_in_files import BadFile, Row, read_rows
from wms.inbound.tables import AsnLine
from wms.ledger.tables import Stock
from wms.outbound.tables import Order, OrderLine
from wms.shipping.tables import Courier, RouteRule, WaybillPool

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "import.md"
EXAMPLE = re.compile(r"^`(\w+)\.csv`\n```csv\n(.*?)```", re.MULTILINE | re.DOTALL)
GOODS = "merchant,code,name\nM1,S1,山核桃\n"


@pytest.fixture
def park(database: Database) -> builders.Park:
    return a_known_park(database)


def count(park: builders.Park, column: Any) -> int:
    return park.read(lambda session: int(session.execute(select(func.count(column))).scalar_one()))


def written(tmp_path: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def workbook(tmp_path: Path, *rows: list[Any], name: str = "file.xlsx") -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / name)
    return tmp_path / name


# --- reading files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_the_encodings_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    rows = read_rows(written(tmp_path, GOODS.encode(encoding)))
    assert rows == [Row(2, {"merchant": "M1", "code": "S1", "name": "山核桃"})]


def test_gzipped_csv_is_read_whatever_its_name_is(tmp_path: Path) -> None:
    assert read_rows(written(tmp_path, gzip.compress(GOODS.encode())))[0].cells["name"] == "山核桃"


def test_a_workbook_reads_like_the_csv_of_it(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["Code", "barcodes", "quantity", "cut_offs"], ["S1", 6901234567892, 6.0, time(16, 0)])
    expected = {"code": "S1", "barcodes": "6901234567892", "quantity": "6", "cut_offs": "16:00"}
    assert read_rows(path) == [Row(2, expected)]


def test_rows_keep_the_numbers_a_person_sees_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, "code,name,,\nA,x,,\n,,,\nB,y,,\n"))
    assert [(row.number, row.cells["code"]) for row in rows] == [(2, "A"), (4, "B")]


@pytest.mark.parametrize(
    ("cell", "text"),
    [("'690123", "690123"), ('="007"', "007"), ("'=1+1", "=1+1"), ("'t Hof", "'t Hof"), ("=1+1", "=1+1")],
)
def test_what_spreadsheets_put_around_a_text_is_taken_off_and_nothing_is_computed(
    tmp_path: Path, cell: str, text: str
) -> None:
    path = written(tmp_path, 'code,name\nA,"' + cell.replace('"', '""') + '"\n')
    assert read_rows(path)[0].cells["name"] == text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"code,code\nA,B\n", "same name"),
        (b"code,,name\nA,B,C\n", "no name"),
        ("code,name\n".encode("utf-16"), "UTF-16"),
        (b"\xff\xff\xff\xff", "neither UTF-8 nor GB18030"),
        (b'code,name\n"A,b\n', "not CSV"),
        (b"\x1f\x8b\x08\x00broken", "damaged gzip"),
        (gzip.compress(GOODS.encode(), mtime=0)[:-6], "damaged gzip"),
        (b"PK\x03\x04 not really", "XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=re.escape(why)):
        read_rows(written(tmp_path, content))


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/big.xml", "w") as part:
        for _ in range(210):
            part.write(b"\0" * 1024 * 1024)
    with pytest.raises(BadFile, match="200 MB"):
        read_rows(written(tmp_path, packed.getvalue()))


def test_rows_that_cannot_be_read_are_named_with_their_trouble(tmp_path: Path, park: builders.Park) -> None:
    path = written(
        tmp_path, 'code,name\nA,"two\nlines"\nB,x,y\nC,' + "x" * 2_001 + "\nD,#REF!\nE,\x1b[31mred\nF,fine\n"
    )
    with pytest.raises(BadRows) as found:
        park.act(lambda call: import_rows(call, "merchants", read_rows(path)))
    said = dict(found.value.rows)
    assert sorted(said) == [2, 3, 4, 5, 6]
    assert "control character" in said[2]
    assert "3 cells" in said[3]
    assert "2000 at most" in said[4]
    assert "#REF!" in said[5]
    assert "control character" in said[6]


# --- what rows mean


def test_the_examples_of_the_guide_import_into_an_empty_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = EXAMPLE.findall(GUIDE.read_text("utf-8"))
    assert sorted(kind for kind, _table in examples) == sorted(KINDS)
    db = str(tmp_path / "own.db")
    assert main(["db", "upgrade", "--db", db]) == 0
    for kind, table in examples:
        path = written(tmp_path, table, f"{kind}.csv")
        assert main(["import", kind, str(path), "--dry-run", "--db", db]) == 0, capsys.readouterr().err
        assert main(["import", kind, str(path), "--db", db]) == 0, capsys.readouterr().err
    assert main(["audit", "--db", db]) == 0
    assert "D-20261107" not in capsys.readouterr().err


def test_the_guide_names_every_column_of_every_kind() -> None:
    guide = GUIDE.read_text("utf-8")
    sections = {part.partition("\n")[0].strip(): part for part in guide.split("\n## ")}
    for name, kind in KINDS.items():
        missing = [column for column in (*kind.needed, *kind.known) if column not in sections[name]]
        assert not missing, f"{name}: {missing}"


def test_merchants_and_skus_are_listed_with_all_their_columns(park: builders.Park) -> None:
    importer(park)(
        "skus",
        "merchant,code,name,barcodes,unit,weight_g,shelf_life_days,lot_tracked",
        "M1,S9,核桃仁,6901234567892；6901234567908,袋,6.0,240,是",
    )
    found = park.read(lambda session: catalog.skus_by_barcode(session, park.warehouse_id, "6901234567908"))
    assert [(one.sku.code, one.sku.weight_g, one.sku.shelf_life_days, one.sku.lot_tracked) for one in found] == [
        ("S9", 6, 240, True)
    ]


def test_every_bad_row_is_named_and_nothing_is_imported(park: builders.Park) -> None:
    bad = refused(
        park,
        "skus",
        "merchant,code,name,weight_g",
        "M1,N1,good,1",
        "M1,N2,half a gram,0.5",
        "M1,N3,,1",
        "M9,N4,nobody's,1",
        "M1,N5,too heavy,1e400",
        "M1,N6,minus,-1",
        "M1,S1,known,1",
        "M1,N7,not a number,nan",
    )
    assert [number for number, _what in bad] == [3, 4, 5, 6, 7, 8, 9]
    said = dict(bad)
    assert "weight_g" in said[3]
    assert said[4] == "name is empty"
    assert "M9" in said[5]
    assert "between 0 and" in said[7]
    assert not park.read(lambda session: catalog.skus_by_code(session, park.warehouse_id, 1, ["N1"]))


def test_a_missing_and_an_unknown_column_are_named(park: builders.Park) -> None:
    assert "the column name is missing" in refused(park, "merchants", "code", "M3")[0][1]
    assert "unknown column colour" in refused(park, "merchants", "code,name,colour", "M3,x,red")[0][1]


def test_hostile_texts_stay_texts(park: builders.Park) -> None:
    hostile = "=cmd|' /C calc'!A0 <script> '; DROP TABLE sku; -- {0} %s"
    importer(park)("merchants", "code,name", f"M3,{hostile}")
    found = park.read(lambda session: catalog.merchant_by_code(session, park.warehouse_id, "M3"))
    assert found.name == hostile


def test_stock_lies_in_its_slot_and_the_ledger_knows_where_it_came_from(park: builders.Park) -> None:
    importer(park)(
        "stock", "merchant,sku,slot,quantity", "M1,S1,A01-01-1A,12", "M1,S1,A01-01-1A,3", "M1,S2,A01-02-1A,2"
    )
    on_hand = park.read(
        lambda session: sorted(session.execute(select(Stock.on_hand).where(Stock.on_hand > 0)).scalars())
    )
    assert on_hand == [2, 15]


def test_stock_obeys_the_slots_rules(park: builders.Park) -> None:
    bad = refused(
        park,
        "stock",
        "merchant,sku,slot,quantity",
        "M1,S2,A01-01-1A,40",
        "M1,S2,A01-01-1A,40",
        "M2,T1,A01-01-1A,1",
        "M1,S1,Z99-01-1A,1",
        "M1,NONE,A01-01-1B,1",
        "M1,S1,A01-01-1B,0",
    )
    assert [number for number, _what in bad] == [3, 4, 5, 6, 7]


def test_rows_with_one_number_are_one_arrival_or_order(park: builders.Park) -> None:
    importer(park)("asn", "merchant,no,sku,quantity", "M1,A1,S1,5", "M1,A2,S1,1", "M1,A1,S2,7")
    lines = park.read(lambda session: session.execute(select(AsnLine.asn_id, AsnLine.expected)).all())
    assert sorted(line.expected for line in lines) == [1, 5, 7]
    assert len({line.asn_id for line in lines}) == 2
    importer(park)(
        "orders",
        "merchant,no,courier,sku,quantity,placed_at,name,area_code",
        "M1,D1,YUNDA,S1,1,2026-11-07 10:00,王敏,330106",
        "M1,D1,YUNDA,S1,2,,,",
        "M1,D1,YUNDA,S2,1,,,",
    )
    order = park.read(lambda session: session.scalars(select(Order)).one())
    assert (order.receiver_name, order.cut_off_at.isoformat()) == ("王敏", "2026-11-07T08:00:00+00:00")
    assert park.read(lambda session: sorted(session.scalars(select(OrderLine.quantity)))) == [1, 3]


def test_each_bad_row_of_an_order_is_named_not_only_its_first(park: builders.Park) -> None:
    bad = refused(
        park,
        "orders",
        "merchant,no,courier,sku,quantity,name",
        "M1,D1,YUNDA,S1,1,王敏",
        "M1,D1,YUNDA,NONE,1,王敏",
        "M1,D2,YUNDA,S1,0,王敏",
        "M1,D2,YUNDA,S2,x,王敏",
        "M1,D3,YUNDA,S1,1,王敏",
        "M1,D3,YUNDA,S2,1,李强",
        "M1,D4,NOBODY,S1,1,王敏",
        "M2,D5,YUNDA,S1,1,王敏",
    )
    assert [number for number, _what in bad] == [3, 4, 5, 7, 8, 9]
    assert count(park, Order.id) == 0


def test_couriers_bring_their_numbers_and_routes_their_areas(park: builders.Park) -> None:
    importer(park)("couriers", "code,name,cut_offs,prefix,first,last", "SF,顺丰,20:30,SF1,000000000001,000000004999")
    pool = park.read(lambda session: session.scalars(select(WaybillPool)).one())
    assert (pool.prefix, pool.digits, pool.first, pool.last) == ("SF1", 12, 1, 4999)
    importer(park)("routes", "courier,area,route_code,hub", "SF,3301,571,杭州", "SF,,025,南京")
    assert count(park, RouteRule.id) == 2
    bad = refused(park, "routes", "courier,area,route_code,hub", "SF,33012,571,杭州", "XX,,1,A", "SF,,9,B")
    assert [number for number, _what in bad] == [2, 3, 4]
    bad = refused(park, "couriers", "code,name,cut_offs", "JD,京东,25:00", "JD,京东,", "YUNDA,韵达,16:00")
    assert [number for number, _what in bad] == [2, 3, 4]
    assert count(park, Courier.id) == 2
