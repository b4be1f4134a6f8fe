// Judging a scan without the server: pure. `ahead` is the happy path of a batch already on
// the device; the server judges everything again when it is back, and its word wins.

const GTIN_LENGTHS = new Set([8, 12, 13, 14]);

/** Two writings of one code: letter case aside, GTIN-8/12/13/14 aside, a GS1 string by its article. */
export function sameCode(scanned, wanted) {
  if (scanned === wanted) return true;
  return plain(scanned) === plain(wanted);
}

function plain(code) {
  const text = code.trim().toUpperCase();
  const article = /^01(\d{14})/.exec(text);
  if (article && text.length > 16) return article[1];
  return /^\d+$/.test(text) && GTIN_LENGTHS.has(text.length) ? text.padStart(14, "0") : text;
}

/** `right`, `wrong`, or `unknown` when the path has ended: then only the server can say. */
export function judge(step, code) {
  if (!step) return "unknown";
  return step.accepts.some((wanted) => sameCode(code, wanted)) ? "right" : "wrong";
}

/** The message for a scan that is wrong as far as this device can know. */
export function wrongMessage(step, code, screen) {
  const wrong = step.wrong ?? {};
  return {
    level: "wrong", sound: "wrong", title: wrong.title ?? wrong.text ?? "", text: wrong.title ? wrong.text : screen.prompt?.text ?? "",
    expected: wrong.expected ?? step.accepts[0] ?? "", scanned: code, speech: wrong.speech ?? wrong.text, code: wrong.code,
  };
}
