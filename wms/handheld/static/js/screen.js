// Draws one screen: status, message, prompt, cards, keys - always in this order. Regions stay in
// place and are only filled, so that live regions speak and nothing takes the focus.

import { drawCard } from "./cards.js";
import { el, press } from "./dom.js";
import { fit, rowsThatFit } from "./fit.js";
import { icon } from "./icons.js";
import { band, isBand, line } from "./message.js";
import { drawEntry } from "./pad.js";

const F_KEYS = ["F1", "F2", "F3", "F4"];
const WHILE_TYPING = new Set(["item", "counts", "text"]);
const ROWS_UNKNOWN = 50;

/** `view`: {screen, message, offline, now_ms, waiting, slow, recent, entry, page, echo, say, clock, chooses, language}. */
export function draw(root, view) {
  const focus = focused();
  paint(root, { ...view, page: 0, page_rows: ROWS_UNKNOWN });
  const list = root.querySelector(".choose");
  const rows = list ? rowsThatFit(list) : ROWS_UNKNOWN;
  if (list && (rows < Number(list.dataset.rows) || view.page > 0)) paint(root, { ...view, page_rows: rows });
  fit(root);
  if (focus) root.querySelector(focus)?.focus({ preventScroll: true });
}

function paint(root, view) {
  const part = (id) => root.querySelector(`#${id}`);
  const banded = isBand(view.message);
  const tight = banded || view.entry !== null;
  const drawn = { ...view, tight, typing: view.entry !== null, counting: (view.screen.cards ?? []).some((card) => card.kind === "count_big") };
  root.dataset.level = view.message?.level ?? "";
  root.classList.toggle("typing", drawn.typing);
  root.classList.toggle("wordy", view.entry?.input.kind === "text");
  root.classList.toggle("offline", Boolean(view.offline));
  part("status").className = view.offline ? "status off" : "status";
  part("status").replaceChildren(...(view.offline ? offlineStatus(view) : status(view)));
  part("alert").replaceChildren(...nodes(view.message?.level === "wrong" ? band(view.message, view.say) : ""));
  part("note").replaceChildren(...nodes(note(view.message, banded, view.say)));
  part("prompt").replaceChildren(...nodes(banded ? "" : prompt(view)));
  part("work").replaceChildren(...nodes(...cardsOf(drawn).map((card) => drawCard(card, drawn)), drawn.typing ? drawEntry(view.entry, view.say) : ""));
  part("keys").replaceChildren(...keys(view));
}

const nodes = (...some) => some.filter((node) => node !== "");

function focused() {
  const { action, value } = document.activeElement?.dataset ?? {};
  if (!action) return null;
  const exact = value === undefined ? "" : `[data-value="${CSS.escape(value)}"]`;
  return `[data-action="${CSS.escape(action)}"]${exact}`;
}

function note(message, banded, say) {
  if (!message || message.level === "wrong") return "";
  if (banded) return band(message, say);
  return message.level === "ok" ? "" : line(message);
}

// The time that is left is the one figure of the status bar that a person glances at.
function statusValue(value) {
  const [, before, time] = /^(.*\s)(-?\d+:\d\d)$/.exec(value) ?? [];
  return time ? [before, el("b", null, time)] : value;
}

function languageKey(view) {
  return press("page:language", { class: "language", "aria-label": view.say("language_key"), lang: view.language === "zh" ? "en" : "zh-CN" },
    el("span", null, view.say("language_short")));
}

function status(view) {
  const entries = (view.screen.status ?? []).map(({ label, value }) => el("span", null, label && el("span", { class: "what" }, label, " "), statusValue(value)));
  const right = view.slow
    ? el("span", { class: "right" }, icon("waiting", 18), el("span", null, view.say("pending", { count: view.waiting })))
    : el("span", { class: "right" }, icon("wifi", 18), el("span", { class: "word" }, view.say("online")));
  return [
    press("more", { class: "title", "aria-label": `${view.screen.title} · ${view.say("more")}` }, el("b", null, view.screen.title)),
    el("div", { class: "entries", "data-fit": "" }, entries), right, languageKey(view),
  ];
}

function offlineStatus(view) {
  const seconds = Math.max(0, Math.floor((view.now_ms - view.offline.since_ms) / 1000));
  const since = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return [
    icon("away", 24, 2.5), el("span", { class: "since" }, view.say("offline", { since })),
    el("span", { class: "right" }, icon("waiting", 20), view.say("pending", { count: view.waiting })), languageKey(view),
  ];
}

function prompt(view) {
  const { screen } = view;
  if (!screen.prompt) return "";
  const pips = (screen.prompt.pips ?? []).map((pip) =>
    el("span", { class: pip.state }, pip.state === "done" && icon("tick", 14, 3), pip.label));
  const right = view.echo ? el("span", { class: "echo" }, view.echo) : pips;
  return el("section", { class: "scan" },
    icon(screen.prompt.icon ?? "barcode", 30), el("h1", { "data-fit": "" }, screen.prompt.text), el("div", { class: "pips" }, right));
}

// While typing, only what the number belongs to stays; offline, what is stored comes before "next".
function cardsOf(view) {
  const cards = view.screen.cards ?? [];
  if (view.typing) return cards.filter((card) => WHILE_TYPING.has(card.kind));
  if (view.tight) return withStored(cards.filter((card) => card.kind !== "next"), view);
  return withStored(cards, view);
}

function withStored(cards, view) {
  if (!view.offline || view.recent.length === 0) return cards;
  const walking = cards.some((card) => card.kind === "location" && card.state === "now");
  const kept = cards.filter((card) => card.kind !== "next" && !(walking && card.kind === "tote"));
  const rows = view.tight ? [] : view.recent.slice(0, walking ? 2 : 1);
  const waits = (view.screen.keys ?? []).find((key) => key.server && key.action !== "more");
  const hint = waits && !view.tight ? [{ kind: "hint", title: waits.label, text: view.say("waits_for_network") }] : [];
  return [...kept, { kind: "stored", title: view.say("stored_safe", { count: view.waiting }), rows }, ...hint];
}

function keys(view) {
  const wanted = view.screen.keys ?? [];
  return F_KEYS.map((name) => {
    const key = wanted.find((one) => one.key === name) ?? (name === "F4" ? { key: name, label: view.say("more"), action: "more" } : null);
    if (!key) return el("span", null);
    const away = Boolean(key.server) && key.action !== "more" && Boolean(view.offline);
    const words = el("span", { "data-fit": "" }, key.label);
    return press(key.action, { "data-key": name, class: away ? "dashed" : "", "aria-disabled": away ? "true" : null }, words, el("small", null, name));
  });
}
