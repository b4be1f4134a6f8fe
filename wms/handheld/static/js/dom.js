// Small builders for elements. Text goes in as text nodes only, so a supplier's
// goods name or a hostile barcode can never become markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(2)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** An HTML element; `null`, `false` and empty children are left out. */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A pressable key: `data-action` and `data-value` are read by the page's one click listener. */
export function press(action, attributes, ...children) {
  return el("button", { type: "button", "data-action": action, ...attributes }, ...children);
}
