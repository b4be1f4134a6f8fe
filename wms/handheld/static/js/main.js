// The page of the PDA: puts the scanner, the work, the sounds and the drawing together.

import { draw } from "./screen.js";
import { Link, newId } from "./link.js";
import { byHandScreen, conflictScreen, dropScreen, loginScreen, moreScreen, settingsScreen, storedScreen } from "./local.js";
import { Entry, systemField } from "./pad.js";
import { isNativeField, readFromField, Scanner } from "./scanner.js";
import { Session } from "./session.js";
import { loadPerson, loadScanner, louder, PERSON_DEFAULTS, savePerson } from "./settings.js";
import { Sound } from "./sound.js";
import { openStore } from "./store.js";
import { Texts } from "./texts.js";

const ECHO_MS = 1000;
const FLASH_MS = 450;
// Our own labels name their kind; what else is on a badge or a table is up to the house.
const OWN_LABEL = /^([A-Z]{2})\.[0-9A-Z-]{1,40}\.[0-9A-Z]$/;
const OWN_LABELS = { badge: "BA", station: "ST" };
const LEAVES = new Set(["Escape", "BrowserBack", "GoBack"]);

class Page {
  constructor(store, device, scannerSettings) {
    const link = new Link();
    Object.assign(this, { store, device, root: document.getElementById("page"), sound: new Sound() });
    this.texts = new Texts(store, link);
    this.say = (name, facts) => this.texts.say(name, facts);
    this.person = { ...PERSON_DEFAULTS };
    this.who = undefined;
    this.local = null; // name of a screen the page made itself, over the work
    this.login = { badge: null, station: null, takeOver: false, scanningStation: false, message: null };
    this.entry = null;
    this.entryOf = "";
    this.listPage = 0;
    this.echo = null;
    this.session = new Session(store, link, this.texts, {
      draw: () => this.draw(),
      sound: (name) => this.sound.play(name),
      speak: (text) => this.sound.say(text, this.texts.language),
      flash: () => this.flash(),
      login: (error) => this.loggedOut(error),
      person: (person) => this.personCame(person),
    });
    this.scanner = new Scanner(scannerSettings, { onScan: (scan) => this.scanned(scan), onHand: (stroke) => this.typed(stroke) });
  }

  async start() {
    this.scanner.attach();
    const field = document.getElementById("field");
    if (this.scanner.settings.field) readFromField(field, (text) => this.scanner.text(text));
    this.listen();
    await this.texts.load();
    this.started = true;
    await this.session.start();
    this.draw();
  }

