// The work in hand: the last envelope, the queue, and what holds while the network is gone.
// No drawing here; `tell` says when to draw, sound and log in.

import { judge, wrongMessage } from "./ahead.js";
import { LENGTH_MAX } from "./frames.js";
import { newId } from "./link.js";
import { Queue } from "./queue.js";

const REFUSALS = new Set(["wrong", "intercepted"]);
const SLOW_MS = 600;
const WATCH_S = 20;
const WATCH_PAUSE_MS = 1000;
const AHEAD_IDLE_MS = 300; // the path is asked for when the hand rests, not between two scans
const AHEAD_LEAST = 12;

export class Session {
  /** `tell`: {draw(), sound(name), speak(text), flash(), login(), person(person)}. */
  constructor(store, link, texts, tell) {
    Object.assign(this, { store, link, texts, tell });
    this.told = null; // an attention of a replay that is not over
    this.envelope = null; // as the server sent it last
    this.screen = null; // what is shown: the envelope's, or one further ahead
    this.message = null;
    this.step = 0; // how far along `ahead` this device went on its own
    this.offline = null; // {since_ms} while the server is away
    this.watching = null; // the id of the one wait for changes that is under way
    this.pressed = new Set(); // keys of a screen whose answer is not there yet
    this.loggedIn = false;
    this.skew_ms = 0;
    this.order = Promise.resolve(); // one scan after another, in the order of the beeps
    this.queue = new Queue(store, link, {
      answered: (record, envelope) => this.answered(record, envelope),
      refused: (record, error) => this.refused(record, error),
      away: () => this.away(),
      reached: () => this.resume(),
      login: (error) => this.locked(error),
      changed: () => tell.draw(),
    });
  }

  now() {
    return Date.now() + this.skew_ms;
  }

  // --- start, log in, come back -------------------------------------------------

  async start() {
    await this.queue.load();
    for (const record of this.queue.records) this.pressed.add(pressOf(record.body.action, record.token));
    const last = await this.store.kept("session");
    if (last) Object.assign(this, last, { loggedIn: last.envelope !== null });
    this.queue.who = nameOf(this.envelope);
    if (this.envelope) this.tell.person(this.envelope.person);
    await this.resume();
  }

  /** Asks where the work stands: after a reload, a login, or when the network is back. */
  async resume() {
    const reply = await this.link.get("/state");
    if (reply.kind === "login") return this.locked(reply.error);
    if (reply.kind === "away") {
      this.away();
      return this.queue.again();
    }
    if (reply.kind !== "answer") return this.tell.draw();
    return this.welcome(reply.body);
  }

  async welcome(envelope) {
    this.loggedIn = true;
    this.queue.who = nameOf(envelope);
    this.queue.paused = false;
    this.queue.misses = 0;
    await this.tell.person(envelope.person);
    // What waits goes first; drawing the state before it would show a step already done.
    if (this.queue.waiting.length === 0) await this.show(envelope, { quiet: true });
    this.watch();
    return this.queue.run();
  }

  /** Waits at the server for what others do to this screen (a weight, a task taken away), and so
   *  notices a lost network even while nobody scans. One wait at a time. */
  async watch() {
    if (this.watching) return undefined;
    const mine = newId();
    this.watching = mine;
    for (;;) {
      const since = this.envelope?.work?.version ?? 0;
      const reply = await this.link.get(`/state?since=${since}&wait_s=${WATCH_S}`, WATCH_S * 1000);
      if (this.watching !== mine) return undefined; // logged out or offline meanwhile: that screen is another's
      if (reply.kind !== "answer") return this.watchEnded(reply);
      const changed = (reply.body.work?.version ?? 0) > (this.envelope?.work?.version ?? 0);
      if (changed && this.queue.waiting.length === 0) await this.show(reply.body);
      else await new Promise((resume) => { setTimeout(resume, WATCH_PAUSE_MS); });
    }
  }

  watchEnded(reply) {
    this.watching = null;
    if (reply.kind === "login") return this.locked(reply.error);
    if (reply.kind === "away") {
      this.away();
      this.queue.again();
    }
    return undefined;
  }

  /** Nobody is logged in here any more; what is queued waits. `error` says why, if the server did. */
  locked(error) {
    this.loggedIn = false;
    this.watching = null;
    this.queue.paused = true;
    this.queue.keepAll();
    this.offline = null;
    this.tell.login(error);
  }

  /** `{ok: true}` or `{message}`; facts are the server's, such as `take_over`. */
  async logIn(fields) {
    const reply = await this.link.post("/login", fields);
    if (reply.kind === "answer") {
      await this.welcome(reply.body.envelope ?? reply.body);
      return { ok: true };
    }
    if (reply.kind === "away") return { away: true };
    return { error: reply.error };
  }

  async logOut() {
    await this.link.post("/logout", {});
    this.envelope = this.screen = this.message = null;
    await this.keep();
    this.locked();
  }

