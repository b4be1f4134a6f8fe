"""A bay as one stands before it, before and after, as SVG. Colours by class; slots with goods differ in shape too."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from markupsafe import Markup

from wms.site.rules import BAY_WIDTH_MM, BEAM_MM, Face

WIDTH, HEIGHT = 150, 150
POST = 3


def elevation(
    slots: Sequence[Face], frame_mm: int, title: str, filled: Collection[tuple[int, int]] = frozenset()
) -> Markup:
    """The bay's posts, beams and slots to scale; a slot of `filled` (level, position) is grey with goods in it."""
    scale = min((WIDTH - 2 * POST) / BAY_WIDTH_MM, (HEIGHT - 2) / max(1, frame_mm))
    wide, tall = BAY_WIDTH_MM * scale, frame_mm * scale
    drawn = Markup(
        '<svg class="elevation" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(WIDTH, HEIGHT, WIDTH, HEIGHT, title)
    drawn += _beams(slots, scale)
    for slot in slots:
        x, y = POST + slot.x_mm * scale, HEIGHT - (slot.z_mm + slot.height_mm) * scale
        drawn += _box("slot", x, y, slot.width_mm * scale, slot.height_mm * scale)
        if (slot.level, slot.position) in filled:
            drawn += _box(
                "goods",
                x + 2,
                y + slot.height_mm * scale / 3,
                slot.width_mm * scale - 4,
                slot.height_mm * scale * 2 / 3,
            )
    for x in (0.0, wide + POST):
        drawn += _box("post", x, HEIGHT - tall, POST, tall)
    return drawn + Markup("</svg>")


def _beams(slots: Sequence[Face], scale: float) -> Markup:
    """Under each level."""
    thick = max(2.0, BEAM_MM * scale)
    found = Markup("")
    for z_mm in sorted({slot.z_mm for slot in slots}):
        found += _box("beam", POST, HEIGHT - z_mm * scale, BAY_WIDTH_MM * scale, thick)
    return found


def _box(name: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        name, x, y, max(0.0, width), max(0.0, height)
    )
