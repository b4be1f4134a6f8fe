// One function per kind of card. A card in state `now` is black and takes the room that is left;
// a finished one shrinks and gets a tick. `view` brings the words (`say`) and how tight it is.

import { el, press } from "./dom.js";
import { cartmap, map, rack, walkmap } from "./drawings.js";
import { icon } from "./icons.js";

const FIGURE_ROOM = { 1: "d1", 2: "d2", 3: "d3" };

function card(kind, data, ...children) {
  return el("section", { class: `card ${kind} ${data.state ?? ""}`, "data-card": kind }, ...children);
}

function label(text, state, view) {
  const ticked = state === "done" && el("span", { class: "ticked" }, icon("tick", 16, 3), view.tight ? "" : view.say("scanned_right"));
  return el("div", { class: "label" }, text, ticked);
}

/** Slot codes read in groups: their dashes are light. */
function slotCode(code) {
  const parts = code.split("-").flatMap((part, at) => (at ? [el("i", null, "-"), part] : [part]));
  const length = code.length > 11 ? "long" : code.length > 8 ? "middle" : "";
  return el("div", { class: `code ${length}` }, parts);
}

function location(data, view) {
  const words = (data.words ?? "").split(" · ").filter(Boolean);
  const drawn = (height) => data.levels > 0 && rack(data.level, data.levels, height, view.say(data.level ? "level_of" : "whole_bay", data));
  if (data.state === "now") {
    const walk = data.walk_m === null || data.walk_m === undefined ? "" : ` · ${view.say("walk", data)}`;
    return el("section", { class: "card location now", "data-card": "location", "data-fit": "box" },
      el("div", { class: "label" }, data.label + walk), slotCode(data.code),
      el("div", { class: data.map ? "where mapped" : "where" }, drawn(84), el("div", { class: "words" }, words.map((word) => el("div", null, word))),
        data.map && walkmap(data.map, view.say("walk_map"))));
  }
  if (view.tight || data.state === "next") {
    const short = words.length > 1 ? words.slice(1) : words;
    return el("section", { class: `card mini ${data.state}`, "data-card": "location" },
      label(data.label, data.state, { ...view, tight: true }), el("b", null, data.code), el("span", { class: "rest" }, short.join(" · ")));
  }
  return card("location", data,
    el("div", { class: "grow" }, label(data.label, data.state, view), slotCode(data.code), el("div", { class: "words", "data-fit": "" }, data.words)),
    drawn(70));
}

// "50 g" never breaks between the number and its unit.
function goodsName(name) {
  return name.replace(/(\d) (?=[A-Za-z]{1,2}\b)/g, "$1\u00a0");
}

// While counting, the count is the figure; the goods are its headline.
function headline({ label: above, title, lines }) {
  return card("headline now", {},
    above && el("div", { class: "label" }, above), el("h2", { "data-fit": "box" }, goodsName(title)),
    lines.length > 0 && el("div", { class: "lines" }, lines.join(" · ")));
}

function item(data, view) {
  const figure = String(data.quantity ?? "");
  if (view.counting && !view.typing) return headline({ label: data.label, title: data.name, lines: [data.tail && `${view.say("tail")} ${data.tail}`, ...(data.lines ?? [])].filter(Boolean) });
  if ((data.state ?? "now") !== "now" || view.typing) {
    const state = view.typing && data.state === "now" ? "" : data.state;
    return card("item brief", { state },
      el("div", { class: "grow" }, label(data.label, data.state, view), el("b", { class: "name", "data-fit": "" }, goodsName(data.name))),
      data.tail && view.typing ? el("span", { class: "tailonly" }, `…${data.tail}`) : "",
      el("b", { class: "figure" }, figure, el("span", null, data.unit)));
  }
  return card("item", { ...data, state: "now" },
    el("div", { class: "what", "data-fit": "box" },
      el("div", { class: "label" }, data.label),
      el("h2", null, goodsName(data.name)),
      data.tail && el("div", { class: "tail" }, view.say("tail"), " ", el("b", null, data.tail)),
      (data.lines ?? []).length > 0 && el("div", { class: "lines" }, data.lines.map((line) => el("div", null, line)))),
    figure && el("div", { class: `figure ${FIGURE_ROOM[figure.length] ?? "d4"}` }, el("b", null, figure), el("span", null, data.unit)));
}

const COUNTED = ["should", "done", "left", "short"];

function counts(data, view) {
  const words = COUNTED.map((name, at) => data.labels?.[at] || view.say(`count_${name}`));
  const stacked = words.some((word) => word.length > 2);
  const many = COUNTED.some((name) => data[name] >= 100_000) ? "many" : "";
  return el("section", { class: `strip ${stacked ? "stacked" : ""} ${many}`, "data-card": "counts" },
    COUNTED.map((name, at) => el("div", { class: data.now === name ? "now" : "" }, el("span", null, words[at]), el("b", null, data[name]))));
}

function tote(data, view) {
  const drawn = data.positions > 0 && cartmap(data.position, data.positions, view.say("place_of", data));
  return card("tote", data,
    el("div", { class: "grow" }, label(data.label, data.state, view), el("b", { class: "text", "data-fit": "" }, data.text)), drawn);
}

