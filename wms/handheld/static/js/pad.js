// Typing without the system's keyboard: the page's own digits and letters, at least 48 px each,
// and the hardware keys of PDAs that have them. The typed text lives here, not in a field, so
// that an IME has nothing to compose into.

import { el, press } from "./dom.js";
import { icon } from "./icons.js";

const TEXT_MAX = 128;
const DATE_DIGITS = 8;
const LETTER_ROWS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";

export class Entry {
  /** `input` as in the envelope. */
  constructor(input) {
    this.input = input;
    this.text = input.kind === "date" ? String(input.value ?? "").replaceAll("-", "") : String(input.value ?? "");
    this.fresh = true; // the first digit replaces a proposed value, as on a calculator
    this.letters = false;
  }

  type(character) {
    const { kind } = this.input;
    if (kind !== "text" && !/^\d$/.test(character)) return;
    const before = this.fresh ? "" : this.text;
    const most = kind === "date" ? DATE_DIGITS : kind === "text" ? TEXT_MAX : kind === "pin" ? 12 : 6;
    this.fresh = false;
    if (before.length < most) this.text = before + character;
  }

  erase() {
    this.fresh = false;
    this.text = this.text.slice(0, -1);
  }

  /** What is sent on Enter, or `{hint}` naming what is missing. */
  result() {
    const { kind, min, max } = this.input;
    if (this.text === "") return { hint: "type_something" };
    if (kind === "date") return dateOf(this.text);
    if (kind !== "quantity") return { value: this.text };
    const number = Number(this.text);
    const within = number >= (min ?? 0) && number <= (max ?? Number.MAX_SAFE_INTEGER);
    return within ? { value: String(number) } : { hint: "out_of_range" };
  }

  /** What the eyes see: dots for a PIN, dashes in a date. */
  get shown() {
    if (this.input.kind === "pin") return "●".repeat(this.text.length);
    if (this.input.kind !== "date") return this.text;
    const filled = this.text.padEnd(DATE_DIGITS, "_");
    return `${filled.slice(0, 4)}-${filled.slice(4, 6)}-${filled.slice(6)}`;
  }
}

/** `20270318` or `270318` as a day that exists. */
export function dateOf(text) {
  const full = text.length === 6 ? `20${text}` : text;
  if (full.length !== DATE_DIGITS) return { hint: "whole_date" };
  const value = `${full.slice(0, 4)}-${full.slice(4, 6)}-${full.slice(6)}`;
  const day = new Date(`${value}T00:00:00Z`);
  const exists = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
  return exists ? { value } : { hint: "no_such_day" };
}

function range({ min, max }) {
  if (min === undefined || min === null || max === undefined || max === null) return "";
  return `${min}–${max}`;
}

/** The shown value above its pad. */
export function drawEntry(entry, say) {
  const { kind, label } = entry.input;
  const shown = el("output", { class: `typed ${kind} ${entry.fresh && entry.text ? "proposed" : ""}`, "aria-label": label }, entry.shown);
  return el("section", { class: "entry", "data-card": "entry" },
    el("div", { class: "field" }, el("span", { class: "label" }, label), shown,
      kind === "quantity" && el("span", { class: "label range" }, range(entry.input)),
      kind === "text" && press("pad:system", { class: "system" }, icon("keyboard", 22), say("system_keyboard"))),
    entry.letters ? letters(say) : digits(entry, say));
}

function key(character) {
  return press("pad:type", { "data-value": character }, character);
}

function digits(entry, say) {
  const corner = entry.input.kind === "text"
    ? [press("pad:letters", { class: "word" }, "ABC"), key("0"), key("-")]
    : [press("pad:erase", { "aria-label": say("erase") }, icon("erase", 28)), key("0"), press("pad:enter", { class: "enter" }, say("enter"))];
  const last = entry.input.kind === "text"
    ? [press("pad:erase", { "aria-label": say("erase"), class: "wide" }, icon("erase", 28)), press("pad:enter", { class: "enter wide" }, say("enter"))]
    : [];
  return el("div", { class: `pad ${last.length ? "five" : ""}` }, [..."123456789"].map(key), corner, last);
}

function letters(say) {
  return el("div", { class: "pad letters" }, [...LETTER_ROWS].map(key),
    press("pad:letters", { class: "word" }, "123"),
    press("pad:erase", { "aria-label": say("erase") }, icon("erase", 26)),
    press("pad:enter", { class: "enter" }, say("enter")));
}

/** For words no pad has (a reason in Chinese): the system's keyboard, only when asked for. */
export function systemField(entry, onDone) {
  const field = el("input", { type: "text", class: "system-field", "aria-label": entry.input.label, maxlength: TEXT_MAX, autocomplete: "off" });
  field.value = entry.fresh ? "" : entry.text;
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    onDone(field.value);
  });
  return field;
}
