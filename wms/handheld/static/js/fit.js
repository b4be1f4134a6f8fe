// Nothing on the PDA scrolls. What is too long for its place is set smaller, step by step, by
// classes (`fit-1` ...); what is too much for the screen goes in a fixed order (`cramped-1` ...).

const FITS = ["fit-1", "fit-2", "fit-3", "fit-4"];
const CRAMPED = ["cramped-1", "cramped-2", "cramped-3"];
const ROUNDING_PX = 1;

// One line (`data-fit=""`) is only ever too wide: its glyphs may stand out above and below by their
// nature. Its width is measured in fractions, as an ellipsis comes for a tenth of a pixel.
function overflows(node) {
  if (node.dataset.fit === "") return contentWidth(node) > node.getBoundingClientRect().width + 0.05;
  return node.scrollHeight > node.clientHeight + ROUNDING_PX || node.scrollWidth > node.clientWidth + ROUNDING_PX;
}

function contentWidth(node) {
  const content = document.createRange();
  content.selectNodeContents(node);
  return content.getBoundingClientRect().width;
}

function step(node, classes) {
  for (const name of classes) {
    if (!overflows(node)) return;
    node.classList.add(name);
  }
}

export function fit(root) {
  const work = root.querySelector("#work");
  work.classList.remove(...CRAMPED);
  for (const node of root.querySelectorAll("[data-fit]")) step(node, FITS);
  step(work, CRAMPED);
}

/** How many rows of a list fit where it stands, room being kept for "next page" if not all do. */
export function rowsThatFit(list) {
  const rows = [...list.children];
  if (rows.length === 0) return 1;
  const end = list.getBoundingClientRect().bottom + ROUNDING_PX;
  const pitch = rows[0].offsetHeight + (parseFloat(getComputedStyle(list).rowGap) || 0);
  const within = (spare) => rows.filter((row) => row.getBoundingClientRect().bottom + spare <= end).length;
  return Number(list.dataset.rows) <= within(0) ? Number(list.dataset.rows) : Math.max(1, within(pitch));
}