  listen() {
    // A touched key must not keep the focus: the scanner's Enter would press it again.
    this.root.addEventListener("mousedown", (event) => {
      if (!isNativeField(event.target)) event.preventDefault();
    });
    this.root.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-action]");
      if (!pressed) return;
      const { action, value, again } = pressed.dataset;
      const words = pressed.innerText.split("\n")[0];
      this.act(action, value, { again: again === "1", words, off: pressed.getAttribute("aria-disabled") === "true" });
    });
    window.addEventListener("online", () => this.session.queue.knock());
    window.addEventListener("offline", () => {
      this.session.away();
      this.session.queue.again();
    });
    window.addEventListener("resize", () => this.draw());
    document.addEventListener("visibilitychange", () => this.seenAgain());
    history.pushState(null, "");
    window.addEventListener("popstate", () => {
      history.pushState(null, "");
      this.leave();
    });
    setInterval(() => this.session.offline && this.draw(), 1000);
  }

  // A PDA that slept may have lost its task to somebody else meanwhile.
  seenAgain() {
    const { session } = this;
    const idle = session.loggedIn && !session.offline && session.queue.waiting.length === 0 && !this.local;
    if (document.visibilityState === "visible" && idle && this.entry === null) session.resume();
  }

  // --- what comes in ---------------------------------------------------------------

  scanned({ code, aim }) {
    this.echoed(code);
    if (!this.session.loggedIn) return this.scannedAtLogin(code);
    this.closeLocal();
    return this.session.scan({ code, aim });
  }

  scannedAtLogin(code) {
    const wanted = this.login.scanningStation ? "station" : "badge";
    const [, kind = OWN_LABELS[wanted]] = OWN_LABEL.exec(code) ?? [];
    this.closeLocal();
    if (kind !== OWN_LABELS[wanted]) {
      this.login.message = { ...this.complaint("wrong", this.say(this.login.scanningStation ? "not_a_station" : "not_a_badge"), ""), scanned: code };
      return this.draw();
    }
    this.sound.play("receipt");
    this.login.message = null;
    if (this.login.scanningStation) Object.assign(this.login, { station: code, scanningStation: false });
    else Object.assign(this.login, { badge: code, takeOver: false });
    this.draw();
  }

  echoed(code) {
    this.echo = code.length > 10 ? `…${code.slice(-6)}` : code;
    clearTimeout(this.echoTimer);
    this.echoTimer = setTimeout(() => {
      this.echo = null;
      this.draw();
    }, ECHO_MS);
    this.draw();
  }

  typed({ name, character }) {
    const key = /^F[1-4]$/.test(name) ? this.root.querySelector(`[data-key="${name}"]`) : null;
    if (key) return key.click();
    if (LEAVES.has(name)) return this.leave();
    if (isNativeField(document.activeElement)) return this.typedInField(name, character);
    if (this.entry === null) return this.choseByNumber(character);
    if (name === "Enter" || name === "NumpadEnter") return this.enter();
    if (name === "Backspace") this.entry.erase();
    else if (character) this.entry.type(character);
    return this.draw();
  }

  typedInField(name, character) {
    const field = document.activeElement;
    if (name === "Enter" || name === "NumpadEnter") return this.fieldDone(field.value);
    const { selectionStart: from, selectionEnd: to } = field;
    if (name === "Backspace") field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    else if (character) field.setRangeText(character, from, to, "end");
  }

  choseByNumber(character) {
    if (/^[1-9]$/.test(character ?? "")) this.root.querySelectorAll(".choose .row:not(.turn)")[Number(character) - 1]?.click();
  }

  leave() {
    if (this.local) return this.closeLocal();
    const working = this.session.loggedIn && !this.session.offline && this.session.screen?.dialogue !== "menu";
    if (working) this.session.act("leave");
  }

  act(action, value, { again = false, words = action, off = false } = {}) {
    if (off) return this.session.local("attention", "needs_network", {});
    if (action === "more") return this.open("more");
    const own = OWN[action];
    if (own) return own(this, value);
    if (action === "undo" && this.session.offline) return this.session.undoOffline();
    this.listPage = 0;
    return this.session.act(action, value, { again, words });
  }

  enter() {
    const { value, hint } = this.entry.result();
    if (hint) return this.hinted(hint, this.entry.input);
    const { action } = this.entry.input;
    this.entry.fresh = true;
    if (this.entry.input.kind === "pin") this.entry.text = "";
    return this.act(action, value, { words: value });
  }

  hinted(hint, input) {
    const message = { level: "attention", sound: "attention", title: this.say(hint, input), text: "" };
    if (this.session.loggedIn && !this.local) return this.session.say(message);
    this.login.message = message;
    this.sound.play("attention");
    this.draw();
  }

  // --- log in ------------------------------------------------------------------------

  async logIn(pin, takeOver = false) {
    const { badge, station } = this.login;
    this.pin = pin;
    const fields = { device: this.device, badge, pin, ...(station ? { station } : {}), ...(takeOver ? { take_over: true } : {}) };
    const reply = await this.session.logIn(fields);
    if (reply.ok) {
      this.pin = null;
      Object.assign(this.login, { badge: null, takeOver: false, message: null });
      this.sound.play("ok");
    } else if (reply.away) {
      this.login.message = this.complaint("attention", this.say("no_server"), this.say("no_server_do"));
    } else {
      this.login.takeOver = Boolean(reply.error.facts?.take_over);
      this.login.message = this.complaint("wrong", reply.error.message || this.say("login_refused"), "", reply.error.reason);
    }
    this.draw();
  }

  async logOut() {
    await this.session.logOut();
    this.closeLocal();
  }

  complaint(level, title, text, code = "") {
    this.sound.play(level);
    return { level, title, text, code };
  }

  loggedOut(error) {
    this.local = null;
    const taken = error?.reason === "logged_in_elsewhere";
    this.login.message = taken ? this.complaint("attention", error.message, this.say("work_kept"), error.reason) : null;
    this.draw();
  }

  async personCame(person) {
    const who = person?.id ?? person?.name ?? null;
    if (who !== this.who) {
      this.who = who;
      this.person = await loadPerson(this.store, who, person);
      this.apply();
    }
    const { language } = person ?? {};
    if (language && language !== this.texts.language && !this.session.languageWish) await this.texts.use(language);
  }

  apply() {
    this.sound.use(this.person);
    document.documentElement.dataset.theme = this.person.dark ? "dark" : "light";
  }

  async prefer(choice) {
    this.person = { ...this.person, ...choice };
    this.apply();
    await savePerson(this.store, this.who, this.person);
    this.draw();
  }

  louder() {
    return this.prefer({ volume: louder(this.person.volume) }).then(() => this.sound.play("ok"));
  }

  // --- screens of its own ---------------------------------------------------------------

  open(name) {
    Object.assign(this, { local: name, listPage: 0 });
    this.draw();
  }

  closeLocal() {
    Object.assign(this, { local: null, listPage: 0, entry: null, entryOf: "" });
    this.login.scanningStation = this.login.scanningStation && !this.session.loggedIn;
    this.draw();
  }

  systemKeyboard() {
    const field = systemField(this.entry, (text) => this.fieldDone(text));
    this.root.querySelector(".entry .typed").replaceWith(field);
    field.focus();
  }

  fieldDone(text) {
    document.activeElement.blur();
    Object.assign(this.entry, { text, fresh: false });
    this.draw();
    if (text) this.enter();
  }

  get screen() {
    const { say, session } = this;
    const clock = (at_ms) => this.clock(at_ms);
    const { conflict } = session.queue;
    const hasServerMore = session.screen?.keys?.some((key) => key.action === "more") ?? false;
    if (this.local === "more") return moreScreen(say, { session, person: this.person, hasServerMore });
    if (this.local === "settings") return settingsScreen(say, this.person);
    if (this.local === "by_hand") return byHandScreen(say);
    if (this.local === "stored") return storedScreen(say, session.queue.mine, clock);
    if (!session.loggedIn) return loginScreen(say, this.login, this.device);
    if (this.local === "drop" && conflict) return dropScreen(say, session.queue.behind(conflict));
    if (conflict && session.screen) return conflictScreen(say, session.screen, conflict, session.queue.behind(conflict));
    return session.screen;
  }

  get message() {
    if (!this.session.loggedIn) return this.login.message;
    return this.local ? null : this.session.message ?? this.session.queue.conflict?.message ?? null;
  }

  clock(at_ms) {
    return new Date(at_ms).toTimeString().slice(0, 8);
  }

  entryFor(screen) {
    const { input } = screen;
    if (!input || input.kind === "choice") return null;
    const of = `${this.local}|${screen.token}|${input.action}|${input.value ?? ""}`;
    if (of !== this.entryOf) Object.assign(this, { entry: new Entry(input), entryOf: of });
    return this.entry;
  }

  draw() {
    const { screen, session } = this;
    if (!this.started || !screen) return;
    if (isNativeField(document.activeElement) && document.activeElement.classList.contains("system-field")) return;
    this.entry = this.entryFor(screen);
    if (this.entry === null) this.entryOf = "";
    const { waiting } = session.queue;
    draw(this.root, {
      screen, message: this.message, offline: session.offline, now_ms: session.now(), waiting: waiting.length, slow: session.slow,
      recent: waiting.toReversed?.() ?? [...waiting].reverse(), entry: this.entry, page: this.listPage, echo: this.echo,
      say: this.say, clock: (at_ms) => this.clock(at_ms), language: this.texts.language,
      chooses: screen.input?.kind === "choice" ? screen.input.action : "choose",
    });
  }

  flash() {
    const light = document.getElementById("flash");
    clearTimeout(this.flashTimer);
    light.hidden = false;
    this.flashTimer = setTimeout(() => { light.hidden = true; }, FLASH_MS);
  }
}

