// From key strokes to scans: pure, with the time passed in, so it is tested without a clock.
// A frame opens with the configured prefix, or, as a fallback, with characters faster than a hand.

import { endsScan } from "./keys.js";

/** Barcodes longer than this are refused, as at every other door of the house. */
export const LENGTH_MAX = 128;
const PREFIXED_IDLE_MS = 500;
const ECHO_OF_END_MS = 80;
const LEAST_BY_SPEED = 4;
const LEAST_WITHOUT_END = 6;

/** Takes strokes `{name, character, at}`; gives back what they turned out to be:
 *  `{type: "scan", code, prefixed, ended, strokes}` or `{type: "hand", stroke}`. */
export class Framer {
  constructor({ prefix = "F9", suffix = "Enter", gap_ms = 40 } = {}) {
    Object.assign(this, { prefix, suffix, gap_ms });
    this.frame = null;
    this.scanEndedAt = -Infinity;
  }

  /** Would this stroke be eaten as the head, body or end of a scan? */
  wants(stroke) {
    if (stroke.name === this.prefix || stroke.character !== null) return true;
    return endsScan(stroke.name) && (this.frame !== null || this.isEchoOfEnd(stroke));
  }

  /** Milliseconds until `idle` has to be called, or null when nothing is open. */
  get wait_ms() {
    if (this.frame === null) return null;
    return (this.frame.prefixed ? PREFIXED_IDLE_MS : this.gap_ms) + 10;
  }

  key(stroke) {
    const found = this.idle(stroke.at);
    if (stroke.name === this.prefix) return [...found, ...this.open(stroke)];
    if (endsScan(stroke.name)) return [...found, ...this.end(stroke)];
    if (stroke.character === null) return [...found, ...this.interrupt(stroke)];
    this.frame ??= { prefixed: false, strokes: [], last: stroke.at, startedAt: stroke.at };
    this.frame.last = stroke.at;
    // One more than allowed is kept, so that the reader downstream can see and say "too long".
    if (this.frame.strokes.length <= LENGTH_MAX) this.frame.strokes.push(stroke);
    return found;
  }

  /** Closes a frame that has gone quiet. A hand is slower than `gap_ms`; a scanner is not. */
  idle(at) {
    if (this.frame === null || at - this.frame.last <= this.wait_ms - 10) return [];
    const { prefixed, strokes } = this.frame;
    const whole = prefixed ? strokes.length > 0 : this.suffix === "none" && strokes.length >= LEAST_WITHOUT_END;
    return whole ? [this.scan(false, at)] : this.spill();
  }

  open(stroke) {
    // A second prefix before any end: the first scan lost its suffix but is whole.
    const before = this.frame?.prefixed && this.frame.strokes.length ? [this.scan(false, stroke.at)] : this.spill();
    this.frame = { prefixed: true, strokes: [], last: stroke.at, startedAt: stroke.at };
    return before;
  }

  end(stroke) {
    if (this.frame === null) {
      if (this.isEchoOfEnd(stroke)) return [];
      return [{ type: "hand", stroke }];
    }
    const { prefixed, strokes } = this.frame;
    if (prefixed && strokes.length === 0) return this.spill();
    if (prefixed || strokes.length >= LEAST_BY_SPEED) return [this.scan(true, stroke.at)];
    return [...this.spill(), { type: "hand", stroke }];
  }

  // CR and LF count once: the second end so soon after the first is the same one.
  isEchoOfEnd(stroke) {
    return stroke.at - this.scanEndedAt <= ECHO_OF_END_MS;
  }

  interrupt(stroke) {
    if (this.frame?.prefixed) return [];
    return [...this.spill(), { type: "hand", stroke }];
  }

  scan(ended, at) {
    const { prefixed, strokes } = this.frame;
    this.frame = null;
    this.scanEndedAt = at;
    return { type: "scan", code: strokes.map((s) => s.character).join(""), prefixed, ended, strokes };
  }

  spill() {
    const strokes = this.frame?.prefixed ? [] : (this.frame?.strokes ?? []);
    this.frame = null;
    return strokes.map((stroke) => ({ type: "hand", stroke }));
  }
}

const AIM = /^\][A-Za-z][0-9A-Za-z]/;

/** Splits a symbology identifier such as `]C1` off the front: `{aim, code}`, aim null where there is none. */
export function splitAim(text) {
  return AIM.test(text) ? { aim: text.slice(0, 3), code: text.slice(3) } : { aim: null, code: text };
}
