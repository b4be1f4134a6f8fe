"""The screens of the cluster pick: the walk as it is, drawn for one hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from wms.core.dialogue import (
    BigCard,
    Card,
    CountsCard,
    Fact,
    FactsCard,
    Input,
    ItemCard,
    Key,
    LocationCard,
    MapCard,
    NextCard,
    Pip,
    Screen,
    TextCard,
    ToteCard,
    Turn,
)
from wms.optimise.geometry import RectHall
from wms.picking.dialogue.walk_map import walk_map
from wms.picking.queries.walk import path_of_batch
from wms.picking.rules.walking import At, Where, metres_between, metres_to, path_on_map
from wms.picking.rules.words import tail
from wms.picking.values import PickFacts, ToteOnCart, Walk
from wms.site.values import HallFacts, WarehouseFacts

_ORDER = (At.SLOT, At.SKU, At.TOTE)
_NOW = {At.SLOT: 0, At.SKU: 1, At.QUANTITY: 1, At.SHORT: 1, At.TOTE: 2}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a screen is drawn from."""

    turn: Turn
    walk: Walk
    building: WarehouseFacts
    floor: HallFacts

    @property
    def hall(self) -> RectHall:
        """As it can be walked now."""
        return self.floor.now

    def say(self, key: str, **facts: object) -> str:
        return self.turn.say(f"cluster_pick.{key}", **facts)


def draw(scene: Scene, where: Where) -> Screen:
    """The screen of a step."""
    if where.step is At.CART:
        return _cart(scene)
    if where.step is At.NEW_TOTE:
        return _new_tote(scene)
    if where.step is At.LANE:
        return _lane(scene)
    pick = scene.walk.pick(where.pick_id)
    assert pick is not None, "a walking step has its pick"
    if where.step is At.MORE:
        return _more(scene, pick)
    return _walking(scene, where, pick)


def _status(scene: Scene) -> list[tuple[str, str]]:
    cart = [(scene.say("cart"), scene.walk.cart_code)] if scene.walk.cart_code else []
    return [*cart, (scene.say("cut_off"), _time_left(scene))]


def _time_left(scene: Scene) -> str:
    at = scene.building.local(scene.walk.cut_off_at)
    left = scene.walk.cut_off_at - scene.turn.call.now
    minutes = max(0, int(left / timedelta(minutes=1)))
    return scene.say("cut_off_left", at=f"{at:%H:%M}", left=f"{minutes // 60}:{minutes % 60:02d}")


def _cart(scene: Scene) -> Screen:
    walk = scene.walk
    rows = [
        Fact(scene.say("batch"), walk.no),
        Fact(scene.say("orders"), str(len(walk.totes))),
        Fact(scene.say("stops"), str(len(walk.open_stops))),
        Fact(scene.say("pieces"), str(_pieces_left(walk))),
    ]
    return Screen(
        scene.say("scan_cart"), icon="cart", cards=[FactsCard(rows)], keys=[_leave(scene)], status=_status(scene)
    )


def _new_tote(scene: Scene) -> Screen:
    walk = scene.walk
    tote = walk.next_empty_position
    assert tote is not None, "a position without a tote is left"
    filled = sum(1 for each in walk.totes if each.tote_id is not None)
    return Screen(
        scene.say("scan_new_tote"),
        icon="tote",
        cards=[
            BigCard(scene.say("position"), str(tote.position), tail=scene.say("order", order=tote.order_no)),
            ToteCard(
                scene.say("put"),
                scene.say("empty"),
                tote.position,
                _positions(walk),
                "now",
            ),
            TextCard(scene.say("totes_on_cart", filled=filled, of=len(walk.totes))),
        ],
        keys=[Key("F3", scene.say("undo"), "undo"), _leave(scene)],
        status=_status(scene),
    )


def _empty_tote(scene: Scene, position: int) -> ToteCard:
    text = scene.say("empty_tote", position=position)
    return ToteCard(scene.say("put"), text, position, _positions(scene.walk), "now")


def _walking(scene: Scene, where: Where, pick: PickFacts) -> Screen:
    now = _NOW[where.step]
    left = pick.left - where.counted
    cards: list[Card] = [
        _location(scene, pick, now),
        _item(scene, pick, left if where.step is not At.TOTE else where.counted, now),
        _counts(scene, pick, where),
        _tote(scene, pick, now),
        *_next(scene, pick),
    ]
    return Screen(
        _prompt(scene, where.step),
        icon="tote" if where.step is At.TOTE else "barcode",
        pips=[Pip(scene.say(f"pip.{step}"), _state(number, now)) for number, step in enumerate(_ORDER)],
        cards=cards,
        keys=_short_keys(scene) if where.step is At.SHORT else _walk_keys(scene),
        input=_input(scene, where, pick),
        status=_status(scene),
    )


def _prompt(scene: Scene, step: At) -> str:
    return scene.say(f"prompt.{step}")


def _state(number: int, now: int) -> str:
    return "done" if number < now else "now" if number == now else "next"


