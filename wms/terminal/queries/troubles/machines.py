"""Printers, devices, chutes, and what the line threw out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from wms.core.tables import AuditRow
from wms.packing.tables import Parcel
from wms.printing import queries as printing
from wms.printing.values import JobState, PrintFacts
from wms.printing.values.jobs import TAKEN_OVER
from wms.site import queries as site
from wms.site.values import ChuteState, StationFacts, StationKind
from wms.sorting.tables import DivertRow
from wms.sorting.values import REJECT, Finding
from wms.terminal.queries.look import DAY, Look
from wms.terminal.queries.troubles import cures
from wms.terminal.values import STOP, WARN, Deed, Tile, Trouble, Words

TAKEN_OVER_SHOWN = timedelta(minutes=10)
LABEL_DUE_AFTER = timedelta(seconds=45)
LABEL_LATE_AFTER = timedelta(minutes=3)
UNCERTAIN_MAX = 6
REJECTS_MAX = 200
HANDLED = "divert.handled"
NO_TAIL = "—"
_UNSENT = (JobState.QUEUED, JobState.FAILED)


def labels_due(look: Look, tiles: Sequence[Tile]) -> Iterator[Trouble]:
    """Labels that did not reach paper, by station; another table's printer can take them."""
    waiting: defaultdict[int, list[PrintFacts]] = defaultdict(list)
    for job in printing.labels_due(look.session, look.warehouse_id):
        if job.state in _UNSENT and look.now - job.made_at > LABEL_DUE_AFTER:
            waiting[job.station_id].append(job)
    stations = {one.id: one for one in site.stations(look.session, look.warehouse_id)}
    for station_id, jobs in sorted(waiting.items()):
        station = stations.get(station_id)
        if station is not None:
            yield _label_due(look, station, jobs, tiles, list(stations.values()))


def _label_due(
    look: Look, station: StationFacts, jobs: Sequence[PrintFacts], tiles: Sequence[Tile], stations: list[StationFacts]
) -> Trouble:
    dead = any(tile.priority == STOP for tile in tiles if tile.station == station.code and tile.icon in _PRINTS)
    since = min(job.made_at for job in jobs)
    key = f"labels:{station.code}"
    facts = {"station": station.name, "jobs": len(jobs)}
    note = Words("terminal.trouble.labels.dead" if dead else "terminal.trouble.labels.note")
    if trouble := next((job.trouble for job in jobs if job.trouble), None):
        note = Words("terminal.trouble.labels.why", {"why": trouble})
    priority = STOP if dead or look.now - since > LABEL_LATE_AFTER else WARN
    what = Words("terminal.trouble.labels", facts)
    return Trouble(key, "D-3302", priority, what, note, _print_elsewhere(station, tiles, stations), since)


_PRINTS = ("printer", "gateway")


def _print_elsewhere(station: StationFacts, tiles: Sequence[Tile], stations: list[StationFacts]) -> Deed:
    """The nearest table whose printer is well; without one, the same printer again."""
    sound = {tile.station for tile in tiles if tile.icon == "printer" and tile.state == "ready"}
    others = [one for one in stations if one.code in sound and one.kind == StationKind.PACKING and one.id != station.id]
    nearest = min(others, key=lambda one: abs(one.x_mm - station.x_mm), default=station)
    words = "terminal.deed.print_at" if nearest is not station else "terminal.deed.print_again"
    return Deed("print_at", Words(words, {"station": nearest.code}), {"station": station.code, "to": nearest.code})


def taken_over(look: Look) -> Iterator[Trouble]:
    """Printers that stand in for others of their table just now: labels lie at another place than people look."""
    rows = look.session.execute(
        select(AuditRow.at, AuditRow.facts)
        .where(
            AuditRow.warehouse_id == look.warehouse_id,
            AuditRow.day >= (look.now - TAKEN_OVER_SHOWN).date(),
            AuditRow.what == TAKEN_OVER,
            AuditRow.at >= look.now - TAKEN_OVER_SHOWN,
        )
        .order_by(AuditRow.at)
    )
    by: defaultdict[tuple[int, str, str], list[datetime]] = defaultdict(list)
    for at, facts in rows:
        by[int(facts["station"]), str(facts["of"]), str(facts["by"])].append(at)
    names = {one.id: one.name for one in site.stations(look.session, look.warehouse_id)}
    for (station, own, other), moments in by.items():
        facts = {"station": names.get(station, ""), "jobs": len(moments), "own": own, "by": other}
        key = f"taken_over:{station}:{own}:{other}"
        what, note = Words("terminal.trouble.taken_over", facts), Words("terminal.trouble.taken_over.note", facts)
        yield Trouble(key, "D-3305", WARN, what, note, cures.look_after(key), moments[0])


def uncertain_labels(look: Look) -> Iterator[Trouble]:
    """A printer fell silent with a label half out: only a person can see whether it lies there."""
    due = printing.labels_due(look.session, look.warehouse_id)
    names = {one.id: one.name for one in site.stations(look.session, look.warehouse_id)}
    for job in [job for job in due if job.state is JobState.UNCERTAIN][:UNCERTAIN_MAX]:
        facts = {"tail": job.subject[-4:], "station": names.get(job.station_id, "")}
        deed = Deed("reprint", Words("terminal.deed.reprint", {"tail": job.subject[-4:]}), {"job": job.id})
        what, note = Words("terminal.trouble.uncertain", facts), Words("terminal.trouble.uncertain.note")
        yield Trouble(f"uncertain:{job.id}", "D-3304", WARN, what, note, deed, job.changed_at)


