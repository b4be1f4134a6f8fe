"""Racks as what they are: uprights with beams and dividers that move. Profiles, spare parts, and a bay divided anew.

A slot is never deleted and never changes its size: dividing a bay retires its slots and makes new ones, and what
became of which is kept. A retired slot gives its code to the new one and is called `CODE~number` from then on. That it
is empty is held by the database (`wms/ledger/triggers.py`); whoever asks for it here has made sure before.

Lock order of everybody who changes a bay: its hall, itself, its slots, then their places, each ids ascending. Whoever
puts goods into a slot has its row first too; what guards stock rows only shares the place's, which nobody else keeps
for himself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from wms.core import audit_trail
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.site import bulk
from wms.site.rules import (
    BAY_WIDTH_MM,
    PROFILES,
    SHELF,
    Face,
    Parts,
    Profile,
    SlotName,
    faces,
    frame_mm,
    load_g,
    parts_of,
    profile_slots,
)
from wms.site.tables import Aisle, Bay, BayProfile, Hall, Place, RackPart, Slot, SlotChange, Zone
from wms.site.values import POSITION_LETTERS

BEAM, DIVIDER = "beam", "divider"
SPARE_MAX = 100_000
LEVELS_MAX = 9

_part = table_of(RackPart)


@dataclass(frozen=True, slots=True)
class RackSlot:
    """A slot as part of its bay. Lengths in mm, load in g."""

    place_id: int
    code: str
    level: int
    position: int
    width_mm: int
    depth_mm: int
    height_mm: int
    weight_max_g: int
    level_weight_max_g: int | None
    skus_max: int
    bonded: bool
    blocked: bool
    under_count: bool
    shut: bool

    @property
    def face(self) -> tuple[int, int, int, int]:
        return self.level, self.position, self.width_mm, self.height_mm


@dataclass(frozen=True, slots=True)
class Rack:
    """A bay with the slots in it now; `label` stands on its post (`B12-07`), `name` is what their codes begin with."""

    bay_id: int
    label: str
    name: SlotName
    zone_id: int
    zone_kind: str
    zone_temperature: str
    zone_name: str
    profile: str
    frame_mm: int
    weight_max_g: int
    slots: tuple[RackSlot, ...]

    @property
    def depth_mm(self) -> int:
        return max((slot.depth_mm for slot in self.slots), default=0)

    @property
    def parts(self) -> Parts:
        return parts_of(slot.level for slot in self.slots)

    @property
    def level_weight_max_g(self) -> int | None:
        """What the weakest beams of the bay carry, where somebody said it: beams change their levels."""
        return min((each for slot in self.slots if (each := slot.level_weight_max_g) is not None), default=None)


def profiles(session: Session, warehouse_id: int) -> dict[str, Profile]:
    """Every way to cut a bay that is known here: the standard ones and the building's own."""
    rows = session.scalars(select(BayProfile).where(BayProfile.warehouse_id == warehouse_id).order_by(BayProfile.code))
    return PROFILES | {row.code: _profile(row) for row in rows}


def _profile(row: BayProfile) -> Profile:
    return Profile(
        row.code,
        row.levels,
        row.positions,
        row.width_mm,
        row.depth_mm,
        row.height_mm,
        row.weight_max_g,
        row.skus_max,
        SHELF.aisle_width_mm,
        row.level_weight_max_g,
    )


