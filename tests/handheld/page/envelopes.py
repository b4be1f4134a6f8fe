"""Envelopes as the PDA gets them, with the invented goods of the design: what the scripted server plays."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SLOT = "B12-07-3"
CHRYSANTHEMUM = "6901234124417"
WRONG_ONE = "6901234124147"
TOTE = "T-0418"

PICK_WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "title": "边拣边播",
        "status": [("车", "C-07"), ("截单", "16:00 剩 1:28")],
        "prompts": {"slot": "扫储位", "sku": "扫商品", "tote": "扫周转箱"},
        "pips": ["储位", "商品", "箱"],
        "go": "去",
        "take": "拿 · 云岭茶铺",
        "put": "放",
        "words": "B 区 12 巷 · 右侧 · 第 3 层",
        "name": "高山贡菊 50 g 罐装",
        "lines": ["批次 260903", "到期 2027-03-02"],
        "unit": "罐",
        "counts": ["应拣", "已拣", "剩", "缺"],
        "tote": "4 号位 T-0418",
        "next": ("下一站", "还有 11 站 · 23 件"),
        "keys": ["缺货", "跳过", "撤销", "更多"],
        "wrong": ("商品不对", "放回去，再扫尾号 4417 的", "贡菊 50 g", "贡菊 100 g"),
    },
    "en": {
        "title": "Cluster pick",
        "status": [("Cart", "C-07"), ("Cut-off", "16:00, left 1:28")],
        "prompts": {"slot": "Scan slot", "sku": "Scan item", "tote": "Scan tote"},
        "pips": ["Slot", "Item", "Tote"],
        "go": "Go",
        "take": "Take · Cloud Ridge Tea",
        "put": "Put",
        "words": "Zone B aisle 12 · right side · level 3",
        "name": "Mountain chrysanthemum tea 50 g tin",
        "lines": ["Lot 260903", "Best by 2027-03-02"],
        "unit": "tins",
        "counts": ["Due", "Done", "Left", "Short"],
        "tote": "Place 4 T-0418",
        "next": ("Next", "11 stops · 23 items left"),
        "keys": ["Short", "Skip", "Undo", "More"],
        "wrong": ("Wrong item", "Put it back, scan the one ending 4417", "50 g tin", "100 g tin"),
    },
}


def person(language: str = "zh") -> Json:
    return {"name": "章强", "language": language, "volume": 80, "speech": False}


def envelope(screen: Json, language: str = "zh", **more: Any) -> Json:
    """One whole answer. `more` replaces `work`, `message`, `ahead` or `person`."""
    whole: Json = {"work": {"task": 12, "version": 7}, "message": None, "ahead": [], "person": person(language)}
    return {"screen": screen, **whole, **more}


WALK_MAP: Json = {
    "view": [0, -25, 640, 590],
    "aisles": (
        "M25 540L25 0M51 540L51 0M77 540L77 0M103 540L103 0M129 540L129 0M155 540L155 0M181 540L181"
        " 0M207 540L207 0M233 540L233 0M259 540L259 0M285 540L285 0M311 540L311 0M337 540L337 0M363"
        " 540L363 0M401 540L401 0M451 540L451 0M501 540L501 0M551 540L551 0M589 540L589 0M615 540L6"
        "15 0M25 540L615 540M25 270L615 270M25 0L615 0"
    ),
    "shut": "M207 540L207 270",
    "rest": ("207,140 207,270 129,270 129,340 129,270 77,270 77,465 77,540 259,540 259,500 259,540 363,540"),
    "leg": "259,190 259,270 207,270 207,140",
    "here": [259, 190],
    "there": [207, 140],
}


def pick_screen(step: str = "sku", language: str = "zh", quantity: int = 2) -> Json:
    """Cluster picking at one of its three scans."""
    words = PICK_WORDS[language]
    steps = ["slot", "sku", "tote"]
    at = steps.index(step)
    state = ["done" if place < at else "now" if place == at else "next" for place in range(3)]
    f1, f2, f3, f4 = words["keys"]
    return {
        "dialogue": "cluster_pick",
        "step": f"scan_{step}",
        "token": f"17.{step}",
        "title": words["title"],
        "status": [{"label": label, "value": value} for label, value in words["status"]],
        "prompt": {
            "text": words["prompts"][step],
            "icon": "barcode",
            "pips": [{"label": label, "state": how} for label, how in zip(words["pips"], state, strict=True)],
        },
        "cards": [
            {
                "kind": "location",
                "state": state[0],
                "label": words["go"],
                "code": SLOT,
                "words": words["words"],
                "level": 3,
                "levels": 5,
                "walk_m": 18,
                "map": WALK_MAP if step == "slot" else None,
            },
            {
                "kind": "item",
                "state": state[1],
                "label": words["take"],
                "name": words["name"],
                "tail": "4417",
                "lines": words["lines"],
                "quantity": quantity,
                "unit": words["unit"],
            },
            {"kind": "counts", "should": 3, "done": 1, "left": 2, "short": 0, "labels": words["counts"], "now": "left"},
            {
                "kind": "tote",
                "state": state[2],
                "label": words["put"],
                "text": words["tote"],
                "position": 4,
                "positions": 8,
            },
            {"kind": "next", "label": words["next"][0], "code": "B12-11-2", "walk_m": 8, "tail": words["next"][1]},
        ],
        "input": None,
        "keys": [
            {"key": "F1", "label": f1, "action": "short", "server": False},
            {"key": "F2", "label": f2, "action": "skip", "server": False},
            {"key": "F3", "label": f3, "action": "undo", "server": False},
            {"key": "F4", "label": f4, "action": "more", "server": True},
        ],
    }


def wrong_message(language: str = "zh") -> Json:
    title, text, expected_name, scanned_name = PICK_WORDS[language]["wrong"]
    return {
        "level": "wrong",
        "code": "S7-12",
        "sound": "wrong",
        "title": title,
        "text": text,
        "expected": CHRYSANTHEMUM,
        "scanned": WRONG_ONE,
        "expected_name": expected_name,
        "scanned_name": scanned_name,
        "speech": title,
    }


OK: Json = {"level": "ok", "sound": "ok", "title": "", "text": "", "code": "", "expected": "", "scanned": ""}
DONE: Json = {**OK, "level": "done", "sound": "done", "title": "这一站拣完", "text": "去 B14-02-1"}
ATTENTION: Json = {
    **OK,
    "level": "attention",
    "sound": "attention",
    "code": "S7-31",
    "title": "少拿一罐",
    "text": "订单 1105-88 刚取消，只要 1 罐，放 4 号位",
}
INTERCEPTED: Json = {
    **OK,
    "level": "intercepted",
    "sound": "intercepted",
    "code": "S10-07",
    "title": "拦截，停",
    "text": "别装箱，放到异常口 X-02",
    "scanned": "SF1234567890123",
}


def offline_screen() -> Json:
    """On the way to the next slot, as in the design's offline picture."""
    screen = pick_screen("slot")
    location, item, counts, tote, following = screen["cards"]
    location = {**location, "code": "B14-02-1", "words": "B 区 14 巷 · 左侧 · 第 1 层", "level": 1, "walk_m": 18}
    item = {**item, "label": "拿 · 石桥食品", "name": "笋干礼盒 400 g", "quantity": 1, "unit": "盒"}
    counts = {**counts, "should": 1, "done": 0, "left": 1}
    keys = [*screen["keys"][:3], {"key": "F4", "label": "领任务", "action": "get_work", "server": True}]
    return {**screen, "token": "17.next", "cards": [location, item, counts, tote, following], "keys": keys}


