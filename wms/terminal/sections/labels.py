"""Labels: what each looks like, changed field by field with the print beside it, and tried on a printer."""

from __future__ import annotations

from sqlalchemy import select

from wms.catalog import queries as catalog
from wms.exchange.reactions import PRINTER_DRIVER
from wms.printing.designs import to_json
from wms.printing.queries import EVERYBODY, design_facts
from wms.printing.samples import sample_of
from wms.printing.templates import TEMPLATES
from wms.site.tables import Station
from wms.sorting.tables import Gateway, GatewayDevice
from wms.terminal.sections.common import Asked, Part


def labels_section(asked: Asked) -> list[Part]:
    session, house, reader = asked.look.session, asked.look.warehouse_id, asked.reader
    names = tuple(TEMPLATES)
    name = asked.option("label", names)
    merchants = catalog.merchants(session, house)
    whose = asked.option("of", (str(EVERYBODY), *(str(one.id) for one in merchants)))
    facts = {each: design_facts(session, house, each, int(whose)) for each in names}
    shown = facts[name]
    listed = {"labels": facts, "chosen": name, "whose": whose, "merchants": merchants, "everybody": str(EVERYBODY)}
    fills = {
        "label": shown,
        "whose": int(whose),
        "elements": to_json(shown.template),
        "words": sorted(asked.keep(f"words:{name}", 3600, lambda: _words(name))),
        "stations": _with_printer(asked),
    }
    return [
        Part("label_list", "label_list", listed, reader.say("terminal.section.labels")),
        Part("label_design", "label_design", fills, reader.say(f"terminal.label.{name}")),
    ]


def _with_printer(asked: Asked) -> list[str]:
    """Stations whose gateway told of a printer."""
    query = (
        select(Station.code)
        .join(Gateway, Gateway.station_id == Station.id)
        .join(GatewayDevice, GatewayDevice.gateway_id == Gateway.id)
        .where(Station.warehouse_id == asked.look.warehouse_id, GatewayDevice.driver.startswith(PRINTER_DRIVER))
        .distinct()
        .order_by(Station.code)
    )
    return list(asked.look.session.scalars(query).all())


def _words(name: str) -> list[str]:
    return list(sample_of(name).values.words())
