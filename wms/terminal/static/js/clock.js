// Business time on the page: it runs from the server's last word at the server's rate, and fills every age.

import { body, byId, language, say } from "./page.js";

const rate = Number(body.dataset.rate) || 1;
let toldMs = Number(body.dataset.now);
let heardAt = performance.now();
const zone = body.dataset.zone;
const hours = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeZone: zone, month: "short", day: "numeric", weekday: "short" });

export function set(nowMs) {
  toldMs = nowMs;
  heardAt = performance.now();
}

export const now = () => toldMs + (performance.now() - heardAt) * rate;
export const toldAt = () => seconds.format(new Date(toldMs));

const two = (number) => String(number).padStart(2, "0");

function span(ms) {
  const minutes = Math.floor(ms / 60000);
  if (minutes >= 2 * 24 * 60) return say("days", { n: Math.floor(minutes / (24 * 60)) });
  return minutes < 60 ? say("minutes", { n: minutes }) : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
}

const ways = {
  since: (at, moment) => span(Math.max(0, moment - at)),
  clock: (at, moment) => {
    const s = Math.max(0, Math.floor((moment - at) / 1000));
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)}`;
  },
  left: (at, moment) => {
    const minutes = Math.ceil(Math.abs(at - moment) / 60000);
    return `${at < moment ? "−" : ""}${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
  },
};

export function fill(root = document) {
  const moment = now();
  for (const node of root.querySelectorAll("time[data-as]")) {
    const words = ways[node.dataset.as](Number(node.dataset.at), moment);
    if (node.textContent !== words) node.textContent = words;
  }
}

function tick() {
  const moment = new Date(now());
  byId("clock").textContent = hours.format(moment);
  byId("date").textContent = days.format(moment).replace(",", "");
  fill();
}

export function start() {
  tick();
  setInterval(tick, 1000);
}
