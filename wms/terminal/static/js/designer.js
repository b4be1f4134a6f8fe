// A label's fields beside its print: what is typed shows at once, and is kept only by "save".

import { act } from "./deeds.js";
import { byId, post } from "./page.js";
import { moveNow } from "./panels.js";

const WAIT_MS = 250;
const NEW = { is: "words", x: 4, y: 4, w: 40, h: 5, say: "", size: 3.4 };
const LOGO = { x: 4, y: 4, w: 20, h: 12 };
let waiting = 0;
let asked = 0;

const designer = () => document.querySelector(".designer");
const rows = () => [...designer().querySelectorAll("[data-element]")];

function read(row) {
  const element = JSON.parse(row.dataset.element);
  for (const field of row.querySelectorAll("input[name], select[name]")) {
    if (field.type === "checkbox") element[field.name] = field.checked;
    else element[field.name] = field.type === "number" ? field.valueAsNumber : field.value;
  }
  return element;
}

const elements = () => rows().map(read);

async function preview() {
  const number = ++asked;
  const { ok, content } = await post("labels/preview", { label: designer().dataset.label, elements: elements(), dpi: 203 });
  if (number !== asked) return;
  if (ok) byId("preview").src = `data:image/png;base64,${content.png}`;
  byId("design_says").textContent = ok ? "" : content.error.message;
  byId("design_says").classList.toggle("bad", !ok);
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(preview, WAIT_MS);
}

// A new row is a copy of the first row of words, so that it has the same fields and names.
function add(element) {
  const pattern = rows().find((row) => JSON.parse(row.dataset.element).is === (element.is === "picture" ? "frame" : "words")) ?? rows()[0];
  const row = pattern.cloneNode(true);
  row.dataset.element = JSON.stringify(element);
  for (const field of row.querySelectorAll("input[name], select[name]")) {
    if (!(field.name in element)) { if (element.is === "picture") field.remove(); else if (field.type === "checkbox") field.checked = false; continue; }
    field.value = element[field.name];
  }
  designer().querySelector("tbody").append(row);
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("input")?.focus();
  soon();
}

async function logo(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  add({ is: "picture", ...LOGO, png: btoa(String.fromCharCode(...bytes)) });
}

async function save() {
  moveNow();
  await act("save_design", { label: designer().dataset.label, of: Number(designer().dataset.of), elements: elements() });
}

export function start() {
  document.addEventListener("input", (event) => { if (event.target.closest("[data-element]")) soon(); });
  document.addEventListener("change", (event) => {
    if (event.target.dataset.design === "logo" && event.target.files.length) logo(event.target.files[0]);
  });
  document.addEventListener("click", (event) => {
    const what = event.target.closest("[data-design]")?.dataset.design;
    if (what === "remove") { event.target.closest("[data-element]").remove(); soon(); }
    if (what === "add") add(NEW);
    if (what === "save") save();
  });
}
