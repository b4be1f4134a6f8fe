// The page's own line icons: 24-unit grid, 2 px stroke, always beside a word.

import { svg } from "./dom.js";

const PATHS = {
  barcode: "M4 8V5h3M17 5h3v3M20 16v3h-3M7 19H4v-3M8 8v8M11 8v8M14 8v8M16.5 8v8",
  tick: "M4 12.5l5.5 5.5L20 7",
  arrow: "M5 12h13M13 6l6 6-6 6",
  wifi: "M4 10a12 12 0 0 1 16 0M7 13.5a7.5 7.5 0 0 1 10 0M10.2 17a3 3 0 0 1 3.6 0",
  away: "M7 18h10a4 4 0 0 0 1.5-7.7A6 6 0 0 0 8 7.5M6 10.5A4 4 0 0 0 7 18M3 3l18 18",
  waiting: "M7 4h10M7 20h10M8 4c0 4 8 5 8 8s-8 4-8 8M16 4c0 4-8 5-8 8",
  badge: "M5 7h14v13H5zM10 7V4h4v3M9.5 16.5a2.5 2.5 0 0 1 5 0M12 10.5a1.6 1.6 0 1 1 0 3.2a1.6 1.6 0 1 1 0-3.2",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5",
  person: "M12 4a4 4 0 1 1 0 8a4 4 0 1 1 0-8M4.5 20a7.5 7.5 0 0 1 15 0",
  receive: "M4 20h16M6 20V10h12v10M12 3v9M8.5 9l3.5 3.5L15.5 9",
  putaway: "M4 3v18M20 3v18M4 10h16M4 18h16M12 15V4M9 7l3-3 3 3",
  move: "M4 8h13M14 4.5L17.5 8 14 11.5M20 16H7M10 12.5L6.500 16 10 19.5",
  cart: "M3 4h3l2.5 11h9L20 7H7M10 19.5h.01M16.5 19.5h.01",
  tote: "M4 8h16l-1.5 12h-13zM3 5h18v3H3zM9.500 12.5h5",
  pack: "M4 8l8-4 8 4v9l-8 4-8-4zM4 8l8 4 8-4M12 12v9",
  scale: "M5 20h14l-1.5-9h-11zM12 11V8M7 5h10M9 15.5a3 3 0 0 1 6 0",
  truck: "M3 6h11v11H3zM14 10h4l3 3v4h-7M7 17.500a1.800 1.800 0 1 0 .01 0M17.500 17.500a1.800 1.800 0 1 0 .01 0",
  back: "M9 5L4 10l5 5M4 10h10a6 6 0 0 1 0 12h-3",
  count: "M6 5h12v16H6zM9 3h6v4H9zM9 12h6M9 16h4",
  kit: "M4 13h7v7H4zM13 13h7v7h-7zM8.500 4h7v7h-7z",
  wall: "M4 4h16v16H4zM4 9.300h16M4 14.700h16M9.300 4v16M14.700 4v16",
  sort: "M4 6h9a3 3 0 0 1 3 3v9M13 15l3 3 3-3M4 12h6M4 18h6",
  hold: "M12 3l9 9-9 9-9-9zM10 9.500v5M14 9.500v5",
  find: "M10.500 4a6.500 6.500 0 1 1 0 13a6.500 6.500 0 1 1 0-13M15.500 15.500L20 20",
  print: "M7 9V4h10v5M5 9h14v8h-3M5 9v8h3M8 14h8v6H8z",
  place: "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21M12 7.500a2.300 2.300 0 1 1 0 4.600a2.300 2.300 0 1 1 0-4.600",
  keyboard: "M3 6h18v12H3zM7 10h.01M10.500 10h.01M14 10h.01M17 10h.01M8 14h8",
  language: "M12 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18M3 12h18M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9S9 6 12 3",
  sound: "M4 10v4h4l5 4V6l-5 4zM16.500 9a4.500 4.500 0 0 1 0 6M19 6.500a8 8 0 0 1 0 11",
  speech: "M4 5h16v11h-9l-4 4v-4H4zM8 9h8M8 12.500h5",
  night: "M19 14.500A8 8 0 0 1 9.500 5a8 8 0 1 0 9.500 9.500",
  gear: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  leave: "M13 4H5v16h8M10 12h10M16.500 8.500L20 12l-3.500 3.500",
  erase: "M9 6h11v12H9l-6-6zM12 9.500l5 5M17 9.500l-5 5",
  calendar: "M4 6h16v14H4zM4 10.500h16M8.500 3.500v4M15.500 3.500v4",
  quantity: "M4 6h16v12H4zM8 10v4M12 10v4M16 10v4",
  list: "M9 6h11M9 12h11M9 18h11M4.500 6h.01M4.500 12h.01M4.500 18h.01",
  more: "M6 12h.01M12 12h.01M18 12h.01",
};

/** The names a screen may ask for in `prompt.icon` or a row's `icon`. */
export const ICON_NAMES = Object.freeze(Object.keys(PATHS));

/** A line icon of `size` px; an unknown name is drawn as a barcode, so a newer server never leaves a hole. */
export function icon(name, size = 24, stroke = 2) {
  const path = PATHS[name] ?? PATHS.barcode;
  return svg(
    "svg",
    {
      class: "i", width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor",
      "stroke-width": stroke, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
    },
    svg("path", { d: path }),
  );
}

/** The filled shape that says how grave a message is: octagon, triangle, diamond or a round tick. */
export function shape(level, size = 56) {
  const box = { class: `shape ${level}`, width: size, height: size, viewBox: "0 0 24 24", "aria-hidden": "true" };
  const mark = (d) => svg("path", { class: "mark", d, "stroke-width": 3, "stroke-linecap": "round", "stroke-linejoin": "round" });
  if (level === "wrong") {
    const octagon = "7.5,2 16.5,2 22,7.5 22,16.5 16.5,22 7.5,22 2,16.5 2,7.5";
    return svg("svg", box, svg("polygon", { class: "plate", points: octagon }), mark("M8 8l8 8M16 8l-8 8"));
  }
  if (level === "attention") {
    return svg("svg", box, svg("polygon", { class: "plate", points: "12,2 23,21.500 1,21.500" }), mark("M12 9.500v5M12 18.300v.01"));
  }
  if (level === "intercepted") {
    return svg("svg", box, svg("polygon", { class: "plate", points: "12,1 23,12 12,23 1,12" }), mark("M9.500 8.500v7M14.500 8.500v7"));
  }
  return svg("svg", box, svg("circle", { class: "plate", cx: 12, cy: 12, r: 11 }), mark("M6.500 12.500l4 4 7-8.500"));
}
