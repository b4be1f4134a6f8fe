// The scanner's self-test (/pda/selftest): shows what one scan really sends, and keeps the
// settings that fit it. For whoever sets up a new PDA, without a login.

import { el, press } from "./dom.js";
import { fit } from "./fit.js";
import { icon } from "./icons.js";
import { GS } from "./keys.js";
import { Link } from "./link.js";
import { readFromField, Scanner } from "./scanner.js";
import { loadScanner } from "./settings.js";
import { Sound } from "./sound.js";
import { openStore } from "./store.js";
import { Texts } from "./texts.js";

const STROKES_KEPT = 400;
const NEAR_MS = 150;
const SLOW_MS = 30;
const GAPS_MS = [40, 60, 90, 20];
const ENDS_SHOWN = /^(Enter|NumpadEnter|Tab|Ctrl\+Key[JM])$/;

class SelfTest {
  constructor(store, settings) {
    Object.assign(this, { store, settings, strokes: [], report: null, sound: new Sound(), stores: null });
    this.texts = new Texts(store, new Link());
    this.say = (name, facts) => this.texts.say(name, facts);
    this.scanner = new Scanner(settings, {
      onScan: (scan) => this.scanned(scan),
      onHand: (stroke) => this.pressed(stroke.name),
      onStroke: (stroke) => this.strokes.splice(0, Math.max(0, this.strokes.push(stroke) - STROKES_KEPT)),
    });
  }

  async start() {
    this.scanner.attach();
    if (this.settings.field) readFromField(document.getElementById("field"), (text) => this.scanner.text(text));
    document.addEventListener("mousedown", (event) => event.preventDefault());
    document.addEventListener("click", (event) => this.act(event.target.closest("[data-action]")?.dataset.action));
    await this.texts.load();
    this.stores = await this.canStore();
    this.draw();
  }

  async canStore() {
    const mark = Date.now();
    await this.store.keep("selftest", mark);
    return (await this.store.kept("selftest")) === mark;
  }

  pressed(name) {
    if (/^F[1-4]$/.test(name)) document.querySelector(`[data-key="${name}"]`)?.click();
    else this.draw();
  }

  act(action) {
    const acts = {
      prefix: () => this.report?.candidate && this.change({ prefix: this.report.candidate }),
      gap: () => this.change({ gap_ms: GAPS_MS[(GAPS_MS.indexOf(this.settings.gap_ms) + 1) % GAPS_MS.length] }),
      field: () => this.change({ field: !this.settings.field }).then(() => location.reload()),
      back: () => location.assign("/pda/"),
      language: () => this.texts.use(this.texts.other).then(() => this.draw()),
    };
    return acts[action]?.();
  }

  async change(choice) {
    this.settings = { ...this.settings, ...choice };
    await this.store.keep("scanner", this.settings);
    this.scanner.configure(this.settings);
    this.saved = true;
    this.draw();
  }

  scanned({ code, aim, seen }) {
    this.sound.play("receipt");
    this.saved = false;
    this.report = { code, aim, seen, ...this.measured(seen) };
    this.strokes = [];
    this.draw();
  }

  /** Times and neighbours of the scan, from the raw strokes around it. */
  measured({ strokes }) {
    const gaps = strokes.slice(1).map((stroke, at) => stroke.at - strokes[at].at);
    const first = strokes[0]?.at ?? 0;
    const before = this.strokes.filter((stroke) => stroke.character === null && stroke.name && stroke.at <= first && first - stroke.at < NEAR_MS);
    const prefix = before.filter((stroke) => !ENDS_SHOWN.test(stroke.name)).at(-1)?.name ?? null;
    const end = this.strokes.filter((stroke) => ENDS_SHOWN.test(stroke.name)).at(-1)?.name ?? null;
    return {
      mean_ms: gaps.length ? gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length : 0,
      most_ms: gaps.length ? Math.max(...gaps) : 0,
      candidate: prefix, end, ime: this.strokes.some((stroke) => stroke.event.keyCode === 229 || stroke.event.isComposing),
      keys: this.strokes.map((stroke) => stroke.name || "?"),
    };
  }

  // --- what is shown -------------------------------------------------------------------

  lines() {
    const { say, report } = this;
    const store = ["test.store", this.stores ? say("test.store_yes") : say("test.store_no"), this.stores ? "good" : "bad"];
    const blind = this.strokes.some((stroke) => stroke.name === "" && stroke.event.keyCode === 229);
    if (!report) return [["test.code", say("test.none"), ""], ...(blind ? [["test.ime", say("test.ime_blind"), "bad"]] : []), store];
    const { seen, candidate, mean_ms, most_ms } = report;
    const separators = [...report.code].filter((character) => character === GS).length;
    const other = candidate && candidate !== this.settings.prefix;
    return [
      ["test.code", report.code.replaceAll(GS, "⟨GS⟩"), "read"],
      ["test.prefix", seen.prefixed ? say("test.yes", { name: this.settings.prefix })
        : other ? say("test.prefix_other", { name: candidate, set: this.settings.prefix || "-" }) : say("test.prefix_no"), seen.prefixed ? "good" : ""],
      ["test.suffix", seen.ended ? say("test.yes", { name: report.end ?? "Enter" }) : say("test.suffix_no"), seen.ended ? "good" : ""],
      ["test.speed", say(mean_ms > SLOW_MS && !seen.prefixed ? "test.speed_slow" : "test.speed_is", { mean: mean_ms.toFixed(1), most: most_ms.toFixed(0) }),
        mean_ms > SLOW_MS && !seen.prefixed ? "bad" : "good"],
      ["test.gs", separators ? say("test.gs_kept", { count: separators }) : say("test.gs_none"), separators ? "good" : ""],
      ["test.aim", report.aim ?? say("test.aim_none"), report.aim ? "good" : ""],
      ["test.ime", say(report.ime ? "test.ime_on" : "test.ime_off"), "good"],
      store,
      ["test.keys", report.keys.slice(-40).join(" "), "keys"],
    ];
  }

  draw() {
    const { say, settings } = this;
    const part = (id, ...children) => document.getElementById(id).replaceChildren(...children);
    part("status", el("b", null, say("selftest")), el("div", { class: "entries" }),
      press("language", { class: "language", "aria-label": say("language_key"), lang: this.texts.language === "zh" ? "en" : "zh-CN" },
        el("span", null, say("language_short"))));
    part("note", ...(this.saved ? [el("div", { class: "saidline info" }, el("b", null, say("test.saved")))] : []));
    part("prompt", el("section", { class: "scan" }, icon("barcode", 30), el("h1", null, say("test.prompt"))));
    part("work", el("dl", { class: "card checks" }, this.lines().map(([name, text, kind]) => [el("dt", null, say(name)), el("dd", { class: kind }, text)])));
    const key = (name, action, label, off) => press(action, { "data-key": name, class: off ? "dashed" : "", "aria-disabled": off ? "true" : null },
      el("span", { "data-fit": "" }, label), el("small", null, name));
    const { candidate } = this.report ?? {};
    part("keys",
      key("F1", "prefix", say("test.take_prefix"), !candidate || candidate === settings.prefix), key("F2", "gap", say("test.gap", settings)),
      key("F3", "field", say(settings.field ? "test.field_on" : "test.field_off")), key("F4", "back", say("back")));
    fit(document.getElementById("page"));
  }
}

const store = await openStore();
await new SelfTest(store, await loadScanner(store)).start();
