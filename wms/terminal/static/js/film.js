// The line's last hours as a film: a moment is chosen or played, and the table shows each chute as it was then.

const STEP_MS = 500;
let playing = 0;

const filmIn = (root) => root.querySelector("[data-film]");

export function show(root) {
  const film = filmIn(root);
  if (!film) return;
  const at = film.querySelector("input").valueAsNumber;
  let all = 0;
  let rejected = 0;
  for (const row of root.querySelectorAll(".strip tbody tr")) {
    const fields = [...row.querySelectorAll("td")];
    const parcels = Number(fields[at].title);
    fields.forEach((field, number) => field.classList.toggle("at", number === at));
    const bar = row.querySelector("rect[data-most]");
    bar.setAttribute("width", String(Math.round((44 * parcels) / Number(bar.dataset.most))));
    row.querySelector(".then span").textContent = String(parcels);
    all += parcels;
    if (row === row.parentNode.firstElementChild) rejected = parcels;
  }
  const facts = { at: JSON.parse(film.dataset.times)[at], all, rejected };
  film.querySelector("output").textContent = film.dataset.says.replace(/%(\w+)/g, (_, name) => facts[name]);
  film.querySelector("[data-film-play]").setAttribute("aria-pressed", String(playing !== 0));
}

function stop() {
  clearInterval(playing);
  playing = 0;
}

function next() {
  const film = filmIn(document);
  const moment = film?.querySelector("input");
  if (!moment || moment.valueAsNumber >= Number(moment.max)) stop();
  else moment.value = String(moment.valueAsNumber + 1);
  show(document);
}

function play() {
  if (playing) stop();
  else {
    const moment = filmIn(document).querySelector("input");
    if (moment.value === moment.max) moment.value = moment.min;
    playing = setInterval(next, STEP_MS);
  }
  show(document);
}

export function start() {
  show(document);
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-film] input")) return;
    stop();
    show(document);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-film-play]")) play();
  });
}