  async speakLanguage(language) {
    await this.texts.use(language);
    this.languageWish = language;
    if (this.loggedIn) await this.sendLanguage();
    this.tell.draw();
  }

  async sendLanguage() {
    const reply = await this.link.post("/language", { id: newId(), language: this.languageWish });
    if (reply.kind === "away") return; // sent again when the network is back
    this.languageWish = null;
    if (reply.kind === "answer" && this.queue.waiting.length === 0) await this.show(reply.body, { quiet: true });
  }

  // --- scans and keys -----------------------------------------------------------

  /** Takes one scan: stored, then beep, then on its way. Resolves when it is stored and judged. */
  scan({ code, aim }) {
    if (code.length > LENGTH_MAX) return this.local("wrong", "too_long", { most: LENGTH_MAX });
    const body = { id: newId(), code, at_ms: this.now(), work: this.envelope?.work ?? null, expects: this.screen?.token ?? null };
    if (aim) body.aim = aim;
    return this.take("scan", body, code);
  }

  /** A key, a row or a typed value. The same key twice before its answer is one press. */
  act(action, value, { again = false, words = action } = {}) {
    const token = this.screen?.token ?? null;
    if (!again && this.pressed.has(pressOf(action, token))) return this.order;
    this.pressed.add(pressOf(action, token));
    const body = { id: newId(), action, at_ms: this.now(), work: this.envelope?.work ?? null };
    if (value !== undefined) body.value = value;
    return this.take("action", body, words, token);
  }

  take(kind, body, words, token = null) {
    if (this.queue.full) return this.local("wrong", "queue_full", {});
    const record = {
      id: body.id, kind, body, token, words, at_ms: body.at_ms, who: nameOf(this.envelope),
      task: this.envelope?.work?.task ?? null, sent: false, offline: false,
    };
    this.order = this.order.then(() => this.stored(record));
    return this.order;
  }

  async stored(record) {
    const safe = await this.queue.add(record);
    if (record.kind === "scan") this.tell.sound("receipt");
    if (!safe) this.local("attention", "not_stored", {});
    if (record.state === "held") this.local("attention", "settle_first", {});
    else if (this.offline) await this.judgeWaiting();
    this.queue.run();
    this.markSlow();
  }

  // An answer that takes its time is shown as a count, not as a curtain over the work.
  markSlow() {
    clearTimeout(this.slowTimer);
    this.slowTimer = setTimeout(() => this.tell.draw(), SLOW_MS);
  }

  get slow() {
    const [first] = this.queue.waiting;
    return first !== undefined && this.now() - first.at_ms >= SLOW_MS;
  }

  local(level, name, facts) {
    this.say({ level, sound: level, title: this.texts.say(name, facts), text: this.texts.say(`${name}_do`, facts), code: "" });
    return this.order;
  }

  // --- answers --------------------------------------------------------------------

  async answered(record, envelope) {
    this.pressed.delete(pressOf(record.body.action, record.token));
    const refused = REFUSALS.has(envelope.message?.level);
    await this.queue.follow(record, envelope.work);
    if (record.offline && refused) await this.queue.stop(record, envelope.message);
    else await this.queue.drop(record);
    if (this.queue.conflict) this.envelope = { ...this.envelope, work: envelope.work }; // what is held may be sent to there
    // Replays in between are not drawn: the hand is already further on.
    if (envelope.message?.level === "attention") this.told = envelope.message;
    if (this.queue.waiting.some((other) => other.offline)) return;
    await this.show({ ...envelope, message: this.weightier(envelope.message) });
  }

  // "One order was cancelled meanwhile" may come in the middle of a replay: it is told at its end.
  weightier(message) {
    const { told } = this;
    this.told = null;
    return told && (!message || message.level === "ok" || message.level === "info") ? told : message;
  }

  /** The server would not take the record at all: a conflict of its task, whatever it was. */
  async refused(record, error) {
    this.pressed.delete(pressOf(record.body.action, record.token));
    const message = { level: "wrong", sound: "wrong", title: error.message || this.texts.say("refused"), text: "", code: error.reason };
    await this.queue.stop(record, message);
    await this.back();
    this.say(message);
  }

  async show(sent, { quiet = false } = {}) {
    await this.back();
    const envelope = { ...sent, ahead: sent.ahead ?? goneOn(this.envelope?.ahead, sent.screen) };
    if (sent.path && envelope.ahead.length < AHEAD_LEAST) this.askAhead();
    Object.assign(this, { envelope, screen: envelope.screen, step: 0 });
    if (Number.isFinite(envelope.server_ms)) this.skew_ms = envelope.server_ms - Date.now();
    this.queue.who = nameOf(envelope);
    await this.tell.person(envelope.person);
    await this.keep();
    if (quiet) this.message = envelope.message ?? null; // told already, when it was new
    if (quiet) this.tell.draw();
    else this.say(envelope.message);
    if (this.languageWish) await this.sendLanguage();
  }

