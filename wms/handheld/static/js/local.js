// Screens the page makes itself, in the envelope's own form, so that one renderer draws all:
// log in, "more", settings, what is stored, a conflict. Their actions begin with `page:`.

const key = (name, label, action, server = false) => ({ key: name, label, action, server });
const screen = (parts) => ({ dialogue: "page", step: "", token: null, title: "", status: [], prompt: null, cards: [], input: null, keys: [], ...parts });
const BACK = (say) => key("F1", say("back"), "page:close");
const pips = (say, names, now) => names.map((name, at) => ({ label: say(name), state: at < now ? "done" : at === now ? "now" : "next" }));

/** Log in: badge, then PIN. `login`: {badge, station, takeOver, scanningStation}. */
export function loginScreen(say, login, device) {
  const status = device ? [{ label: say("device"), value: device.slice(0, 8) }] : [];
  const common = { title: say("login"), status };
  const foot = [key("F4", say("more"), "more")];
  if (login.scanningStation) {
    return screen({
      ...common, prompt: { text: say("scan_station"), icon: "place", pips: [] },
      cards: [{ kind: "big", state: "now", label: say("station"), value: "—", tail: say("scan_station_help") }],
      keys: [key("F1", say("back"), "page:station"), ...foot],
    });
  }
  if (!login.badge) {
    return screen({
      ...common, prompt: { text: say("scan_badge"), icon: "badge", pips: pips(say, ["badge", "pin"], 0) },
      cards: [{ kind: "welcome", title: say("welcome"), text: say("scan_badge_help") }],
      keys: foot,
    });
  }
  const station = login.station ? [{ label: say("station"), value: login.station }] : [];
  return screen({
    ...common, status: [...status, ...station], prompt: { text: say("type_pin"), icon: "lock", pips: pips(say, ["badge", "pin"], 1) },
    input: { kind: "pin", label: say("pin"), action: "page:pin" },
    keys: [
      key("F1", say("other_badge"), "page:badge"), key("F2", say("station"), "page:station"),
      ...(login.takeOver ? [key("F3", say("take_over"), "page:take_over")] : []), ...foot,
    ],
  });
}

/** F4: everything that is not this step's work. */
export function moreScreen(say, { session, person, hasServerMore }) {
  const { offline, loggedIn, queue } = session;
  const rows = [
    loggedIn && hasServerMore && { value: "", action: "page:server_more", icon: "list", title: say("more_here"), note: offline ? say("needs_network") : "", off: Boolean(offline) },
    { value: "", action: "page:by_hand", icon: "keyboard", title: say("by_hand"), note: say("by_hand_note") },
    { value: "", action: "page:stored", icon: "waiting", title: say("stored_list"), count: queue.mine.length },
    { value: "", action: "page:language", icon: "language", title: say("other_language") },
    { value: "", action: "page:settings", icon: "sound", title: say("settings"), note: say("settings_note", { volume: Math.round(person.volume * 100) }) },
    { value: "", action: "page:selftest", icon: "gear", title: say("selftest") },
    loggedIn && { value: "", action: "page:logout", icon: "leave", title: say("logout"), note: offline ? say("needs_network") : say("logout_note"), off: Boolean(offline) },
  ].filter(Boolean);
  return screen({ title: say("more"), prompt: { text: say("more"), icon: "list", pips: [] }, cards: [{ kind: "choose", rows }], keys: [BACK(say)] });
}

export function settingsScreen(say, person) {
  const rows = [
    { value: "", action: "page:volume", icon: "sound", title: say("volume"), count: `${Math.round(person.volume * 100)} %`, note: say("volume_note") },
    { value: "", action: "page:speech", icon: "speech", title: say("speech"), on: person.speech },
    { value: "", action: "page:dark", icon: "night", title: say("dark"), on: person.dark },
    { value: "", action: "page:try_wrong", icon: "hold", title: say("try_wrong") },
  ];
  return screen({ title: say("settings"), prompt: { text: say("settings"), icon: "sound", pips: [] }, cards: [{ kind: "choose", rows }], keys: [BACK(say)] });
}

export function byHandScreen(say) {
  return screen({
    title: say("by_hand"), prompt: { text: say("by_hand"), icon: "keyboard", pips: [] },
    input: { kind: "text", label: say("code"), action: "page:typed_code" }, keys: [BACK(say)],
  });
}

export function storedScreen(say, records, clock) {
  const rows = records.map((record) => ({ value: "", action: "page:nothing", title: record.words, note: `${clock(record.at_ms)} · ${say(`state_${record.state}`)}`, icon: record.state === "conflict" ? "hold" : "waiting" }));
  const cards = rows.length ? [{ kind: "choose", rows }] : [{ kind: "text", title: say("nothing_stored"), text: say("nothing_stored_note") }];
  return screen({ title: say("stored_list"), prompt: { text: say("stored_count", { count: records.length }), icon: "waiting", pips: [] }, cards, keys: [BACK(say)] });
}

/** A replay the server refused: what it was, what is kept behind it, and two ways on. */
export function conflictScreen(say, base, conflict, behind) {
  const shown = [conflict, ...behind];
  return {
    ...base, prompt: { text: say("conflict"), icon: "hold", pips: [] }, input: null,
    cards: [
      { kind: "text", title: conflict.words, text: say("conflict_what") },
      { kind: "stored", state: "grow", icon: "hold", title: say("conflict_kept", { count: behind.length }), rows: shown.slice(1) },
    ],
    keys: [
      key("F1", say("send_rest"), "page:send_rest"), key("F2", say("drop_rest"), "page:drop_rest"),
      key("F4", say("more"), "more"),
    ],
  };
}

/** Giving up scans asks once more: the same key in the same place must not do it by accident. */
export function dropScreen(say, behind) {
  return screen({
    title: say("drop_rest"), prompt: { text: say("drop_sure", { count: behind.length }), icon: "hold", pips: [] },
    cards: [{ kind: "stored", state: "grow", icon: "hold", title: say("conflict_kept", { count: behind.length }), rows: behind }],
    keys: [BACK(say), key("F3", say("drop_yes"), "page:drop_yes")],
  });
}