/** What the page does itself; everything else is the server's. */
const OWN = {
  "page:close": (page) => page.closeLocal(),
  "page:by_hand": (page) => page.open("by_hand"),
  "page:stored": (page) => page.open("stored"),
  "page:settings": (page) => page.open("settings"),
  "page:nothing": () => {},
  "page:language": (page) => page.session.speakLanguage(page.texts.other),
  "page:selftest": () => location.assign("/pda/selftest"),
  "page:server_more": (page) => {
    page.closeLocal();
    page.session.act("more");
  },
  "page:logout": (page) => page.logOut(),
  log_out: (page) => page.logOut(),
  "page:typed_code": (page, code) => page.scanned({ code, aim: null }),
  "page:pin": (page, pin) => page.logIn(pin),
  "page:take_over": (page) => page.logIn(page.pin, true),
  "page:badge": (page) => {
    Object.assign(page.login, { badge: null, takeOver: false, message: null });
    page.draw();
  },
  "page:station": (page) => {
    page.login.scanningStation = !page.login.scanningStation;
    page.draw();
  },
  "page:volume": (page) => page.louder(),
  "page:speech": (page) => page.prefer({ speech: !page.person.speech }),
  "page:dark": (page) => page.prefer({ dark: !page.person.dark }),
  "page:try_wrong": (page) => page.sound.play("wrong"),
  "page:send_rest": (page) => page.session.settle(true),
  "page:drop_rest": (page) => page.open("drop"),
  "page:drop_yes": (page) => {
    page.local = null;
    return page.session.settle(false);
  },
  "page:turn": (page) => {
    const { rows, perPage } = page.root.querySelector(".choose").dataset;
    page.listPage = (page.listPage + 1) * Number(perPage) >= Number(rows) ? 0 : page.listPage + 1;
    page.draw();
  },
  "pad:type": (page, character) => {
    page.entry.type(character);
    page.draw();
  },
  "pad:erase": (page) => {
    page.entry.erase();
    page.draw();
  },
  "pad:letters": (page) => {
    page.entry.letters = !page.entry.letters;
    page.draw();
  },
  "pad:system": (page) => page.systemKeyboard(),
  "pad:enter": (page) => page.enter(),
};

/** The device's own name: given once as `/pda/?device=PDA-07`, else made here and kept. */
async function deviceName(store) {
  const given = new URLSearchParams(location.search).get("device");
  const name = given ?? (await store.kept("device")) ?? newId();
  await store.keep("device", name);
  return name;
}

const store = await openStore();
await new Page(store, await deviceName(store), await loadScanner(store)).start();
