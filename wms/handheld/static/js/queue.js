// The scans and key presses on their way to the server: stored first, sent strictly in order,
// asked again with the same id until there is an answer. Nothing leaves the queue otherwise.
//
// A record: {seq, id, kind: "scan"|"action", body, at_ms, task, who, words, state, sent, offline}
// state: waiting -> (gone) | conflict; held: kept behind a conflict of the same task.

export const QUEUE_MAX = 2000;
const BACKOFF_MS = [400, 800, 1500, 3000, 5000];
const FAULTS_MAX = 5;
const PATHS = { scan: "/scan", action: "/action" };

export class Queue {
  /** `tell`: {answered(record, envelope), refused(record, error), away(), reached(), login(error), changed()}. */
  constructor(store, link, tell) {
    Object.assign(this, { store, link, tell, records: [], who: null, paused: true, running: false, misses: 0 });
  }

  async load() {
    this.records = await this.store.queue();
  }

  get full() {
    return this.records.length >= QUEUE_MAX;
  }

  /** Those of the person at work; what another person left waits for that person. */
  get mine() {
    return this.records.filter((record) => record.who === null || record.who === this.who);
  }

  get waiting() {
    return this.mine.filter((record) => record.state === "waiting");
  }

  get conflict() {
    return this.mine.find((record) => record.state === "conflict") ?? null;
  }

  /** Stores the record; true once it is safe on the device. In memory it is kept in any case. */
  async add(record) {
    record.state = this.stopped(record.task) ? "held" : "waiting";
    let safe = true;
    try {
      record.seq = await this.store.add(record);
    } catch (error) {
      console.error("this device could not store a scan; it is kept in memory only", error);
      safe = false; // the scan is still sent, and the person is told
    }
    this.records.push(record);
    this.tell.changed();
    return safe;
  }

  stopped(task) {
    return this.records.some((record) => record.state === "conflict" && record.task === task);
  }

  async save(record) {
    if (record.seq !== undefined) await this.store.put(record);
  }

  async drop(record) {
    this.records = this.records.filter((other) => other !== record);
    if (record.seq !== undefined) await this.store.remove(record);
    this.tell.changed();
  }

  /** Sends what waits; a second call while one is under way does nothing. */
  async run() {
    if (this.running || this.paused) return;
    this.running = true;
    clearTimeout(this.timer);
    try {
      while (!this.paused && this.waiting.length > 0) {
        if (!(await this.deliver(this.waiting[0]))) break;
      }
    } finally {
      this.running = false;
    }
  }

  async deliver(record) {
    record.sent = true;
    if (record.offline) record.body.kept = true; // applies where it was made, or is a conflict
    await this.save(record);
    const reply = await this.link.post(PATHS[record.kind], record.body);
    if (reply.kind === "away" && !this.poisons(record, reply.status)) return this.missed();
    if (reply.kind === "login") {
      this.paused = true;
      this.tell.login(reply.error);
      return false;
    }
    this.misses = 0;
    if (reply.kind === "answer") await this.tell.answered(record, reply.body);
    else await this.tell.refused(record, reply.error ?? { reason: "our_mistake", message: "" });
    return true;
  }

  // The server stumbles over this very record each time: it is set aside and shown, or it would
  // hold up everything behind it for ever. A server that is merely down answers 502-504 or nothing.
  poisons(record, status) {
    record.faults = status === 500 ? (record.faults ?? 0) + 1 : 0;
    return record.faults >= FAULTS_MAX;
  }

  missed() {
    this.tell.away();
    this.again();
    return false;
  }

  /** Tries once more after a while: the queue if there is one, else a mere knock. */
  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.knock(), BACKOFF_MS[Math.min(this.misses++, BACKOFF_MS.length - 1)]);
  }

  async knock() {
    clearTimeout(this.timer);
    if (this.waiting.length > 0 && !this.paused) return this.run();
    return this.tell.reached();
  }

  /** The refused replay stops its own task; the rest of that task is kept behind it. */
  async stop(record, message) {
    record.state = "conflict";
    record.message = message;
    await this.save(record);
    for (const other of this.records) {
      if (other.state !== "waiting" || other.task !== record.task) continue;
      other.state = "held";
      await this.save(other);
    }
    this.tell.changed();
  }

  /** An answer moved the work on: what waits next was made after it, so it belongs there. */
  async follow(record, work) {
    const next = this.waiting.find((other) => other !== record);
    if (!next || !work) return;
    next.body.work = work;
    await this.save(next);
  }

  /** What waited while nobody was logged in counts as made without a network: another device may have gone on. */
  async keepAll() {
    const { waiting } = this;
    for (const record of waiting) record.offline = true;
    for (const record of waiting) await this.save(record);
  }

  /** What is kept behind a conflict, in order. */
  behind(conflict) {
    return this.records.filter((record) => record.state === "held" && record.task === conflict.task);
  }

  /** The person decided: send the rest (in order, to where the work stands now), or give it up. */
  async settle(conflict, sendRest, work) {
    const rest = this.behind(conflict);
    if (rest.length > 0 && work) rest[0].body.work = work;
    await this.drop(conflict);
    for (const record of rest) {
      if (!sendRest) await this.drop(record);
      else await this.save(Object.assign(record, { state: "waiting" }));
    }
    return this.run();
  }
}
