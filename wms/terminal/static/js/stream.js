// The live stream. Read with fetch, because EventSource cannot tell why it was refused.

import * as clock from "./clock.js";
import { byId, say, section } from "./page.js";
import { marks, show } from "./panels.js";

const STALE_MS = 3000;
const LOST_MS = 5000;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

let heardAt = performance.now();
let running = null;
let tries = 0;
let refused = "";

const shown = () => new URLSearchParams(location.search);

function address() {
  const asked = shown();
  asked.set("section", section);
  asked.set("have", marks());
  const plot = document.querySelector("[data-width]");
  if (plot) asked.set("width", String(widthOf(plot)));
  return `/terminal/live?${asked}`;
}

const widthOf = (plot) => Math.max(500, Math.round((plot.clientWidth - 20) / 10) * 10);

async function listen() {
  const mine = new AbortController();
  running = mine;
  try {
    const answer = await fetch(address(), { signal: mine.signal, cache: "no-store" });
    if (!answer.ok) return await no(answer, mine);
    refused = "";
    await read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
  } catch (error) {
    if (mine.signal.aborted) return;
  }
  if (running === mine) again();
}

async function no(answer, mine) {
  if (answer.status === 401 || answer.status === 409) return over();
  refused = answer.status === 503 ? say("full") : "";
  if (running === mine) again();
}

function again() {
  const wait = AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)];
  tries += 1;
  setTimeout(listen, wait);
}

async function read(reader) {
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    events.forEach(take);
  }
}

function take(event) {
  heardAt = performance.now();
  tries = 0;
  const name = /^event: (.*)$/m.exec(event)?.[1];
  const data = /^data: (.*)$/m.exec(event)?.[1];
  if (!name || !data) return;
  const content = JSON.parse(data);
  if (name === "gone") return over();
  clock.set(content.now_ms);
  if (name === "panels") show(content.panels);
  look();
}

function over() {
  running?.abort();
  running = null;
  bar(say("logged_out"));
  const link = document.createElement("a");
  link.href = `/terminal/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.className = "btn";
  link.textContent = "→";
  link.setAttribute("aria-label", say("logged_out"));
  byId("off").append(" ", link);
}

function bar(words) {
  const off = byId("off");
  off.hidden = !words;
  if (off.firstChild?.textContent !== words) off.textContent = words;
}

// How old is what is on the screen: told from 3 s on, in red from 5 s on.
function look() {
  const age = performance.now() - heardAt;
  const place = byId("age");
  const words = age < STALE_MS ? say("seconds_ago", { at: clock.toldAt() }) : say("stale", { n: Math.round(age / 1000) });
  if (place && place.textContent !== words) place.textContent = words;
  if (!running) return;
  const seconds = Math.round(age / 1000);
  bar(age < LOST_MS ? "" : refused || say("offline", { age: seconds < 60 ? `${seconds} s` : say("minutes", { n: Math.floor(seconds / 60) }) }));
}

// Ask for other options of the same section (the map's mode, the list): the address keeps them.
export function choose(option) {
  const asked = shown();
  new URLSearchParams(option).forEach((value, name) => asked.set(name, value));
  history.replaceState(null, "", `${location.pathname}?${asked}`);
  restart();
}

function restart() {
  running?.abort();
  listen();
}

// The wave that is shown stays the one that is shown, also when another becomes the first of the list.
function pin() {
  const pinned = document.querySelector("[data-pin]")?.dataset.pin.split("=");
  const asked = shown();
  if (!pinned || asked.has(pinned[0])) return;
  asked.set(...pinned);
  history.replaceState(null, "", `${location.pathname}?${asked}`);
}

export function start() {
  pin();
  listen();
  setInterval(look, 500);
  let was = 0;
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const plot = document.querySelector("[data-width]");
      if (plot && Math.abs(widthOf(plot) - was) > 20) {
        was = widthOf(plot);
        restart();
      }
    }, 300);
  });
  addEventListener("pagehide", () => running?.abort());
}
