// What must outlive a reload, a flat battery or a dead network: the queue of scans, the last
// screen, the settings. IndexedDB also works on plain HTTP, where a service worker does not.

import { openDB } from "../vendor/idb/index.js";

const NAME = "chuwei-pda";
const VERSION = 1;

/** `queue`: records in the order they were made; `kept`: single values by name. */
export async function openStore() {
  const db = await openDB(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("queue", { keyPath: "seq", autoIncrement: true }).createIndex("id", "id", { unique: true });
      fresh.createObjectStore("kept");
    },
  });
  return new Store(db);
}

class Store {
  constructor(db) {
    this.db = db;
  }

  /** Resolves once the record is on the device's disk: only then may the beep sound. */
  async add(record) {
    const work = this.db.transaction("queue", "readwrite", { durability: "strict" });
    const seq = await work.store.add(record);
    await work.done;
    return seq;
  }

  async put(record) {
    await this.db.put("queue", record);
  }

  async remove(record) {
    await this.db.delete("queue", record.seq);
  }

  queue() {
    return this.db.getAll("queue");
  }

  kept(name) {
    return this.db.get("kept", name);
  }

  async keep(name, value) {
    await this.db.put("kept", value, name);
  }
}