def set_profile(call: Call, profile: Profile) -> None:
    """Make a profile of this building's own known, or change it; bays that have it stay as they are.

    Raises ALREADY_EXISTS for a standard one's name, BAD_INPUT for sizes that make no bay.
    """
    if profile.name in PROFILES:
        raise Refused(Reason.ALREADY_EXISTS, what=profile.name)
    sizes: tuple[int, ...] = (profile.width_mm, profile.depth_mm, profile.height_mm)
    sizes += (profile.weight_max_g, profile.skus_max)
    if profile.level_weight_max_g is not None:
        sizes += (profile.level_weight_max_g,)
    if min(sizes) <= 0 or not profile.name or profile.width_mm * profile.positions > BAY_WIDTH_MM:
        raise Refused(Reason.BAD_INPUT, what=f"profile {profile.name}")
    if not (1 <= profile.levels <= LEVELS_MAX and 1 <= profile.positions <= len(POSITION_LETTERS)):
        raise Refused(Reason.BAD_INPUT, what=f"profile {profile.name}: levels, positions")
    names = ("levels", "positions", "width_mm", "depth_mm", "height_mm", "weight_max_g", "level_weight_max_g")
    values = {name: getattr(profile, name) for name in (*names, "skus_max")}
    row = {"warehouse_id": call.warehouse_id, "code": profile.name, **values}
    fresh = insert_for(call.session, table_of(BayProfile)).values(row)
    call.session.execute(fresh.on_conflict_do_update(index_elements=["warehouse_id", "code"], set_=values))
    audit_trail.note(call, "profile.set", **row)


def spare_parts(session: Session, warehouse_id: int) -> dict[int, Parts]:
    """Depth of a rack in mm -> beams and dividers that lie ready for it."""
    rows = session.execute(
        select(RackPart.depth_mm, RackPart.kind, RackPart.spare).where(RackPart.warehouse_id == warehouse_id)
    )
    found: dict[int, Parts] = {}
    for depth_mm, kind, spare in rows:
        parts = found.get(depth_mm, Parts())
        found[depth_mm] = replace(parts, **{"beams" if kind == BEAM else "dividers": spare})
    return found


def set_spare_parts(call: Call, depth_mm: int, parts: Parts) -> None:
    """So many beams and dividers of this depth lie ready: counted by somebody. Raises BAD_INPUT."""
    if depth_mm <= 0 or not (0 <= parts.beams <= SPARE_MAX and 0 <= parts.dividers <= SPARE_MAX):
        raise Refused(Reason.BAD_INPUT, what="spare parts")
    for kind, spare in ((BEAM, parts.beams), (DIVIDER, parts.dividers)):
        _ensure_part(call, kind, depth_mm)
        call.session.execute(update(_part).where(*_of(call, kind, depth_mm)).values(spare=spare))
    audit_trail.note(call, "parts.counted", depth_mm=depth_mm, beams=parts.beams, dividers=parts.dividers)


def take_parts(call: Call, depth_mm: int, parts: Parts) -> None:
    """Take parts from those that lie ready (negative ones are laid there). Raises PARTS_MISSING, and takes none."""
    for kind, count in ((BEAM, parts.beams), (DIVIDER, parts.dividers)):
        _ensure_part(call, kind, depth_mm)
        statement = (
            update(_part)
            .where(*_of(call, kind, depth_mm), _part.c.spare >= count)
            .values(spare=_part.c.spare - count)
            .returning(_part.c.id)
        )
        if call.session.execute(statement).first() is None:
            ready = spare_parts(call.session, call.warehouse_id).get(depth_mm, Parts())
            missing = {"beams": parts.beams - ready.beams, "dividers": parts.dividers - ready.dividers}
            raise Refused(Reason.PARTS_MISSING, **{name: max(0, count) for name, count in missing.items()})


def _ensure_part(call: Call, kind: str, depth_mm: int) -> None:
    row = {"warehouse_id": call.warehouse_id, "kind": kind, "depth_mm": depth_mm, "spare": 0}
    fresh = insert_for(call.session, _part).values(row)
    call.session.execute(fresh.on_conflict_do_nothing(index_elements=["warehouse_id", "kind", "depth_mm"]))


def _of(call: Call, kind: str, depth_mm: int) -> tuple[Any, ...]:
    return _part.c.warehouse_id == call.warehouse_id, _part.c.kind == kind, _part.c.depth_mm == depth_mm


_RACK = (
    select(Bay, Zone.code, Aisle.number, Zone.id, Zone.kind, Zone.temperature, Zone.name)
    .join(Aisle, Aisle.id == Bay.aisle_id)
    .join(Zone, Zone.id == Aisle.zone_id)
)
_SLOT_FACTS = tuple(getattr(Slot, name) for name in RackSlot.__slots__)


