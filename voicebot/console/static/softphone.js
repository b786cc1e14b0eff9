// <voice-phone>: the agent's telephone. off -> on -> ringing -> talking; it connects again by itself when the network
// or the gateway was away, and on the next page of the console.
import { Link } from "./softphone-link.js";
import { Peer } from "./softphone-peer.js";
import { Sound } from "./softphone-sound.js";
import { drawn } from "./softphone-view.js";

const KEPT = "voicebot-phone"; // in sessionStorage: this tab is the telephone, also after a change of pages
const PAUSES_MS = [300, 1000, 2000, 4000, 8000];

class VoicePhone extends HTMLElement {
  connectedCallback() {
    if (this.view) return;
    const place = document.querySelector(".phone-place");
    if (place && !place.contains(this)) { place.append(this); return; }
    this.texts = JSON.parse(this.dataset.texts);
    this.sound = new Sound();
    this.state = "off";
    this.muted = false;
    this.remote = "";
    this.view = drawn(this);
    document.addEventListener("click", this.clicked = (event) => {
      const button = event.target.closest?.("[data-phone]");
      if (button) { event.preventDefault(); void this.obey(button.dataset.phone, button); }
    });
    addEventListener("beforeunload", this.leaving = (event) => { if (this.state === "talking") event.preventDefault(); });
    addEventListener("online", this.online = () => { if (this.wanted) void this.reconnect(true); });
    this.painting = setInterval(() => this.view.levels(this.sound.level("me"), this.sound.level("far")), 100);
    this.#show("off");
    if (sessionStorage.getItem(KEPT)) void this.turnOn();
  }

  disconnectedCallback() {
    if (!this.view) return;
    document.removeEventListener("click", this.clicked);
    removeEventListener("beforeunload", this.leaving);
    removeEventListener("online", this.online);
    clearInterval(this.painting);
    this.#close();
    this.view.close();
    this.view = null;
  }

  async obey(command, button) {
    switch (command) {
      case "on": return this.turnOn();
      case "off": return this.turnOff();
      case "answer": return this.answer();
      case "decline": case "hangup": return this.#try(() => this.link?.ask("hangup"));
      case "mute": return this.mute(!this.muted);
      case "key": return this.#try(() => this.link?.ask("keys", { digits: button.dataset.key }));
      case "unheard": this.view.note(""); return this.sound.speaker.play();
      case "devices": return this.view.devices(await this.sound.devices(), this.sound.chosen);
      case "keys": return this.view.toggleKeys();
    }
  }

