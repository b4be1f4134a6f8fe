"""The deeds around waves. What takes long is only asked for here; the planner does it after the commit."""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.refusal import Reason, Refused
from wms.exchange import waves
from wms.outbound import service as outbound
from wms.people.values import Right
from wms.picking.service import plans
from wms.picking.values import Wish
from wms.terminal.service.deeds.deed import Args, Deed, Done, moment, number, text
from wms.terminal.service.planner import Job, Wanted
from wms.terminal.values import Words

THINK_S_MAX = 300
WALL = WallClock()


def _said(key: str, wave: str, *jobs: Wanted) -> Done:
    return Done(Words(f"terminal.done.{key}", {"wave": wave, "waves": 1}), jobs)


def _make_waves(call: Call, args: Args) -> Done:
    until = moment(args, "at") if args.get("at") else None
    return _said("gathering", "", Wanted(Job.GATHER, at=until))


def _plan_wave(call: Call, args: Args) -> Done:
    """Ask for a plan to look at, also in the place of one that is there."""
    wave, think_s = text(args, "wave"), number(args, "seconds") if "seconds" in args else waves.THINK_S
    if not 1 <= think_s <= THINK_S_MAX:
        raise Refused(Reason.BAD_INPUT, what="seconds")
    plans.want_plan(call, wave, WALL.now(), think_s=think_s, rounds=waves.ROUNDS)
    return _said("planning", wave, Wanted(Job.WAVE, wave))


def _stop_plan(call: Call, args: Args) -> Done:
    plans.wish(call, text(args, "wave"), Wish.STOP)
    return _said("plan_stopping", text(args, "wave"))


def _cancel_plan(call: Call, args: Args) -> Done:
    plans.wish(call, text(args, "wave"), Wish.CANCEL)
    return _said("plan_cancelling", text(args, "wave"))


def _discard_plan(call: Call, args: Args) -> Done:
    plans.discard(call, text(args, "wave"))
    return _said("plan_discarded", text(args, "wave"))


def _release_wave(call: Call, args: Args) -> Done:
    """As it was planned; one without a plan is planned quickly and goes."""
    wave = text(args, "wave")
    waves.go(call, wave)
    return _said("releasing", wave, Wanted(Job.WAVE, wave))


def _go_on(call: Call, args: Args) -> Done:
    """A release that was broken off goes on where it stopped."""
    return _said("releasing", text(args, "wave"), Wanted(Job.WAVE, text(args, "wave")))


def _release_cut_off(call: Call, args: Args) -> Done:
    """Orders that are in no wave are gathered first; then every draft of the cut-off goes."""
    at, courier = moment(args, "at"), text(args, "courier")
    return Done(Words("terminal.done.releasing_cut_off"), (Wanted(Job.CUT_OFF, courier=courier, at=at),))


def _back_to_draft(call: Call, args: Args) -> Done:
    """A wave whose planner died. One that is being planned is not taken out of its hands: that is cancelled."""
    wave = text(args, "wave")
    if not plans.lost(call, wave, WALL.now()):
        raise Refused(Reason.WAVE_STATE_WRONG, state="planning")
    return _said("back_to_draft", wave)


def _cancel_wave(call: Call, args: Args) -> Done:
    outbound.cancel_wave(call, text(args, "wave"))
    return _said("wave_cancelled", text(args, "wave"))


DEEDS: Mapping[str, Deed] = {
    "make_waves": Deed(Right.RELEASE_WAVES, _make_waves),
    "plan_wave": Deed(Right.RELEASE_WAVES, _plan_wave),
    "stop_plan": Deed(Right.RELEASE_WAVES, _stop_plan),
    "cancel_plan": Deed(Right.RELEASE_WAVES, _cancel_plan),
    "discard_plan": Deed(Right.RELEASE_WAVES, _discard_plan),
    "release_wave": Deed(Right.RELEASE_WAVES, _release_wave),
    "go_on": Deed(Right.RELEASE_WAVES, _go_on),
    "release_cut_off": Deed(Right.RELEASE_WAVES, _release_cut_off),
    "back_to_draft": Deed(Right.RELEASE_WAVES, _back_to_draft),
    "cancel_wave": Deed(Right.RELEASE_WAVES, _cancel_wave),
}
