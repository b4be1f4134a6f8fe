// The band that says right or wrong: shape, sentence, code, expected against scanned with the
// differing digits underlined, and what to do. It stands until the next scan and takes no focus.

import { el } from "./dom.js";
import { shape } from "./icons.js";

const BANDS = new Set(["wrong", "attention", "intercepted"]);
const TAIL = 6;
const WHOLE_MAX = 9;
const CODE_BESIDE_MAX = 8;

const CODE = /([A-Z0-9]+(?:-[A-Z0-9]+)+)/;

/** A sentence whose codes stay whole: a line never ends within one. */
export function sentence(text) {
  return text.split(CODE).map((part, at) => (at % 2 ? el("span", { class: "whole" }, part) : part));
}

/** Does this message take the prompt's place? */
export function isBand(message) {
  return BANDS.has(message?.level);
}

/** Which places of two codes differ, as `[from, to)` in each: pure. Equal heads and tails are left alone. */
export function difference(one, other) {
  if (one.length === other.length) {
    const places = [...one].map((character, at) => (character === other[at] ? -1 : at)).filter((at) => at >= 0);
    const from = places[0] ?? 0;
    const to = places.length ? places.at(-1) + 1 : 0;
    return { one: [from, to], other: [from, to] };
  }
  const shortest = Math.min(one.length, other.length);
  let head = 0;
  while (head < shortest && one[head] === other[head]) head += 1;
  let tail = 0;
  while (tail < shortest - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail += 1;
  return { one: [head, one.length - tail], other: [head, other.length - tail] };
}

/** The part of two codes that people compare: long numbers by their last six, if the difference is there. */
export function excerpt(one, other) {
  const apart = difference(one, other);
  const numbers = /^[\d…]+$/.test(one + other) && one.length === other.length && one.length > WHOLE_MAX;
  const cut = numbers && apart.one[0] >= one.length - TAIL ? one.length - TAIL : 0;
  return { cut, ...apart };
}

function compared(code, [from, to], cut) {
  const text = cut ? code.slice(cut) : code;
  const [start, end] = [Math.max(0, from - cut), Math.max(0, to - cut)];
  const marked = [...text].map((character, at) => {
    const gap = cut && at === TAIL - 4 ? " " : "";
    return [gap, at >= start && at < end ? el("u", null, character) : character];
  });
  return el("b", { class: text.length > 16 ? "longest" : text.length > WHOLE_MAX ? "long" : "" }, cut ? "…" : "", marked);
}

function comparison(message, say) {
  const expected = message.expected ?? "";
  const told = !expected && message.title.includes(message.scanned); // the sentence has the code in it already
  const scanned = told ? "" : message.scanned ?? "";
  if (!expected && !scanned) return "";
  const { cut, one, other } = expected && scanned ? excerpt(expected, scanned) : { cut: 0, one: [0, 0], other: [0, 0] };
  const line = (word, code, marks, name) => [el("span", null, word), compared(code, marks, cut), el("span", { class: "name" }, name)];
  return el("div", { class: "compare" },
    expected && line(say("expected"), expected, one, message.expected_name),
    scanned && line(say("scanned"), scanned, other, message.scanned_name));
}

/** The full band for wrong, attention and intercepted. */
export function band(message, say) {
  const code = message.code && el("code", null, message.code);
  const beside = (message.code ?? "").length <= CODE_BESIDE_MAX;
  return el("div", { class: `band ${message.level}` },
    shape(message.level),
    el("div", { class: "said" },
      el("h2", null, el("span", { "data-fit": "" }, sentence(message.title)), beside && code),
      comparison(message, say), !beside && code),
    message.text && el("div", { class: "do", "data-fit": "box" }, sentence(message.text)));
}

/** The slim line for done, info and an ok with words; nothing is asked of the hand. */
export function line(message) {
  if (!message?.title && !message?.text) return "";
  return el("div", { class: `saidline ${message.level}` },
    shape(message.level, 26), el("b", null, message.title), message.text && el("span", null, message.text));
}
