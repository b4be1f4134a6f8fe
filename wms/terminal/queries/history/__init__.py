"""Look up anything: a code leads to one card with its facts and whole history, words lead to a list of cards."""

from __future__ import annotations

from dataclasses import dataclass

from wms.core import codes
from wms.core.codes import Kind
from wms.core.refusal import Refused
from wms.terminal.queries.history import dispatch, goods, people, places, sales
from wms.terminal.queries.history.common import Find
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Inside

MATCHES_MAX = 20

_BY_KIND: dict[Kind, tuple[Find, ...]] = {
    Kind.SLOT: (places.slot,),
    Kind.CONTAINER: (places.container,),
    Kind.TOTE: (places.container,),
    Kind.CART: (places.container,),
    Kind.ORDER: (sales.order,),
    Kind.PARCEL: (sales.parcel,),
    Kind.BAG: (sales.bag,),
    Kind.ASN: (places.asn,),
    Kind.BADGE: (people.person,),
    Kind.GS1: (goods.sku,),
}
_ANY: tuple[Find, ...] = (
    places.slot,
    goods.sku,
    sales.order,
    sales.parcel,
    places.container,
    goods.lot,
    sales.bag,
    dispatch.manifest,
    sales.wave,
    sales.batch,
    places.asn,
    people.person,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: one card, or things whose name begins like the words, or nothing."""

    asked: str
    card: Card | None = None
    matches: tuple[Inside, ...] = ()


def look_up(look: Look, asked: str) -> Answer:
    """The card of a code as scanned or typed; else what has such a name."""
    text = asked.strip()
    if not text:
        return Answer("")
    try:
        read = codes.read(text)
    except Refused:
        return Answer(text)
    for find in _BY_KIND.get(read.kind, _ANY):
        for body in dict.fromkeys((read.body, read.body.upper())):
            card = find(look, body)
            if card is not None:
                return Answer(text, card)
    return Answer(text, None, _named(look, text))


def _named(look: Look, text: str) -> tuple[Inside, ...]:
    found = [
        *goods.named(look, text),
        *people.named(look, text),
        *sales.numbered(look, text),
        *dispatch.numbered(look, text),
    ]
    return tuple(found[:MATCHES_MAX])