function next(data, view) {
  const walk = data.walk_m === null || data.walk_m === undefined ? "" : view.say("metres", data);
  return el("div", { class: "following", "data-card": "next" },
    icon("arrow", 18), el("span", null, data.label), el("b", null, data.code), walk && el("span", null, walk), el("span", { class: "right" }, data.tail));
}

function facts(data) {
  const note = (row) => {
    if (!row.note) return el("span", null);
    if (row.good === true) return el("span", { class: "note good" }, icon("tick", 18, 3), row.note);
    return el("span", { class: `note ${row.good === false ? "bad" : ""}` }, row.good === false ? "! " : "", row.note);
  };
  return card("facts", data,
    data.title && el("h2", null, data.title),
    el("div", { class: "rows" }, (data.rows ?? []).map((row) => [
      el("span", { class: "label" }, row.label),
      el("div", { class: "value" }, el("b", { class: row.value.length > 11 ? "long" : "" }, row.value), note(row))])));
}

function countBig(data, view) {
  const figure = String(data.value);
  const step = (action, sign, words) => action && press(action, { class: "step", "data-again": "1", "aria-label": `${sign}1 ${words}` }, `${sign}1`);
  return card("count", data,
    step(data.minus, "−", view.say("minus_one")),
    el("div", { class: `figure ${FIGURE_ROOM[figure.length] ?? "d4"}` },
      el("div", { class: "label" }, data.label), el("b", null, figure), el("span", null, data.tail)),
    step(data.plus, "+", view.say("plus_one")));
}

// The menu's rows are dialogues by name; each has its picture beside its word.
const PICTURES = {
  get_work: "list", receive: "receive", putaway: "putaway", move: "move", replenish: "putaway", single_wave: "cart", cluster_pick: "cart",
  zone_relay: "cart", put_wall: "wall", pack: "pack", pack_check: "pack", free_check: "pack", weigh: "scale", line_assist: "sort", handover: "truck",
  intercept: "hold", return: "back", returns: "back", count: "count", kit: "kit", hold: "hold", look_up: "find",
};

// Many short rows stand side by side, so that a menu is one page; only the first may have a note and the full width.
function sideBySide(rows) {
  return rows.length > 7 && rows.slice(1).every((row) => !row.note && row.title.length <= (/[A-Za-z]/.test(row.title) ? 14 : 7));
}

function choose(data, view) {
  const rows = data.rows ?? [];
  const from = Math.min(view.page * view.page_rows, Math.max(0, rows.length - 1));
  const shown = rows.slice(from, from + view.page_rows);
  return el("section", { class: `choose ${sideBySide(rows) ? "two" : ""}`, "data-card": "choose", "data-rows": rows.length, "data-per-page": view.page_rows },
    shown.map((row, at) => press(row.action ?? view.chooses, { class: `row ${row.tone ?? ""}`, "data-value": row.value, "data-note": row.note ? "1" : null, "aria-disabled": row.off ? "true" : null },
      row.icon || PICTURES[row.value] ? icon(row.icon ?? PICTURES[row.value], 26) : el("span", { class: "number", "aria-hidden": "true" }, at + 1),
      el("span", { class: "words" }, el("b", { "data-fit": "" }, row.title), row.note && el("small", null, row.note)),
      row.count !== undefined && el("b", { class: "amount" }, row.count), row.on !== undefined && el("span", { class: `switch ${row.on ? "on" : ""}` }, view.say(row.on ? "on" : "off")))),
    rows.length > view.page_rows && press("page:turn", { class: "row turn" }, icon("arrow", 22),
      view.say("page_of", { page: Math.floor(from / view.page_rows) + 1, pages: Math.ceil(rows.length / view.page_rows) })));
}

function big(data) {
  const length = data.value.length;
  return card("big", { ...data, state: data.state ?? "now" },
    el("div", { class: "label" }, data.label),
    el("div", { class: `figure ${FIGURE_ROOM[length] ?? (length < 6 ? "d4" : "d6")}` }, el("b", null, data.value), el("span", null, data.unit)),
    data.tail && el("div", { class: "tailtext", "data-fit": "" }, data.tail));
}

function hint(data) {
  return el("div", { class: "following", "data-card": "hint" }, el("b", null, data.title), el("span", null, data.text));
}

function text(data, view) {
  if (data.state === "now" && view.counting) return headline({ ...data, lines: [data.text].filter(Boolean) });
  return card("text", data, el("h2", null, data.title), data.text && el("p", { "data-fit": "box" }, data.text));
}

function welcome(data) {
  return card("welcome", { ...data, state: "now" }, icon("badge", 96, 1.5), el("h2", null, data.title), el("p", { "data-fit": "box" }, data.text));
}

function drawnMap(data, view) {
  return card("plan", data, map(data.svg_path, data.view, view.say("map")));
}

function stored(data, view) {
  return card("stored", data,
    el("h2", null, icon(data.icon ?? "waiting", 18), data.title),
    el("ul", null, data.rows.map((row) => el("li", null, icon("waiting", 16), el("span", { class: "words" }, row.words), el("time", null, view.clock(row.at_ms))))));
}

const KINDS = {
  location, item, counts, tote, next, facts, count_big: countBig, choose, big, text, map: drawnMap, stored, welcome, hint,
};

/** The element for one card of the envelope; a kind this page does not know is left out. */
export function drawCard(data, view) {
  return KINDS[data.kind]?.(data, view) ?? "";
}
