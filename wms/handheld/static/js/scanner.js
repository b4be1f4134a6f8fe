// Listens to the keyboard for the scanner and for the hand, before anything else on the page
// does (capture phase), so that neither a focused field nor a Chinese IME can eat a scan.

import { characterOf, isModifier, nameOf } from "./keys.js";
import { Framer, splitAim } from "./frames.js";

const HAND_KEYS = /^(F[1-4]|Enter|NumpadEnter|Backspace|Escape|BrowserBack|GoBack)$/;
const FIELD_QUIET_MS = 60;

export class Scanner {
  /** `onScan({code, aim, seen})`, `onHand({name, character})`; settings as in settings.js. */
  constructor(settings, { onScan, onHand, onStroke = () => {} }) {
    Object.assign(this, { onScan, onHand, onStroke });
    this.lastCode = { code: null, at: -Infinity };
    this.configure(settings);
  }

  configure(settings) {
    this.settings = settings;
    this.framer = new Framer(settings);
  }

  attach() {
    window.addEventListener("keydown", (event) => this.keydown(event), true);
    window.addEventListener("keyup", (event) => this.keyup(event), true);
    window.addEventListener("paste", (event) => this.paste(event), true);
  }

  keydown(event) {
    if (isModifier(event)) return;
    const name = nameOf(event);
    const stroke = { name, character: characterOf(event, this.settings.gs_key), at: event.timeStamp, event };
    this.onStroke(stroke);
    if (name === "" && stroke.character === null) return;
    const scanning = this.framer.wants(stroke);
    if (!scanning && (!HAND_KEYS.test(name) || pressesFocusedButton(name))) return;
    if (!scanning && event.repeat) return;
    this.rememberField();
    event.preventDefault();
    event.stopImmediatePropagation();
    this.pass(this.framer.key(stroke));
    this.wake();
  }

  // Space presses a focused button on release; a space inside a barcode must not.
  keyup(event) {
    if (event.code === "Space") event.preventDefault();
  }

  wake() {
    clearTimeout(this.timer);
    const wait_ms = this.framer.wait_ms;
    if (wait_ms === null) return;
    this.timer = setTimeout(() => {
      this.pass(this.framer.idle(performance.now()));
      this.wake();
    }, wait_ms);
  }

  pass(found) {
    for (const one of found) {
      if (one.type === "scan") this.scanned(one);
      else this.onHand(one.stroke);
    }
  }

  scanned(seen) {
    this.restoreField();
    const { aim, code } = splitAim(seen.code);
    if (code === "" || this.repeatsTooSoon(code, seen)) return;
    this.onScan({ code, aim, seen });
  }

  // Off (0 ms) unless set: ten quick scans of one article are ten articles.
  repeatsTooSoon(code, seen) {
    const at = seen.strokes?.[0]?.at ?? performance.now();
    const again = code === this.lastCode.code && at - this.lastCode.at < this.settings.same_code_ms;
    if (!again) this.lastCode = { code, at };
    return again;
  }

  /** Some PDAs can only paste: the whole text is one scan per line. */
  paste(event) {
    if (isNativeField(event.target)) return;
    event.preventDefault();
    this.text(event.clipboardData?.getData("text") ?? "");
  }

  /** Whole codes that came as text, one a line. */
  text(text) {
    for (const line of text.split(/[\r\n\t]+/)) {
      if (line) this.scanned({ code: line, prefixed: false, ended: true, strokes: [] });
    }
  }

  // With an IME open, characters may reach a focused field although they were refused
  // here: when they turn out to be a scan, the field gets back what it held before.
  rememberField() {
    const field = document.activeElement;
    if (this.framer.frame !== null || !isNativeField(field)) return;
    this.fieldBefore = { field, value: field.value };
  }

  restoreField() {
    if (!this.fieldBefore) return;
    const { field, value } = this.fieldBefore;
    this.fieldBefore = null;
    setTimeout(() => { field.value = value; }, 0);
  }
}

function pressesFocusedButton(name) {
  return (name === "Enter" || name === "NumpadEnter") && document.activeElement?.tagName === "BUTTON";
}

/** A field that the system's own keyboard types into. */
export function isNativeField(node) {
  return node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;
}

/** For PDAs whose scanner only fills a focused field: keeps `field` focused and reads scans from it. */
export function readFromField(field, onText) {
  let timer = 0;
  const take = () => {
    const text = field.value;
    field.value = "";
    if (text) onText(text);
  };
  field.hidden = false;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(take, FIELD_QUIET_MS);
  });
  field.addEventListener("blur", () => setTimeout(() => {
    if (document.activeElement === document.body) field.focus({ preventScroll: true });
  }, 0));
  field.focus({ preventScroll: true });
}