  async turnOn() {
    if (this.wanted) return;
    if (!window.isSecureContext || !navigator.mediaDevices) { this.#show("off", this.texts["error.insecure"]); return; }
    this.wanted = true;
    this.#show("starting");
    try {
      await this.#microphone();
    } catch (failed) {
      this.wanted = false;
      this.#show("off", this.#microphoneError(failed));
      return;
    }
    sessionStorage.setItem(KEPT, "on");
    this.link = new Link((news) => this.#heard(news));
    await this.reconnect(true);
  }

  async turnOff(why = "") {
    if (!why) await this.#try(() => this.link?.ask("off"));
    sessionStorage.removeItem(KEPT);
    this.#close();
    this.#show("off", why);
  }

  async answer() {
    if (this.state !== "ringing") return;
    this.sound.quiet();
    await this.peer.speak(this.sound.track);
    await this.#try(() => this.link.ask("answer"));
  }

  mute(on) {
    this.muted = on;
    if (this.sound.track) this.sound.track.enabled = !on;
    this.#show(this.state);
  }

  // A new microphone, headphones, or suppression switched; a running call goes on with it.
  async choose(kind, value) {
    await this.sound.choose(kind, value);
    if (kind === "speaker" || !this.wanted) return;
    try {
      await this.#microphone();
      if (this.state === "talking") await this.peer?.speak(this.sound.track);
    } catch (failed) {
      this.#show(this.state, this.#microphoneError(failed));
    }
  }

  // Connect, and again until it stands; `now` forgets how often it failed before.
  async reconnect(now = false) {
    if (!this.wanted || this.connecting) return;
    this.connecting = true;
    if (now) this.failures = 0;
    try {
      while (this.wanted) {
        try {
          await this.#connect();
          this.failures = 0;
          return;
        } catch (failed) {
          if (!this.wanted) return;
          if (failed.status === 409) return void this.turnOff(this.texts["error.taken"]);
          if (failed.status === 403) return void this.turnOff(this.texts["error.no_agent"]);
          this.#show("reconnecting", failed.status === 503 ? this.texts["error.gateway"] : this.#other(failed));
          await new Promise((later) => setTimeout(later, PAUSES_MS[Math.min(this.failures++, PAUSES_MS.length - 1)]));
        }
      }
    } finally {
      this.connecting = false;
    }
  }

  async #connect() {
    const { ice_servers: servers } = await this.link.settings();
    await this.link.open();
    if (await this.#stillThere()) return;
    this.peer?.close();
    const peer = this.peer = new Peer(servers, (stream) => this.#hear(stream), (state) => this.#peerState(peer, state));
    const sdp = await peer.offer();
    this.newest = -1;
    const situation = await this.link.ask("connect", { sdp });
    await peer.accept(situation.sdp);
    this.#beat();
    clearInterval(this.measuring);
    this.measuring = setInterval(() => void this.#measure(peer), 1000);
    await this.#situation(situation);
  }

  #beat() {
    this.link.beatEvery(
      (situation) => this.#situation(situation),
      (failed) => void (failed.status === 409 ? this.turnOff(this.texts["error.taken"]) : this.reconnect()),
    );
  }

  // Only the console was away: the sound went on, and the gateway has not missed us.
  async #stillThere() {
    if (this.peer?.connection.connectionState !== "connected") return false;
    try {
      const situation = await this.link.ask("beat");
      this.#beat();
      await this.#situation(situation);
      return true;
    } catch (failed) {
      if (failed.status === 404) return false;
      throw failed;
    }
  }

  async #hear(stream) {
    await this.sound.hear(stream, () => this.view.note(this.texts.unheard, "unheard"));
  }

  #peerState(peer, state) {
    if (peer !== this.peer || !this.wanted) return;
    clearTimeout(this.doubt);
    this.dataset.webrtc = state;
    if (state === "connected") this.#show(this.state === "reconnecting" ? this.known ?? "on" : this.state);
    if (state === "failed") { this.#show("reconnecting", this.texts["error.no_path"]); void this.reconnect(); }
    if (state === "disconnected") this.doubt = setTimeout(() => { this.#show("reconnecting"); void this.reconnect(true); }, 2500);
  }

  async #measure(peer) {
    if (peer !== this.peer || peer.connection.connectionState !== "connected") return;
    this.link.quality = await peer.quality();
    this.view.quality(this.link.quality);
  }

  #heard(news) {
    switch (news.event) {
      case "lost": this.#show("reconnecting", this.texts["error.gateway"]); return void this.reconnect();
      case "replaced": return void this.turnOff(this.texts["error.taken"]);
      case "off": return void (this.wanted && !this.connecting && this.turnOff(this.texts["error.gone"]));
      case "ended": this.view.note(news.missed ? this.texts.missed : this.texts.ended); break;
    }
    void this.#situation(news);
  }

  // The gateway's word on what goes on: on, ringing or talking, and with whom.
  async #situation({ state, remote, number }) {
    if (number === undefined || number < this.newest) return;
    this.newest = number;
    const before = this.known;
    this.known = state;
    this.remote = remote || this.remote;
    if (state === "ringing") this.sound.ring(); else this.sound.quiet();
    if (state === "talking") await this.peer?.speak(this.sound.track);
    if (state === "on") { await this.peer?.speak(null); if (this.muted) this.mute(false); }
    this.#show(state);
    const name = { ringing: "phone-ringing", talking: "phone-answered", on: before && before !== "on" ? "phone-ended" : null }[state];
    if (name && state !== before) this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: { remote: this.remote } }));
    if (state === "on") this.remote = "";
  }

  async #microphone() {
    const track = await this.sound.openMicrophone();
    track.enabled = !this.muted;
    track.onended = () => { if (this.wanted) this.#show(this.state, this.texts["error.unplugged"]); };
  }

  #microphoneError(failed) {
    const known = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "no_microphone", OverconstrainedError: "no_microphone", NotReadableError: "busy_microphone" };
    const key = known[failed.name];
    return key ? this.texts[`error.${key}`] : this.#other(failed);
  }

  #other(failed) { return this.texts["error.other"].replace("{why}", failed.message); }

  async #try(work) {
    try {
      return await work();
    } catch (failed) {
      if (failed.status === 409) return this.turnOff(this.texts["error.taken"]);
      if (failed.status !== 404) this.view?.note(this.#other(failed));
      if (failed.status === 503 || failed.status === 404) void this.reconnect();
    }
  }

  #show(state, note) {
    this.state = state;
    this.dataset.state = state;
    this.dataset.muted = this.muted;
    this.view?.show(state, { muted: this.muted, remote: this.remote, note });
  }

  #close() {
    this.wanted = false;
    this.known = undefined;
    clearInterval(this.measuring);
    clearTimeout(this.doubt);
    this.link?.close();
    this.peer?.close();
    this.link = this.peer = null;
    this.sound.close();
  }
}

customElements.define("voice-phone", VoicePhone);
