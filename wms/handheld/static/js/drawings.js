// Small pictures that a hand reads faster than words: the rack with its level, the cart with its
// place, the map. Colours come from classes, sizes from attributes.

import { el, svg } from "./dom.js";

const LEVELS_DRAWN_MAX = 8;

/** A rack of `levels`, the wanted one filled, all of them for level 0; 74 x 70 units. */
export function rack(level, levels, height, label) {
  const count = Math.min(Math.max(levels, level, 1), LEVELS_DRAWN_MAX);
  const pitch = 70 / count;
  const box = svg("svg", { class: "rack", height, viewBox: "0 0 74 70", role: "img", "aria-label": label });
  for (let at = 1; at <= count; at += 1) {
    const top = 70 - at * pitch + 1;
    const here = !level || at === level ? "here" : "other";
    const size = Math.min(13, pitch - 1);
    box.append(
      svg("rect", { class: here, x: 18, y: top, width: 54, height: pitch - 2, rx: 1.5, "stroke-width": 1.5 }),
      svg("text", { class: here, x: 8, y: top + pitch / 2 + size * 0.3, "font-size": size, "text-anchor": "middle" }, at),
    );
  }
  return box;
}

/** The cart's places in reading order, the wanted one black. */
export function cartmap(position, positions, label) {
  const places = Array.from({ length: positions }, (_, at) => el("i", { class: at + 1 === position ? "x" : "" }, at + 1));
  const rows = positions > 8 ? "dense" : "";
  return el("div", { class: `cartmap ${rows} n${Math.ceil(positions / 2) > 6 ? 8 : 4}`, role: "img", "aria-label": label }, places);
}

/** The way to the next slot thick, the rest of the walk thin, closed aisles crossed out; `there` is the filled square. */
export function walkmap(data, label) {
  const [, , width, height] = data.view;
  const unit = Math.max(width, height) / 100;
  const line = (kind, points) => (points ? svg("polyline", { class: kind, points, "vector-effect": "non-scaling-stroke" }) : "");
  const stroke = (kind, d) => (d ? svg("path", { class: kind, d, "vector-effect": "non-scaling-stroke" }) : "");
  const [x, y] = data.there;
  return svg("svg", { class: "walkmap", viewBox: data.view.join(" "), role: "img", "aria-label": label },
    stroke("floor", data.aisles), stroke("shut", data.shut), line("rest", data.rest), line("leg", data.leg),
    svg("circle", { class: "here", cx: data.here[0], cy: data.here[1], r: 2.6 * unit, "vector-effect": "non-scaling-stroke" }),
    svg("rect", { class: "there", x: x - 3.4 * unit, y: y - 3.4 * unit, width: 6.8 * unit, height: 6.8 * unit }));
}

/** A map's path in its own units. */
export function map(path, view, label) {
  return svg("svg", { class: "map", viewBox: view.join(" "), role: "img", "aria-label": label },
    svg("path", { d: path, "vector-effect": "non-scaling-stroke" }));
}
