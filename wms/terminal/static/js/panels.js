// Puts a newer drawing in a panel's place without taking the focus, the scroll position or the row under the pointer.

import { fill } from "./clock.js";
import * as film from "./film.js";
import { say } from "./page.js";

const held = new Map();
let forcedUntil = 0;

// After one's own deed the list may move at once: one is waiting for it.
export function moveNow() {
  forcedUntil = performance.now() + 4000;
}

export const marks = () =>
  [...document.querySelectorAll("[data-panel]")].map((panel) => `${panel.dataset.panel}:${panel.dataset.mark}`).join(",");

export function show(panels) {
  for (const [name, drawn] of Object.entries(panels)) {
    const panel = document.getElementById(name);
    if (!panel) continue;
    panel.dataset.mark = drawn.mark;
    if (mustWait(panel, drawn)) hold(panel, drawn);
    else put(panel, drawn);
  }
}

const rowsOf = (root) => [...root.querySelectorAll("[data-row]")].map((row) => row.dataset.row);

function mustWait(panel, drawn) {
  if (performance.now() < forcedUntil || !panel.querySelector("[data-row]:hover")) return false;
  return changes(panel, drawn) > 0;
}

function parsed(drawn) {
  const box = document.createElement("template");
  box.innerHTML = drawn.html;
  return box.content;
}

function changes(panel, drawn) {
  const before = rowsOf(panel);
  const after = rowsOf(parsed(drawn));
  const fresh = after.filter((row) => !before.includes(row)).length;
  const gone = before.filter((row) => !after.includes(row)).length;
  const moved = before.join() === after.join() ? 0 : 1;
  return fresh + gone || moved;
}

function hold(panel, drawn) {
  held.set(panel, drawn);
  const place = panel.querySelector("[data-fresh]");
  if (place) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = say("fresh", { n: changes(panel, drawn) });
    button.addEventListener("click", () => release(panel));
    place.replaceChildren(button);
    place.hidden = false;
  }
  panel.addEventListener("pointerleave", () => release(panel), { once: true });
}

function release(panel) {
  const drawn = held.get(panel);
  if (drawn) put(panel, drawn);
}

function put(panel, drawn) {
  held.delete(panel);
  const focus = panel.contains(document.activeElement) ? addressOf(document.activeElement, panel) : null;
  const scrolled = [...panel.querySelectorAll(".scroll")].map((node) => node.scrollTop);
  const typed = [...panel.querySelectorAll("input[name]")].filter((field) => field.value !== field.defaultValue).map((field) => [field.name, field.value]);
  panel.replaceChildren(parsed(drawn));
  fill(panel);
  for (const [name, value] of typed) {
    const field = panel.querySelector(`input[name="${CSS.escape(name)}"]`);
    if (field) field.value = value;
  }
  film.show(panel);
  [...panel.querySelectorAll(".scroll")].forEach((node, number) => { node.scrollTop = scrolled[number] ?? 0; });
  if (focus) find(focus, panel)?.focus({ preventScroll: true });
}

const FOCUSABLE = "a[href], button, input, [tabindex]";

function addressOf(node, panel) {
  const row = node.closest("[data-row]");
  const among = [...(row ?? panel).querySelectorAll(FOCUSABLE)];
  return { key: node.dataset.key, row: row?.dataset.row, number: among.indexOf(node), rowNumber: row ? [...panel.querySelectorAll("[data-row]")].indexOf(row) : -1 };
}

function find(address, panel) {
  if (address.key) return panel.querySelector(`[data-key="${CSS.escape(address.key)}"]`);
  if (address.row === undefined) return panel.querySelectorAll(FOCUSABLE)[address.number];
  const rows = [...panel.querySelectorAll("[data-row]")];
  const row = rows.find((one) => one.dataset.row === address.row) ?? rows[Math.min(address.rowNumber, rows.length - 1)];
  return row?.querySelectorAll(FOCUSABLE)[Math.max(0, address.number)];
}