def devices_down(tiles: Sequence[Tile], labels: Sequence[Trouble]) -> Iterator[Trouble]:
    """Whatever has a plug and does not answer. Chutes have their own rows, and so has a printer that keeps labels."""
    told = {(one.key.partition(":")[2], "printer") for one in labels}
    for tile in tiles:
        if tile.priority and tile.icon not in ("chute", "pda") and (tile.station, tile.icon) not in told:
            key = f"device:{tile.gateway}:{tile.name}"
            kind = Words(f"terminal.device.kind.{tile.icon}")
            facts = {"kind": kind, "device": tile.name, "station": tile.station, "state": tile.figure}
            what = Words("terminal.trouble.gateway" if tile.icon == "gateway" else "terminal.trouble.device", facts)
            note = Words("terminal.trouble.device.why", {"why": tile.reason}) if tile.reason else _plain_note(tile)
            code = "G-3101" if tile.icon == "gateway" else "D-3301"
            yield Trouble(key, code, tile.priority, what, note, cures.look_after(key), tile.since)


def _plain_note(tile: Tile) -> Words:
    return Words("terminal.trouble.device.note", {"gateway": tile.gateway, "station": tile.station})


def chutes(look: Look) -> Iterator[Trouble]:
    """Chutes that take no more: a bag to change, a jam to clear."""
    for one in site.chutes(look.session, look.warehouse_id):
        facts = {"chute": one.number, "parcels": one.parcels, "parcels_max": one.parcels_max}
        if one.state == ChuteState.FULL:
            deed = Deed("empty_chute", Words("terminal.deed.empty_chute", {"chute": one.number}), {"chute": one.number})
            what = Words("terminal.trouble.chute_full", facts)
        elif one.state == ChuteState.JAM:
            deed = Deed("open_chute", Words("terminal.deed.open_chute", {"chute": one.number}), {"chute": one.number})
            what = Words("terminal.trouble.chute_jam", facts)
        else:
            continue
        yield Trouble(f"chute:{one.number}", "L-2209", STOP, what, Words("terminal.trouble.chute.note", facts), deed)


def rejected(look: Look) -> Iterator[Trouble]:
    """What lies at the reject exit or where it should not, by kind."""
    by_kind: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rejects(look):
        by_kind[kind_of_reject(row)].append(row)
    for kind, rows in sorted(by_kind.items()):
        key = f"rejected:{kind}"
        what = Words("terminal.trouble.rejected", {"kind": Words(f"terminal.reject.{kind}"), "parcels": len(rows)})
        tails = [tail for row in rows[:4] if (tail := tail_of_reject(row)) != NO_TAIL]
        facts = {"tails": " ".join(tails)}
        note = Words("terminal.trouble.rejected.note" if tails else "terminal.trouble.rejected.no_code", facts)
        routable = kind == "NOROUTE"
        words = Words("terminal.deed.route_again", {"parcels": len(rows)})
        deed = Deed("route_again", words, {"kind": kind}) if routable else cures.look_after(key)
        since = min(row.confirmed_at or row.told_at for row in rows)
        yield Trouble(key, "L-2214", STOP if kind == Finding.MISSORT else WARN, what, note, deed, since)


def rejects(look: Look) -> list[Any]:
    """Passages of the last day that a person must look at, the newest first: rejected, lost, in the wrong chute.

    Those somebody has dealt with, and parcels that came through later, are left out.
    """
    rows = look.session.execute(
        select(
            DivertRow.id,
            DivertRow.codes,
            DivertRow.told_chute,
            DivertRow.told_reason,
            DivertRow.told_at,
            DivertRow.chute,
            DivertRow.result,
            DivertRow.confirmed_at,
            DivertRow.finding,
            DivertRow.parcel_id,
            Parcel.waybill,
        )
        .outerjoin(Parcel, Parcel.id == DivertRow.parcel_id)
        .where(
            DivertRow.warehouse_id == look.warehouse_id,
            (DivertRow.confirmed_at >= look.now - DAY) | (DivertRow.told_at >= look.now - DAY),
            (DivertRow.finding != "") | (DivertRow.chute == REJECT),
            Parcel.bag_id.is_(None) | (DivertRow.finding == Finding.MISSORT.value),
        )
        .order_by(DivertRow.id.desc())
        .limit(REJECTS_MAX)
    ).all()
    done = _handled(look) if rows else set()
    return [row for row in rows if row.id not in done]


def _handled(look: Look) -> set[int]:
    rows = look.session.scalars(
        select(AuditRow.facts).where(
            AuditRow.warehouse_id == look.warehouse_id,
            AuditRow.day >= (look.now - DAY).date(),
            AuditRow.what == HANDLED,
        )
    )
    return {int(facts["divert"]) for facts in rows}


def kind_of_reject(row: Any) -> str:
    """The finding, or why the line was told to reject it, or that nothing could be read."""
    return str(row.finding or row.told_reason or row.result or "UNKNOWN")


def tail_of_reject(row: Any) -> str:
    """The last four digits people compare."""
    code = row.waybill or next(iter(row.codes.get("codes") or []), "")
    return str(code)[-4:] if code else NO_TAIL
