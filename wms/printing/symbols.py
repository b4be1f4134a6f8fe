"""Bar codes and matrix codes as modules: content in, a picture of one dot per module out.

Standards: Code 128 ISO/IEC 15417, GS1-128 and GS1 DataMatrix GS1 General Specifications, Data Matrix ISO/IEC 16022,
QR Code ISO/IEC 18004. Encoding is done by zint and segno; sizes and quiet zones are ours.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

import segno
import zint
from PIL import Image

from wms.core.refusal import Reason, Refused

CONTENT_LENGTH_MAX = 128
SYMBOLS_KEPT = 256


class Kind(StrEnum):
    CODE_128 = "code_128"
    GS1_128 = "gs1_128"
    DATA_MATRIX = "data_matrix"
    GS1_DATA_MATRIX = "gs1_data_matrix"
    QR = "qr"


LINEAR = frozenset({Kind.CODE_128, Kind.GS1_128})
GS1 = frozenset({Kind.GS1_128, Kind.GS1_DATA_MATRIX})

# Modules that must stay white on every side (linear codes: left and right only).
QUIET_MODULES = {Kind.CODE_128: 10, Kind.GS1_128: 10, Kind.DATA_MATRIX: 2, Kind.GS1_DATA_MATRIX: 2, Kind.QR: 4}

_ZINT = {
    Kind.CODE_128: zint.Symbology.CODE128,
    Kind.GS1_128: zint.Symbology.GS1_128,
    Kind.DATA_MATRIX: zint.Symbology.DATAMATRIX,
    Kind.GS1_DATA_MATRIX: zint.Symbology.DATAMATRIX,
}


@lru_cache(maxsize=SYMBOLS_KEPT)
def modules(kind: Kind, content: str) -> Image.Image:
    """The symbol, one dot per module, mode "1", black 0, without quiet zone. Linear codes are one dot high.

    `content` is printable ASCII, 1 to 128 characters; GS1 kinds take element strings as "[01]...[10]...". Anything else
    is refused with CODE_UNPRINTABLE.
    """
    if not 1 <= len(content) <= CONTENT_LENGTH_MAX:
        raise _unprintable(kind, f"a code holds 1 to {CONTENT_LENGTH_MAX} characters, not {len(content)}")
    if not all(" " <= character <= "~" for character in content):
        raise _unprintable(kind, "only printable ASCII may become a code")
    return _qr(content) if kind is Kind.QR else _zint(kind, content)


def _qr(content: str) -> Image.Image:
    # make() might choose a Micro QR code, which many hand scanners do not read.
    symbol = segno.make_qr(content, error="m", boost_error=False)
    return _picture([[bool(module) for module in row] for row in symbol.matrix])


def _zint(kind: Kind, content: str) -> Image.Image:
    symbol = zint.Symbol()
    symbol.symbology = _ZINT[kind]
    symbol.warn_level = zint.WarningLevel.FAIL_ALL  # a wrong check digit is only a warning to zint
    if kind in GS1:
        symbol.input_mode = zint.InputMode.GS1
    if kind not in LINEAR:
        symbol.option_3 = int(zint.DataMatrixOptions.SQUARE)
    try:
        symbol.encode(content)
    except (ValueError, RuntimeError) as error:
        raise _unprintable(kind, str(error)) from error
    rows = symbol.encoded_data  # least significant bit first
    return _picture([[bool(rows[y, x // 8] >> (x % 8) & 1) for x in range(symbol.width)] for y in range(symbol.rows)])


def _unprintable(kind: Kind, why: str) -> Refused:
    return Refused(Reason.CODE_UNPRINTABLE, kind=kind.value, why=why)


def _picture(rows: list[list[bool]]) -> Image.Image:
    picture = Image.new("1", (len(rows[0]), len(rows)), 255)
    picture.putdata([0 if black else 255 for row in rows for black in row])
    return picture