def racks(session: Session, warehouse_id: int) -> list[Rack]:
    """Every bay with its slots, aisle by aisle from the front."""
    return _racks(session, warehouse_id)


def rack(session: Session, warehouse_id: int, bay_id: int) -> Rack:
    """One bay. Raises NOT_FOUND."""
    found = _racks(session, warehouse_id, bay_id)
    if not found:
        raise Refused(Reason.NOT_FOUND, what=f"bay {bay_id}")
    return found[0]


def _racks(session: Session, warehouse_id: int, bay_id: int | None = None) -> list[Rack]:
    bays = _RACK.where(Bay.warehouse_id == warehouse_id).order_by(Aisle.index, Bay.number)
    slots = select(Slot.bay_id, *_SLOT_FACTS).where(Slot.warehouse_id == warehouse_id, Slot.retired.is_(False))
    if bay_id is not None:
        bays, slots = bays.where(Bay.id == bay_id), slots.where(Slot.bay_id == bay_id)
    inside: dict[int, list[RackSlot]] = {}
    for row in session.execute(slots.order_by(Slot.level, Slot.position)):
        inside.setdefault(row.bay_id, []).append(RackSlot(*row[1:]))
    return [
        Rack(
            bay.id,
            f"{zone}{number:02d}-{bay.number:02d}",
            SlotName(zone, number, bay.number, 1),
            zone_id,
            kind,
            temperature,
            name,
            bay.profile,
            bay.frame_mm,
            bay.weight_max_g,
            tuple(inside.get(bay.id, ())),
        )
        for bay, zone, number, zone_id, kind, temperature, name in session.execute(
            bays, execution_options={"populate_existing": True}
        )
    ]


def bay_takes(found: Rack, profile: Profile) -> bool:
    """Whether the uprights of a bay can be cut so: as deep, not higher, and promising no more load than they carry, or
    than the slots do that it has now (what lies there in all is weighed with each putaway).
    """
    promised_g = max(found.weight_max_g, sum(slot.weight_max_g for slot in found.slots))
    return profile.depth_mm == found.depth_mm and frame_mm(profile) <= found.frame_mm and load_g(profile) <= promised_g


def slot_codes(found: Rack, profile: Profile) -> list[tuple[int, str]]:
    """Level and code of each slot the bay has when it is cut so."""
    divided = profile.positions > 1
    return [
        (level, str(replace(found.name, level=level, position=position, divided=divided)))
        for level, position, _, _ in profile_slots(profile)
    ]


def keep_bay(call: Call, bay_id: int) -> Rack:
    """The bay, its slots and their places kept from others until the commit, and its hall from being closed.

    Raises NOT_FOUND.
    """
    hall = select(Hall.id).join(Aisle, Aisle.hall_id == Hall.id).join(Bay, Bay.aisle_id == Aisle.id)
    call.session.execute(hall.where(Bay.id == bay_id).with_for_update(of=Hall, read=True))
    call.session.execute(select(Bay.id).where(Bay.id == bay_id).with_for_update(key_share=True))
    slots = select(Slot.place_id).where(Slot.bay_id == bay_id, Slot.retired.is_(False)).order_by(Slot.place_id)
    kept = list(call.session.scalars(slots.with_for_update()))
    call.session.execute(select(Place.id).where(Place.id.in_(kept)).order_by(Place.id).with_for_update())
    return rack(call.session, call.warehouse_id, bay_id)


def redivide(call: Call, bay_id: int, profile: Profile, reference: str) -> list[RackSlot]:
    """Retire the slots of a bay and make those of `profile`, blocked until their labels hang; the new slots.

    Raises NOT_FOUND, BAD_INPUT for a profile these uprights do not take. The database refuses to retire a slot with
    goods or with somebody on the way to it.
    """
    before = keep_bay(call, bay_id)
    if not bay_takes(before, profile):
        raise Refused(Reason.BAD_INPUT, what=f"{before.label}: {profile.name}")
    old = before.slots
    for slot in old:
        _retire(call, slot)
    made = _make(call, before, profile)
    _note_changes(call, bay_id, old, made, reference)
    call.session.execute(update(Bay).where(Bay.id == bay_id).values(profile=profile.name, levels=profile.levels))
    call.session.expire_all()
    audit_trail.note(call, "bay.divided", bay=before.label, before=before.profile, after=profile.name, why=reference)
    return made


