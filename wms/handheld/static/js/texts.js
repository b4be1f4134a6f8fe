// The page's own words, from the one catalogue of the product (`pda.*` of texts.toml).
// Both languages are fetched at the start and kept, so that switching works without a network.

export const LANGUAGES = Object.freeze(["zh", "en"]);
const TAGS = { zh: "zh-CN", en: "en" };

export class Texts {
  constructor(store, link) {
    Object.assign(this, { store, link, language: "zh", words: { zh: {}, en: {} } });
  }

  async load() {
    this.words = { ...this.words, ...(await this.store.kept("texts")) };
    const wish = (await this.store.kept("language")) ?? (navigator.language.startsWith("en") ? "en" : "zh");
    await Promise.all(LANGUAGES.map((language) => this.fetch(language)));
    await this.use(wish);
  }

  async fetch(language) {
    const reply = await this.link.get(`/texts?language=${language}`);
    if (reply.kind !== "answer") return; // the words kept from last time serve on
    this.words[language] = reply.body;
    await this.store.keep("texts", this.words);
  }

  async use(language) {
    if (!LANGUAGES.includes(language)) return;
    this.language = language;
    document.documentElement.lang = TAGS[language];
    await this.store.keep("language", language);
  }

  get other() {
    return this.language === "zh" ? "en" : "zh";
  }

  /** The text of `pda.<name>` with `{facts}` filled in; a missing one shows its own name, never nothing. */
  say(name, facts = {}) {
    const text = this.words[this.language]?.[`pda.${name}`] ?? this.words.zh?.[`pda.${name}`] ?? name;
    return text.replace(/\{(\w+)\}/g, (whole, fact) => (fact in facts ? String(facts[fact]) : whole));
  }
}
