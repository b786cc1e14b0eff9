// The player of a call: two mirrored lanes of sound, a transcript that follows and seeks, keys for reviewers.
(() => {
  "use strict";

  function appear(selector) {
    return new Promise((found) => {
      const look = () => { const element = document.querySelector(selector); if (element) { watch.disconnect(); found(element); } };
      const watch = new MutationObserver(look);
      watch.observe(document.documentElement, { childList: true, subtree: true });
      look();
    });
  }

  const shown = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

  class Player {
    constructor(root) {
      this.root = root;
      this.audio = root.querySelector("audio");
      this.canvas = root.querySelector("canvas");
      this.clock = root.querySelector("[data-clock]");
      this.duration = Number(root.dataset.duration) || 1;
      this.lines = [...document.querySelectorAll("[data-line]")].map((element) => ({
        element, start: Number(element.dataset.start), end: Number(element.dataset.end) }));
      // Faster or slower, a voice keeps its pitch.
      this.audio.preservesPitch = true;
      this.listen();
      void this.load();
      this.open();
    }

    // A link to a moment: ?t=12.5 opens the call at that second.
    open() {
      const t = Number(new URLSearchParams(location.search).get("t"));
      if (!(t > 0)) return;
      const there = () => this.seek(t * 1000);
      if (this.audio.readyState > 0) there(); else this.audio.addEventListener("loadedmetadata", there, { once: true });
    }

    async share(button) {
      const link = new URL(location.href);
      link.searchParams.set("t", (this.now / 1000).toFixed(1));
      history.replaceState(null, "", link);
      try { await navigator.clipboard.writeText(link.href); } catch { /* the address bar has it */ }
      window.voicebot?.toast(button.dataset.done);
    }

    speed(step) {
      const select = this.root.querySelector("[data-speed]"), next = select.options[select.selectedIndex + step];
      if (next) { select.value = next.value; this.audio.playbackRate = Number(next.value); }
    }

    // Spans in which neither side is heard, found in the outline of the sound.
    quiet() {
      const { left, right } = this.peaks, slice = this.duration / left.length, spans = [];
      const floor = 0.04 * Math.max(12, ...left, ...right);
      let from = -1;
      for (let i = 0; i <= left.length; i++) {
        const still = i < left.length && left[i] <= floor && right[i] <= floor;
        if (still && from < 0) from = i;
        if (!still && from >= 0) { if ((i - from) * slice >= 1000) spans.push([from * slice + 250, i * slice - 250]); from = -1; }
      }
      return spans;
    }

    skip() {
      if (!this.peaks || this.audio.paused || !this.root.querySelector("[data-skip]")?.checked) return;
      this.silences ??= this.quiet();
      const span = this.silences.find(([from, to]) => this.now >= from && this.now < to - 100);
      if (span) this.audio.currentTime = span[1] / 1000;
    }

    async load() {
      const answer = await fetch(this.root.dataset.peaks);
      this.root.querySelector(".skeleton")?.remove();
      if (!answer.ok) return;
      this.peaks = await answer.json();
      this.duration = this.peaks.duration_ms || this.duration;
      this.draw();
    }

    listen() {
      this.root.querySelector("[data-play]").addEventListener("click", () => this.toggle());
      this.root.querySelector("[data-speed]").addEventListener("change", (event) => { this.audio.playbackRate = Number(event.target.value); });
      this.audio.addEventListener("play", () => { this.root.classList.add("playing"); this.run(); });
      for (const name of ["pause", "ended"]) this.audio.addEventListener(name, () => this.root.classList.remove("playing"));
      this.audio.addEventListener("seeked", () => this.show());
      const at = (event) => { const box = this.canvas.getBoundingClientRect(); this.seek(((event.clientX - box.left) / box.width) * this.duration); };
      this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); at(event); });
      this.canvas.addEventListener("pointermove", (event) => { if (event.buttons) at(event); });
      document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-share]");
        if (button) return void this.share(button);
        if (event.target.closest("button,a,input,textarea")) return;
        const target = event.target.closest("[data-seek]");
        if (target) { this.seek(Number(target.dataset.seek)); this.start(); }
      });
      document.addEventListener("keydown", (event) => this.key(event));
      document.addEventListener("theme-changed", () => this.draw());
      new ResizeObserver(() => this.draw()).observe(this.canvas);
    }

    get now() { return this.audio.currentTime * 1000; }
    seek(ms) { this.audio.currentTime = Math.max(0, Math.min(ms, this.duration - 20)) / 1000; this.show(); }
    // A pause that comes before the first sound rejects the promise of play(): that is no error.
    start() { this.audio.play().catch(() => undefined); }
    toggle() { if (this.audio.paused) this.start(); else this.audio.pause(); }

    key(event) {
      if (event.target.closest("input,select,textarea,button,dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
      const steps = { ArrowLeft: -5000, ArrowRight: 5000 };
      if (event.key === " ") { event.preventDefault(); this.toggle(); }
      else if (event.key in steps) { event.preventDefault(); this.seek(this.now + steps[event.key]); }
      else if (event.key === "j" || event.key === "k") this.neighbour(event.key === "j" ? 1 : -1);
      else if (event.key === "[" || event.key === "]") this.speed(event.key === "]" ? 1 : -1);
      else if (event.key === "s") { const box = this.root.querySelector("[data-skip]"); if (box) box.checked = !box.checked; }
      else if (event.key === "l") { const button = this.root.querySelector("[data-share]"); if (button) void this.share(button); }
    }

    neighbour(step) {
      const after = this.lines.filter((line) => (step > 0 ? line.start > this.now + 50 : line.start < this.now - 400));
      const line = step > 0 ? after[0] : after[after.length - 1];
      if (line) this.seek(line.start);
    }

    run() {
      this.skip();
      this.show();
      if (!this.audio.paused) requestAnimationFrame(() => this.run());
    }

    show() {
      this.clock.textContent = `${shown(this.now)} / ${shown(this.duration)}`;
      const now = this.now;
      let current = null;
      for (const line of this.lines) if (line.start <= now + 30 && (now < line.end || current === null || line.start >= current.start)) current = line;
      if (current && now > current.end + 1500) current = null;
      if (current !== this.current) {
        this.current?.element.classList.remove("now");
        this.current = current;
        if (current) {
          current.element.classList.add("now");
          const list = current.element.closest(".transcript"), top = current.element.offsetTop;
          if (top < list.scrollTop || top + current.element.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTo({ top: top - list.clientHeight / 3, behavior: "smooth" });
        }
      }
      this.draw();
    }

    draw() {
      if (!this.peaks) return;
      const scale = window.devicePixelRatio || 1, box = this.canvas.getBoundingClientRect();
      const width = Math.round(box.width * scale), height = Math.round(box.height * scale);
      if (!width) return;
      if (this.canvas.width !== width || this.canvas.height !== height) { this.canvas.width = width; this.canvas.height = height; }
      const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
      const paint = this.canvas.getContext("2d"), middle = height / 2, played = (this.now / this.duration) * width;
      paint.clearRect(0, 0, width, height);
      paint.fillStyle = colour("--line");
      for (let s = 10; s < this.duration / 1000; s += 10) paint.fillRect(Math.round((s * 1000 / this.duration) * width), s % 60 ? height - 6 * scale : 0, 1, height);
      const loudest = Math.max(12, ...this.peaks.left, ...this.peaks.right), reach = middle - 5 * scale;
      const step = 3 * scale, bars = Math.floor(width / step);
      for (const [lane, side, name] of [[this.peaks.left, -1, "--accent"], [this.peaks.right, 1, "--caller"]]) {
        paint.fillStyle = colour(name);
        for (let bar = 0; bar < bars; bar++) {
          const from = Math.floor((bar * lane.length) / bars), to = Math.max(from + 1, Math.floor(((bar + 1) * lane.length) / bars));
          let peak = 0;
          for (let i = from; i < to; i++) peak = Math.max(peak, lane[i]);
          const tall = Math.max(scale, (peak / loudest) * reach);
          paint.globalAlpha = bar * step < played ? 1 : 0.42;
          paint.fillRect(bar * step, side < 0 ? middle - scale - tall : middle + scale, 2 * scale, tall);
        }
      }
      paint.globalAlpha = 1;
      paint.fillStyle = colour("--text");
      paint.fillRect(Math.min(width - 2 * scale, played), 0, 1.5 * scale, height);
    }
  }

  void appear("[data-player]").then((root) => { window.voicebotPlayer = new Player(root); });
})();