def receive_facts(zh: bool) -> Json:
    """What is known about the lot in hand."""
    lot = ("批次", "产地 0417 村") if zh else ("Lot", "from village 0417")
    best_by = "到期" if zh else "Best by"
    size = ("尺寸", "已有") if zh else ("Size", "known")
    rows = [
        {"label": lot[0], "value": "B261018", "note": lot[1], "good": None},
        {"label": best_by, "value": "2027-08-18", "note": "284 d ≥ 180", "good": True},
        {"label": size[0], "value": "240×160×80 mm", "note": size[1], "good": True},
    ]
    return {"kind": "facts", "rows": rows}


def receive_screen(language: str = "en", counted: int = 36) -> Json:
    """Receiving by scan, one article."""
    zh = language == "zh"
    labels = ["应收", "已收", "剩", "坏"] if zh else ["Due", "Done", "Left", "Bad"]
    return {
        "dialogue": "receive",
        "step": "scan_sku",
        "token": f"9.{counted}",
        "title": "收货" if zh else "Receive",
        "status": [{"label": "", "value": "ASN 1105-031"}, {"label": "", "value": "3 号月台" if zh else "Dock 3"}],
        "prompt": {
            "text": "扫商品" if zh else "Scan item",
            "icon": "barcode",
            "pips": [
                {"label": "ASN", "state": "done"},
                {"label": "商品" if zh else "Item", "state": "now"},
                {"label": "放" if zh else "Put", "state": "next"},
            ],
        },
        "cards": [
            {
                "kind": "text",
                "state": "now",
                "label": "石桥食品 · 第 3 行，共 9 行" if zh else "Stone Bridge Foods · line 3 of 9",
                "title": "笋干 400 g 盒装" if zh else "Dried bamboo shoots 400 g box",
                "text": "扫一次 +1 · 扫整箱 +12" if zh else "Each scan +1 · carton scan +12",
            },
            {
                "kind": "count_big",
                "label": "已点" if zh else "Counted",
                "value": counted,
                "tail": "共 48 盒" if zh else "of 48 boxes",
                "minus": "minus_one",
                "plus": "plus_one",
            },
            {"kind": "counts", "should": 48, "done": counted, "left": 48 - counted, "short": 0, "labels": labels},
            receive_facts(zh),
            {
                "kind": "next",
                "label": "然后放到" if zh else "Then put on stage",
                "code": "ST-05",
                "tail": "还剩 214 盒" if zh else "214 boxes left",
            },
        ],
        "input": None,
        "keys": [
            {"key": "F1", "label": "坏品" if zh else "Bad", "action": "damaged", "server": True},
            {"key": "F2", "label": "批次" if zh else "Lot", "action": "lot", "server": True},
            {"key": "F3", "label": "撤销" if zh else "Undo", "action": "undo", "server": False},
            {"key": "F4", "label": "更多" if zh else "More", "action": "more", "server": True},
        ],
    }


