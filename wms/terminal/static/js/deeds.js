// Buttons that do something. Each press has an id; a press without an answer keeps it, so that nothing is done twice.

import { byId, language, post, say, tell } from "./page.js";
import { moveNow } from "./panels.js";

const unanswered = new Map();

export async function press(button) {
  if (button.getAttribute("aria-busy") === "true") return;
  const { deed, args } = button.dataset;
  button.setAttribute("aria-busy", "true");
  moveNow();
  const done = await act(deed, { ...JSON.parse(args), ...fieldsBeside(button) });
  if (done) emptyBeside(button);
  button.removeAttribute("aria-busy");
}

const fieldsOf = (button) => [...(button.closest("[data-fields]")?.querySelectorAll("input[name]") ?? [])];

// What was typed beside the button, by its names: numbers as numbers (none: null), all else as text.
function fieldsBeside(button) {
  const valueOf = (field) => (field.type === "number" ? (field.value === "" ? null : field.valueAsNumber) : field.value);
  return Object.fromEntries(fieldsOf(button).map((field) => [field.name, valueOf(field)]));
}

// What is done is not typed any more: each field shows again what the page says.
function emptyBeside(button) {
  for (const field of fieldsOf(button)) field.value = field.defaultValue;
}

export async function act(deed, args) {
  const what = `${deed} ${JSON.stringify(args)}`;
  const id = unanswered.get(what) ?? crypto.randomUUID();
  unanswered.set(what, id);
  try {
    const { ok, content } = await post("do", { id, deed, args });
    unanswered.delete(what);
    if (ok) tell(content.says);
    else tell(`${content.error.message} (${content.error.reason})`, true);
    return ok;
  } catch (error) {
    tell(say("no_answer"), true);
    return false;
  }
}

export function shelve(row) {
  moveNow();
  return act("acknowledge", { key: row.dataset.row, why: "later" });
}

export async function theme() {
  const root = document.documentElement;
  const chosen = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = chosen;
  await quietly("theme", { theme: chosen });
}

export async function otherLanguage() {
  if (await quietly("language", { language: language === "zh" ? "en" : "zh" })) location.reload();
}

export async function leave() {
  if (await quietly("logout")) location.assign("/terminal/login");
}

async function quietly(path, content) {
  try {
    const answer = await post(path, content);
    if (!answer.ok) tell(`${answer.content.error.message} (${answer.content.error.reason})`, true);
    return answer.ok;
  } catch (error) {
    tell(say("no_answer"), true);
    return false;
  }
}

export function showKeys() {
  const all = byId("allkeys");
  all.hidden = !all.hidden;
  byId("keys").setAttribute("aria-expanded", String(!all.hidden));
}
