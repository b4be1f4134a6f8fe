// The keyboard: single letters only outside of fields, and only as long as the reader wants them (WCAG 2.1.4).

import { leave, otherLanguage, press, shelve, showKeys, theme } from "./deeds.js";
import { byId } from "./page.js";
import { choose } from "./stream.js";

const LONE = "chuwei-lone-keys";
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.querySelector("button"));

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by));
  all[next].querySelector("button").focus();
}

function nextOf(name) {
  const modes = [...document.querySelectorAll(`[data-option^='${name}=']`)];
  const on = modes.findIndex((mode) => mode.getAttribute("aria-pressed") === "true");
  if (modes.length) choose(modes[(on + 1) % modes.length].dataset.option);
}

const lone = {
  j: () => step(1),
  k: () => step(-1),
  s: () => {
    const row = document.activeElement?.closest("#troubles [data-row]");
    if (row) shelve(row);
  },
  m: () => nextOf("map"),
  v: () => nextOf("view"),
  n: () => document.querySelector("[data-key='after']")?.click(),
  p: () => document.querySelector("[data-key='before']")?.click(),
  t: theme,
  "?": showKeys,
};

function pressed(event) {
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape" && typing) return typing.blur();
  if (event.key === "Enter" && event.ctrlKey) return void byId("primary")?.click();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("find").focus();
    byId("find").select();
    return;
  }
  if (!byId("lonekeys").checked) return;
  const link = /^[1-9]$/.test(event.key) && document.querySelector(`.rail a[data-key="${event.key}"]`);
  if (link) return location.assign(link.href);
  const does = lone[event.key.toLowerCase()];
  if (does) {
    event.preventDefault();
    does();
  }
}

export function start() {
  const box = byId("lonekeys");
  box.checked = localStorage.getItem(LONE) !== "off";
  box.addEventListener("change", () => localStorage.setItem(LONE, box.checked ? "on" : "off"));
  addEventListener("keydown", pressed);
  byId("theme").addEventListener("click", theme);
  byId("language").addEventListener("click", otherLanguage);
  byId("leave").addEventListener("click", leave);
  byId("keys").addEventListener("click", showKeys);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, g[data-option]");
    if (button?.dataset.deed) press(button);
    else if (button?.dataset.option) choose(button.dataset.option);
  });
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.choose;
    if (name) choose(new URLSearchParams([[name, event.target.value]]).toString());
  });
}
