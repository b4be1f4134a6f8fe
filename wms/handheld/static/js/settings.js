// What this device and this person chose: kept on the device, so it holds before anyone logs in.

/** The scanner as most PDAs leave the factory, plus F9 in front of each code. */
export const SCANNER_DEFAULTS = Object.freeze({
  prefix: "F9", // name of a key that prints nothing: "F9", "Ctrl+KeyB"; "" for none
  suffix: "Enter", // "Enter", "Tab" or "none"; CR, LF and Tab all end a scan, "none" lets silence end it
  gap_ms: 40, // without a prefix: characters closer than this come from a scanner, not a hand
  gs_key: "Ctrl+BracketRight",
  same_code_ms: 0, // the same code again within this time is the same scan; 0 counts each
  field: false, // true for PDAs that only fill a focused field
});

/** A person's own: volume 0-1, speech on or off, light or dark. */
export const PERSON_DEFAULTS = Object.freeze({ volume: 1, speech: false, dark: false });

export const VOLUMES = Object.freeze([0, 0.3, 0.6, 1]);

export async function loadScanner(store) {
  return { ...SCANNER_DEFAULTS, ...(await store.kept("scanner")) };
}

/** What the person chose on this device, else what the server has for the person (volume in percent). */
export async function loadPerson(store, who, person) {
  const server = {};
  if (Number.isFinite(person?.volume)) server.volume = person.volume / 100;
  if (typeof person?.speech === "boolean") server.speech = person.speech;
  return { ...PERSON_DEFAULTS, ...server, ...(await store.kept(`person:${who ?? ""}`)) };
}

export function louder(volume) {
  return VOLUMES.find((step) => step > volume) ?? VOLUMES[0];
}

export function savePerson(store, who, settings) {
  return store.keep(`person:${who ?? ""}`, settings);
}