def open_slot(call: Call, place_id: int) -> None:
    """The label of a new slot hangs: goods may go there."""
    call.session.execute(
        update(Slot).where(Slot.place_id == place_id, Slot.warehouse_id == call.warehouse_id).values(blocked=False)
    )


def _retire(call: Call, slot: RackSlot) -> None:
    code = f"{slot.code}~{slot.place_id}"
    place, row = table_of(Place), table_of(Slot)
    call.session.execute(update(row).where(row.c.place_id == slot.place_id).values(retired=True, code=code))
    call.session.execute(update(place).where(place.c.id == slot.place_id).values(code=code))


def _make(call: Call, before: Rack, profile: Profile) -> list[RackSlot]:
    bay = call.session.execute(
        select(Bay.side, Bay.y_mm, Aisle.id.label("aisle_id"), Aisle.index.label("aisle_index"), Aisle.zone_id)
        .join(Aisle, Aisle.id == Bay.aisle_id)
        .where(Bay.id == before.bay_id)
    ).one()
    common = {
        **bay._mapping,
        "warehouse_id": call.warehouse_id,
        "bay_id": before.bay_id,
        "bonded": before.zone_kind == "bonded",
        "depth_mm": profile.depth_mm,
        "weight_max_g": profile.weight_max_g,
        "level_weight_max_g": _beams_carry(before, profile),
        "skus_max": profile.skus_max,
        "blocked": True,
        "shut": any(slot.shut for slot in before.slots),
    }
    rows = [
        {**common, "code": code, "level": level, "position": position, "width_mm": width_mm, "height_mm": height_mm}
        for (_, code), (level, position, width_mm, height_mm) in zip(
            slot_codes(before, profile), profile_slots(profile), strict=True
        )
    ]
    bulk.insert_slots(call.session, call.warehouse_id, rows)
    found = select(*_SLOT_FACTS).where(Slot.bay_id == before.bay_id, Slot.retired.is_(False))
    return [RackSlot(*row) for row in call.session.execute(found.order_by(Slot.level, Slot.position))]


def _beams_carry(before: Rack, profile: Profile) -> int | None:
    """The bay's own beams move, and carry what they did; where nobody said what that is, as the profile says."""
    known = before.level_weight_max_g
    return profile.level_weight_max_g if known is None else known


def _note_changes(call: Call, bay_id: int, old: Sequence[RackSlot], new: Sequence[RackSlot], reference: str) -> None:
    """Which room became which; what has no counterpart is written down by itself."""
    old_faces, new_faces = _by_face(old), _by_face(new)
    pairs: list[tuple[int | None, int | None]] = [
        (was, now) for was, before in old_faces for now, after in new_faces if before.meets(after)
    ]
    known_old, known_new = {was for was, _ in pairs}, {now for _, now in pairs}
    pairs += [(was, None) for was, _ in old_faces if was not in known_old]
    pairs += [(None, now) for now, _ in new_faces if now not in known_new]
    common = {"warehouse_id": call.warehouse_id, "bay_id": bay_id, "actor": call.actor, "reference": reference}
    rows = [{**common, "old_id": was, "new_id": now, "at": call.now} for was, now in pairs]
    if rows:
        call.session.execute(insert(table_of(SlotChange)), rows)


def _by_face(slots: Sequence[RackSlot]) -> list[tuple[int, Face]]:
    """Slots with where they stand, as seen from the aisle."""
    ids = {(slot.level, slot.position): slot.place_id for slot in slots}
    return [(ids[face.level, face.position], face) for face in faces(slot.face for slot in slots)]