MENU_ROWS = [
    ("get_work", "领任务", "Get work", "按优先级和截单时间", "by priority and cut-off"),
    ("receive", "收货", "Receive", "", ""),
    ("putaway", "上架", "Put away", "", ""),
    ("cluster_pick", "边拣边播", "Cluster pick", "", ""),
    ("put_wall", "分播墙", "Put wall", "", ""),
    ("pack", "复核打包", "Pack and check", "", ""),
    ("handover", "交接", "Hand over", "", ""),
    ("count", "盘点", "Count", "", ""),
    ("returns", "退货", "Returns", "", ""),
    ("move", "移库", "Move", "", ""),
]


def menu_screen(language: str = "zh") -> Json:
    zh = language == "zh"
    rows = [
        {"value": value, "title": zh_title if zh else en_title, "note": zh_note if zh else en_note}
        for value, zh_title, en_title, zh_note, en_note in MENU_ROWS
    ]
    return {
        "dialogue": "menu",
        "step": "menu",
        "token": "0.menu",
        "title": "菜单" if zh else "Menu",
        "status": [{"label": "", "value": "章强" if zh else "Zhang Qiang"}],
        "prompt": {"text": "扫任意码" if zh else "Scan anything", "icon": "barcode", "pips": []},
        "cards": [{"kind": "choose", "rows": rows}],
        "input": None,
        "keys": [
            {"key": "F1", "label": "领任务" if zh else "Get work", "action": "get_work", "server": True},
            {"key": "F4", "label": "退出" if zh else "Log out", "action": "log_out", "server": True},
        ],
    }


def quantity_screen(kind: str = "quantity", value: str = "12") -> Json:
    """The picking screen while a number (or a date, a text) is asked for."""
    screen = pick_screen("sku")
    typed = {"kind": kind, "label": "数量", "min": 1, "max": 48, "value": value, "action": kind}
    return {
        **screen,
        "token": f"21.{kind}",
        "prompt": {"text": "输数量", "icon": "quantity", "pips": []},
        "input": typed,
    }


def plain_screen(*cards: Json, token: str = "3.one", text: str = "扫任意码") -> Json:
    return {
        **menu_screen(),
        "token": token,
        "title": "查看",
        "cards": list(cards),
        "prompt": {"text": text, "pips": []},
    }
