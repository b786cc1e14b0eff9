// Desk and wall: the calculator, drafts that survive a reload, search in cards, one menu at a time, the alarm, password links.
(() => {
  "use strict";
  const { post, toast, valuesOf, JSON_BODY } = window.voicebot;

  // --- the wrap-up form

  const draftOf = (form) => `wrap-${form.dataset.wrap}`;

  function keep(form) { localStorage.setItem(draftOf(form), JSON.stringify(Object.fromEntries(new FormData(form)))); }

  function restore(form) {
    if (form.dataset.restored) return;
    form.dataset.restored = "yes";
    const draft = JSON.parse(localStorage.getItem(draftOf(form)) || "null");
    for (const [name, value] of Object.entries(draft || {})) {
      for (const field of form.elements) {
        if (field.name !== name) continue;
        if (field.type === "radio") field.checked = field.value === value; else field.value = value;
      }
    }
    if (draft) void calculate(form);
  }

  let asked = 0;
  async function calculate(form) {
    const out = form.querySelector(".plan-out");
    if (!out) return;
    const values = valuesOf(form), mine = ++asked;
    out.hidden = values.agreement === "none" || !values.date;
    form.querySelector("[type=submit]").disabled = false;
    if (out.hidden) return;
    const names = ["agreement", "date", "amount_fen", "count", "step", "first_fen", "waived_fen"];
    const terms = { case_id: form.dataset.case };
    for (const name of names) if (values[name] !== undefined) terms[name] = values[name];
    const list = out.querySelector("[data-parts]"), why = out.querySelector("[data-why]");
    try {
      const plan = await post("/api/desk/plan", JSON.stringify(terms), JSON_BODY);
      if (mine !== asked) return;
      const rows = plan.parts.map((part, index) => row(out.dataset.part.replace("{n}", index + 1), part.day, part.amount));
      if (plan.parts.length > 1) rows.push(row(out.dataset.total, "", plan.total, "sum"));
      list.replaceChildren(...rows);
      why.textContent = plan.why;
      why.className = plan.allowed ? "plan-why good" : "plan-why bad";
      form.querySelector("[type=submit]").disabled = !plan.allowed;
    } catch (failed) {
      if (mine !== asked) return;
      list.replaceChildren();
      why.textContent = failed.message;
      why.className = "plan-why bad";
      form.querySelector("[type=submit]").disabled = true;
    }
  }

  function row(...texts) {
    const item = document.createElement("li");
    if (texts.length > 3) item.className = texts.pop();
    for (const text of texts) { const cell = document.createElement("span"); cell.textContent = text; item.append(cell); }
    return item;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-wrap]");
    if (form) { keep(form); clearTimeout(form.waiting); form.waiting = setTimeout(() => calculate(form), 250); }
    if (event.target.matches("[data-filter]")) filter(event.target);
  });

  document.addEventListener("command-done", (event) => {
    const form = event.target.closest("[data-wrap]");
    if (form) {
      localStorage.removeItem(draftOf(form));
      form.querySelector(".plan-out")?.setAttribute("hidden", "");
      if (window.emitEvent) window.emitEvent("work", {});
    }
    const { link, ...words } = event.target.dataset;
    if (link) window.voicebot.showOnce({ ...words, lead: link }, event.detail.url);
  });

  // --- cards of knowledge

  function filter(entry) {
    const words = entry.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of entry.closest(".panel").querySelectorAll(entry.dataset.filter)) {
      card.hidden = !words.every((word) => card.dataset.search.includes(word));
    }
  }

  // --- menus: one open at a time, shut by a click elsewhere

  document.addEventListener("click", (event) => {
    const own = event.target.closest("details.drop-menu");
    for (const menu of document.querySelectorAll("details.drop-menu[open]")) if (menu !== own) menu.open = false;
    const action = event.target.closest("[data-desk]")?.dataset.desk;
    if (action === "big") big(!document.documentElement.classList.contains("big"));
    if (action === "sound") sound(localStorage.getItem("wall-sound") === "off");
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.drop-menu[open]")) event.target.querySelector("input")?.focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.documentElement.classList.contains("big")) big(false);
  });

  // --- the wall

  function big(on) {
    document.documentElement.classList.toggle("big", on);
    sessionStorage.setItem("wall-big", on ? "yes" : "");
    if (on) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  let context = null, alarmed = null;
  function sound(on) {
    localStorage.setItem("wall-sound", on ? "on" : "off");
    document.querySelector("[data-desk=sound]")?.setAttribute("aria-pressed", String(on));
    if (on) beep();
  }
  function beep() {
    context ||= new AudioContext();
    void context.resume();
    [0, 0.22, 0.44].forEach((after, index) => {
      const tone = context.createOscillator(), loud = context.createGain(), at = context.currentTime + after;
      tone.frequency.value = index === 1 ? 988 : 784;
      loud.gain.setValueAtTime(0, at);
      loud.gain.linearRampToValueAtTime(0.2, at + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
      tone.connect(loud).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.21);
    });
  }
  function listen() {
    const found = document.querySelector("[data-alarm]");
    if (!found) return;
    const newest = Number(found.dataset.alarm);
    if (alarmed !== null && newest > alarmed && localStorage.getItem("wall-sound") !== "off") beep();
    alarmed = Math.max(alarmed ?? 0, newest);
  }

  setInterval(() => {
    for (const form of document.querySelectorAll("[data-wrap]")) restore(form);
    listen();
    const bell = document.querySelector("[data-desk=sound]");
    const on = String(localStorage.getItem("wall-sound") !== "off");
    if (bell && bell.getAttribute("aria-pressed") !== on) bell.setAttribute("aria-pressed", on);
  }, 300);
  if (sessionStorage.getItem("wall-big")) document.documentElement.classList.add("big");
})();