  /** Fetches the happy path of the screen shown, unless the hand goes on meanwhile: then of the next one. */
  askAhead() {
    clearTimeout(this.aheadTimer);
    this.aheadTimer = setTimeout(async () => {
      const reply = await this.link.get("/ahead");
      const still = reply.kind === "answer" && reply.body.token === this.screen?.token && !this.offline;
      if (!still) return;
      this.envelope = { ...this.envelope, ahead: reply.body.ahead };
      await this.keep();
    }, AHEAD_IDLE_MS);
  }

  say(message) {
    this.message = message ?? null;
    this.tell.draw();
    if (!message) return;
    if (message.sound) this.tell.sound(message.sound);
    if (message.level === "ok") this.tell.flash();
    if (message.speech) this.tell.speak(message.speech);
  }

  keep() {
    const { envelope, screen, step, offline } = this;
    return this.store.keep("session", { envelope, screen, step, offline });
  }

  // --- without a network ------------------------------------------------------------

  away() {
    if (this.offline || !this.loggedIn) return;
    this.watching = null;
    this.offline = { since_ms: this.now() };
    this.tell.sound("offline");
    this.order = this.order.then(() => this.judgeWaiting());
    this.tell.draw();
  }

  async back() {
    if (!this.offline) return;
    this.offline = null;
    await this.keep();
    this.tell.sound("online");
    this.watch();
  }

  async judgeWaiting() {
    for (const record of this.queue.waiting) {
      if (!record.judged) await this.judged(Object.assign(record, { judged: true }));
    }
    await this.keep();
  }

  /** Moves on along `ahead`, or says wrong, or stores what only the server can judge. */
  async judged(record) {
    if (record.kind === "action") return this.pressedOffline(record);
    const step = this.envelope?.ahead?.[this.step];
    const verdict = judge(step, record.body.code);
    if (verdict === "wrong") return this.wrongOffline(record, step);
    record.offline = true;
    await this.queue.save(record);
    if (verdict === "unknown") {
      this.local("attention", "stored", {});
      return this.keep();
    }
    record.before = { screen: this.screen, step: this.step };
    record.words = describe(this.screen, record.body.code);
    this.screen = { ...this.screen, ...step.screen };
    this.step += 1;
    await this.queue.save(record);
    await this.keep();
    return this.say(step.message ?? { level: "ok", sound: "ok" });
  }

  // The person is told at once, so it need not be sent - unless it was under way already:
  // then the server may have heard it, and will say the same.
  async wrongOffline(record, step) {
    if (!record.sent) await this.queue.drop(record);
    this.say(wrongMessage(step, record.body.code, this.screen));
  }

  async pressedOffline(record) {
    const { action } = record.body;
    record.offline = true;
    record.before = { screen: this.screen, step: this.step };
    await this.queue.save(record);
    const counted = countedOn(this.screen, action);
    if (counted) this.screen = counted;
    else this.step = this.envelope?.ahead?.length ?? 0; // no path is known after any other key
    await this.keep();
    if (counted) return this.say({ level: "ok", sound: "ok" });
    return this.local("attention", "stored", {});
  }

  /** After a conflict: sends what was kept behind it, or gives it up and asks where the work stands. */
  async settle(sendRest) {
    const { conflict } = this.queue;
    if (!conflict) return;
    this.message = null;
    await this.queue.settle(conflict, sendRest, this.envelope?.work);
    if (this.queue.waiting.length === 0 && !this.queue.conflict) await this.resume();
  }

  /** Takes back the last thing done without the server, if the server cannot have heard it. */
  async undoOffline() {
    await this.order;
    const last = this.queue.waiting.at(-1);
    if (!last?.before || last.sent) return this.local("attention", "undo_later", {});
    Object.assign(this, last.before);
    this.pressed.delete(pressOf(last.body.action, last.token));
    await this.queue.drop(last);
    await this.keep();
    return this.local("info", "undone", {});
  }
}

/** What is left of a known path when its first step came true; nothing when the server went another way. */
function goneOn(ahead, screen) {
  const [first, ...rest] = ahead ?? [];
  const came = first && JSON.stringify(first.screen.cards) === JSON.stringify(screen.cards);
  return came ? rest : [];
}

const pressOf = (action, token) => `${action}|${token}`;

function nameOf(envelope) {
  return envelope?.person?.id ?? envelope?.person?.name ?? null;
}

/** One more or one less on the big counter, as the server will count it; null for any other key. */
function countedOn(screen, action) {
  const card = screen?.cards.find((one) => one.kind === "count_big" && (one.plus === action || one.minus === action));
  if (!card) return null;
  const value = Math.max(0, card.value + (card.plus === action ? 1 : -1));
  return { ...screen, cards: screen.cards.map((one) => (one === card ? { ...card, value } : one)) };
}

/** What a stored scan was, in words: the goods or the place on the screen, else its code. */
export function describe(screen, code) {
  const now = screen?.cards.find((card) => card.state === "now");
  if (now?.kind === "item") return `${now.name} × ${now.quantity}`;
  if (now?.kind === "location") return now.code;
  if (now?.kind === "tote") return now.text;
  return code;
}
