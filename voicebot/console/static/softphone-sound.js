// Sound on the agent's side: microphone, headphones, level meters and the ring.
const RING_HZ = 450; // the tone a Chinese exchange rings back with

export class Sound {
  constructor() {
    this.speaker = new Audio();
    this.speaker.autoplay = true;
    this.meters = {};
  }

  get chosen() { return { microphone: recall("microphone"), speaker: recall("speaker"), clean: recall("clean") !== "off" }; }

  // Asks for the microphone; a DOMException says why there is none.
  async openMicrophone() {
    const { microphone, clean } = this.chosen;
    const wanted = { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean, channelCount: 1 };
    if (microphone) wanted.deviceId = { ideal: microphone };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    this.closeMicrophone();
    this.stream = stream;
    this.context ??= new AudioContext();
    await this.context.resume().catch(() => {});
    this.#meter("me", stream);
    return this.track;
  }

  get track() { return this.stream?.getAudioTracks()[0] ?? null; }

  closeMicrophone() { this.stream?.getTracks().forEach((track) => track.stop()); this.stream = null; delete this.meters.me; }

  // `onHeld` is told when the browser wants a click before it plays anything.
  async hear(stream, onHeld) {
    this.speaker.srcObject = stream;
    this.#meter("far", stream);
    await this.#route();
    this.speaker.play().catch(onHeld);
  }

  async choose(kind, id) {
    remember(kind, id);
    if (kind === "speaker") await this.#route();
  }

  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const of = (kind) => all.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default");
    return { microphone: of("audioinput"), speaker: "setSinkId" in this.speaker ? of("audiooutput") : [] };
  }

  // 0 to 1, loudest of the last moment.
  level(name) {
    const meter = this.meters[name];
    if (!meter) return 0;
    meter.analyser.getByteTimeDomainData(meter.samples);
    let most = 0;
    for (const sample of meter.samples) most = Math.max(most, Math.abs(sample - 128));
    return Math.min(1, most / 100);
  }

  ring() {
    if (this.ringing || !this.context) return;
    const tone = this.context.createOscillator(), volume = this.context.createGain();
    tone.frequency.value = RING_HZ;
    volume.gain.value = 0;
    tone.connect(volume).connect(this.context.destination);
    tone.start();
    let at = this.context.currentTime;
    const burst = () => { // one second on, two off
      volume.gain.setTargetAtTime(0.16, at, 0.02);
      volume.gain.setTargetAtTime(0, at + 1, 0.02);
      at = Math.max(at + 3, this.context.currentTime);
    };
    burst();
    this.ringing = { tone, timer: setInterval(burst, 3000) };
  }

  quiet() {
    if (!this.ringing) return;
    clearInterval(this.ringing.timer);
    this.ringing.tone.stop();
    this.ringing = null;
  }

  close() { this.quiet(); this.closeMicrophone(); this.speaker.srcObject = null; this.meters = {}; }

  #meter(name, stream) {
    if (!this.context) return;
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    const source = this.context.createMediaStreamSource(stream);
    source.connect(analyser);
    this.meters[name] = { analyser, source, samples: new Uint8Array(analyser.fftSize) };
  }

  async #route() {
    const { speaker } = this.chosen;
    if ("setSinkId" in this.speaker) await this.speaker.setSinkId(speaker || "").catch(() => {});
    if (this.context && "setSinkId" in this.context) await this.context.setSinkId(speaker || "").catch(() => {});
  }
}

function recall(name) { return localStorage.getItem(`voicebot-phone-${name}`) ?? ""; }
function remember(name, value) { localStorage.setItem(`voicebot-phone-${name}`, value); }
