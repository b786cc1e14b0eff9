// What the page and the gateway say to each other: commands by POST, news by server-sent events, a sign of life every
// five seconds. A page makes up its own session number; the newest page of an agent is the telephone.
const BEAT_MS = 5000;

export class Refused extends Error {
  constructor(status, why) { super(why); this.status = status; }
}

export class Link {
  constructor(onNews) {
    this.session = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(16).slice(2)}`;
    this.onNews = onNews;
    this.quality = {};
    addEventListener("pagehide", () => this.leave());
  }

  async settings() { return this.#fetch("GET", "/api/softphone"); }

  // Resolves once the stream stands: no ring can be missed from here on.
  open() {
    this.close();
    this.stream = new EventSource(`/api/softphone/events?session=${this.session}`);
    this.stream.onmessage = (message) => {
      const news = JSON.parse(message.data);
      if (news.event === "lost" || news.session === this.session) this.onNews(news);
    };
    return new Promise((open, failed) => {
      this.stream.onopen = () => { open(); void this.beat?.(); }; // what happened while it was broken is not told again
      this.stream.onerror = () => failed(new Refused(503, "no news")); // before it opened; later it tries again by itself
      setTimeout(() => failed(new Refused(503, "no news")), 6000);
    });
  }

  ask(verb, more = {}) { return this.#fetch("POST", `/api/softphone/${verb}`, { session: this.session, ...more }); }

  // Says that the page is there, now and from now on; the answer is what goes on at the gateway.
  beatEvery(onSituation, onLost) {
    this.beat = () => this.ask("beat", this.quality).then(onSituation, onLost);
    clearInterval(this.beating);
    this.beating = setInterval(this.beat, BEAT_MS);
  }

  // The page goes away: closed, or changed for another one that connects at once.
  leave() {
    if (!this.stream) return;
    const body = new Blob([JSON.stringify({ session: this.session })], { type: "application/json" });
    navigator.sendBeacon("/api/softphone/leave", body);
  }

  close() {
    clearInterval(this.beating);
    this.stream?.close();
    this.stream = null;
  }

  async #fetch(method, url, body) {
    let answer;
    try {
      answer = await fetch(url, {
        method,
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(12000),
      });
    } catch (failed) {
      throw new Refused(0, String(failed.message || failed));
    }
    if (answer.status === 401) { location.href = "/login"; throw new Refused(401, "login"); }
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, typeof content.detail === "string" ? content.detail : `HTTP ${answer.status}`);
    return content;
  }
}