def _location(scene: Scene, pick: PickFacts, now: int) -> LocationCard:
    aisle = scene.floor.aisles[pick.aisle_index]
    side = scene.say("left" if pick.side == "L" else "right")
    words = scene.say("where", zone=aisle.zone_code, aisle=f"{aisle.number:02d}", side=side, level=pick.level)
    walk_m = metres_to(scene.hall, scene.walk, pick)
    drawn = walk_map(scene.hall, scene.walk, pick.stop) if now == 0 else None
    return LocationCard(scene.say("go"), pick.slot_code, words, pick.level, pick.levels, _state(0, now), walk_m, drawn)


def _item(scene: Scene, pick: PickFacts, quantity: int, now: int) -> ItemCard:
    lines = [scene.say("lot", lot=pick.lot_code)] if pick.lot_code != "-" else []
    if pick.expires_on is not None:
        lines.append(scene.say("expires", date=pick.expires_on.isoformat()))
    label = scene.say("take", merchant=pick.merchant_name)
    return ItemCard(label, pick.sku_name, quantity, pick.unit, tail(pick.barcode), lines, _state(1, now))


def _counts(scene: Scene, pick: PickFacts, where: Where) -> CountsCard:
    """Of this SKU at this stop, over all orders of the cart."""
    here = [each for each in scene.walk.of_stop(pick.stop) if each.sku_id == pick.sku_id]
    should, short = sum(each.quantity for each in here), sum(each.short for each in here)
    left = sum(each.left for each in here) - where.counted
    done = sum(each.picked for each in here) + where.counted
    labels = tuple(scene.say(f"count.{name}") for name in ("should", "done", "left", "short"))
    return CountsCard(should, done, left, short, labels)


def _tote(scene: Scene, pick: PickFacts, now: int) -> ToteCard:
    tote = scene.walk.at(pick.position)
    text = scene.say("tote", position=tote.position, tote=tote.tote_code or "")
    return ToteCard(scene.say("put"), text, tote.position, _positions(scene.walk), _state(2, now))


def _next(scene: Scene, pick: PickFacts) -> list[NextCard]:
    """The stop after this one, and what is left from there on."""
    after = [each for each in scene.walk.open_picks if each.stop > pick.stop]
    if not after:
        return [NextCard(scene.say("next"), scene.say("lane"))]
    stops, pieces = len({each.stop for each in after}), sum(each.left for each in after)
    left = scene.say("still", stops=stops, pieces=pieces)
    return [NextCard(scene.say("next"), after[0].slot_code, left, metres_between(scene.hall, pick, after[0]))]


def _input(scene: Scene, where: Where, pick: PickFacts) -> Input | None:
    if where.step is At.QUANTITY:
        return Input("quantity", scene.say("how_many"), "quantity", str(pick.left), 1, pick.left)
    if where.step is At.SHORT:
        return Input("quantity", scene.say("how_many_missing"), "missing", str(pick.left), 1, pick.left)
    return None


def _walk_keys(scene: Scene) -> list[Key]:
    return [
        Key("F1", scene.say("short"), "short"),
        Key("F2", scene.say("skip"), "skip"),
        Key("F3", scene.say("undo"), "undo", server=False),
        Key("F4", scene.say("more"), "more"),
    ]


def _short_keys(scene: Scene) -> list[Key]:
    return [Key("F3", scene.say("back"), "back")]


def _leave(scene: Scene) -> Key:
    return Key("F4", scene.say("leave"), "leave")


def _lane(scene: Scene) -> Screen:
    """The end of the walk: full totes to the lane, those of stopped orders aside."""
    picked = {pick.order_id for pick in scene.walk.picks if pick.picked}
    stopped = [tote for tote in scene.walk.totes if tote.stopped and tote.order_id in picked]
    going = [tote for tote in scene.walk.totes if not tote.stopped and tote.order_id in picked]
    cards: list[Card] = [TextCard(scene.say("to_the_lane", totes=len(going)), _names(scene, going))]
    if stopped:
        cards.append(TextCard(scene.say("put_aside", totes=len(stopped)), _names(scene, stopped)))
    return Screen(scene.say("scan_lane"), icon="lane", cards=cards, keys=[_leave(scene)], status=_status(scene))


def _names(scene: Scene, totes: Sequence[ToteOnCart]) -> str:
    return scene.say("between").join(
        scene.say("tote", position=tote.position, tote=tote.tote_code or "") for tote in totes
    )


def _more(scene: Scene, pick: PickFacts) -> Screen:
    tote = scene.walk.at(pick.position)
    rows = [
        Fact(scene.say("order_no"), tote.order_no),
        Fact(scene.say("sku"), pick.sku_code),
        Fact(scene.say("barcode"), pick.barcode),
        Fact(scene.say("batch"), scene.walk.no),
    ]
    view = (0.0, 0.0, scene.floor.width_mm / 1000, scene.floor.depth_mm / 1000)
    corners = path_of_batch(scene.turn.call.session, scene.walk.batch_id)
    drawn = path_on_map(corners, scene.floor.depth_mm)
    keys = [Key("F3", scene.say("back"), "back"), _leave(scene)]
    return Screen(scene.say("more"), icon="list", cards=[FactsCard(rows), MapCard(drawn, view)], keys=keys)


def _positions(walk: Walk) -> int:
    return max(tote.position for tote in walk.totes)


def _pieces_left(walk: Walk) -> int:
    return sum(pick.left for pick in walk.open_picks)
