// The way to the server. Every call ends in one of four outcomes; none of them throws:
// `answer` (body), `away` (no network, 503, too slow: ask again), `login`, `refused` (error).

const ANSWER_MS_MAX = 5000;
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
const ENDED = new Set(["not_logged_in", "logged_in_elsewhere", "csrf_wrong"]);

function csrf() {
  return /(?:^|; )(?:__Host-)?csrf=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

export class Link {
  constructor(base = "/pda") {
    this.base = base;
  }

  /** `wait_ms`: how long the server may hold its answer back. */
  get(path, wait_ms = 0) {
    return this.ask(path, { method: "GET" }, wait_ms);
  }

  post(path, body) {
    return this.ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF": decodeURIComponent(csrf()) },
      body: JSON.stringify(body),
    });
  }

  async ask(path, request, wait_ms = 0) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), ANSWER_MS_MAX + wait_ms);
    try {
      const reply = await fetch(this.base + path, {
        ...request, credentials: "same-origin", cache: "no-store", signal: giveUp.signal,
      });
      return await outcome(reply);
    } catch (error) {
      return { kind: "away", error }; // fetch throws for no network, a cut answer and our own time limit alike
    } finally {
      clearTimeout(timer);
    }
  }
}

async function outcome(reply) {
  if (LATER.has(reply.status)) return { kind: "away", status: reply.status };
  const body = await reply.json();
  if (reply.ok) return { kind: "answer", body };
  const error = body.error ?? { reason: `http_${reply.status}`, message: "", facts: {} };
  const ended = reply.status === 401 || ENDED.has(error.reason);
  return { kind: ended ? "login" : "refused", status: reply.status, error };
}

/** 32 hex digits from the device's random source; `randomUUID` does not exist on plain HTTP. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
