// What a key press means, read from where the key sits (`event.code`) and Shift alone.
// `event.key` would depend on CapsLock, the layout and a Chinese IME (key code 229);
// a scanner set to "US keyboard" always presses the same places.

const LETTERS = Object.fromEntries([..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((c) => [`Key${c}`, [c.toLowerCase(), c]]));
const DIGITS = Object.fromEntries([..."0123456789"].map((d, i) => [`Digit${d}`, [d, ")!@#$%^&*("[i]]]));
const NUMPAD = Object.fromEntries([..."0123456789"].map((d) => [`Numpad${d}`, [d, d]]));
const US = {
  ...LETTERS, ...DIGITS, ...NUMPAD,
  Space: [" ", " "], Minus: ["-", "_"], Equal: ["=", "+"], BracketLeft: ["[", "{"], BracketRight: ["]", "}"],
  Backslash: ["\\", "|"], IntlBackslash: ["\\", "|"], Semicolon: [";", ":"], Quote: ["'", '"'], Backquote: ["`", "~"],
  Comma: [",", "<"], Period: [".", ">"], Slash: ["/", "?"],
  NumpadDecimal: [".", "."], NumpadSubtract: ["-", "-"], NumpadAdd: ["+", "+"], NumpadMultiply: ["*", "*"], NumpadDivide: ["/", "/"],
};
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "ScrollLock", "Fn"]);
const ENDS = new Set(["Enter", "NumpadEnter", "Tab", "Ctrl+KeyM", "Ctrl+KeyJ"]);

/** The GS1 group separator, which scanners send as Ctrl+]. */
export const GS = "\x1d";

// Some wedges inject "T" on its key without Shift. With CapsLock on or an IME open the word of
// `key` is worth nothing; else the letter it names on its own key is the letter that was sent.
function isThatLetter(event, pair) {
  const letter = event.key.length === 1 && event.key.toLowerCase() === pair[0] && /[a-z]/.test(pair[0]);
  return letter && event.keyCode !== 229 && !event.getModifierState("CapsLock");
}

/** True for keys that only change the meaning of others; they never end or start anything. */
export function isModifier(event) {
  return MODIFIERS.has(event.key) || /^(Shift|Control|Alt|Meta)(Left|Right)$|^CapsLock$|^NumLock$/.test(event.code);
}

/** The place of the key with its Ctrl, such as `F9`, `Enter` or `Ctrl+KeyB`; empty where the machine tells none. */
export function nameOf(event) {
  const place = event.code || placeFromKeyCode(event.keyCode) || (event.key.length > 1 ? event.key : "");
  if (!place || place === "Unidentified" || place === "Process") return "";
  return event.ctrlKey ? `Ctrl+${place}` : place;
}

// Some Android builds leave `code` empty for injected keys but still give the old number.
function placeFromKeyCode(keyCode) {
  if (keyCode >= 48 && keyCode <= 57) return `Digit${keyCode - 48}`;
  if (keyCode >= 65 && keyCode <= 90) return `Key${String.fromCharCode(keyCode)}`;
  return { 13: "Enter", 9: "Tab", 32: "Space", 8: "Backspace", 27: "Escape" }[keyCode] ?? "";
}

/** The character a key stands for, or null: Ctrl+] (or `gsKey`) is GS, other Ctrl chords are none. */
export function characterOf(event, gsKey = "Ctrl+BracketRight") {
  const name = nameOf(event);
  if (name !== "" && name === gsKey) return GS;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const pair = US[name];
  if (pair && isThatLetter(event, pair)) return event.key;
  if (pair) return pair[event.shiftKey ? 1 : 0];
  return event.key.length === 1 && event.code === "" ? event.key : null;
}

/** Keys by which a scanner says "that was all": CR, LF or Tab in any of their guises. */
export function endsScan(name) {
  return ENDS.has(name);
}
