// What the server wrote into the page: the words its script says, the CSRF mark, the section.

export const body = document.body;
export const section = body.dataset.section;
export const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = JSON.parse(body.dataset.texts);
const csrf = document.querySelector('meta[name="csrf"]').content;

export function say(key, facts = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

export const byId = (id) => document.getElementById(id);

// A command: JSON out, JSON back. Throws TypeError where no answer came.
export async function post(path, content = {}) {
  const answer = await fetch(`/terminal/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF": csrf },
    body: JSON.stringify(content),
  });
  return { ok: answer.ok, status: answer.status, content: await answer.json() };
}

let clearing = 0;

// A line in the bar: it moves nothing and takes no focus. What went wrong stays until the next word.
export function tell(words, wrong = false) {
  clearTimeout(clearing);
  byId("said").textContent = wrong ? "" : words;
  byId("wrong").textContent = wrong ? words : "";
  if (!wrong) clearing = setTimeout(() => { byId("said").textContent = ""; }, 8000);
}
