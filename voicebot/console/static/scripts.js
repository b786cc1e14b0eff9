// The designer's page: tabs, saving, what is kept in this browser, chat, comparison, simulation. Events go to the server by name.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const page = () => $(".designer");
  const send = (name, detail = {}) => window.emitEvent?.(name, detail);
  const KEY = () => `voicebot.script.${page()?.dataset.script}`;
  let base = null, timer = 0, dirty = false;

  // -- tabs

  function tab(name, focus = false) {
    for (const button of document.querySelectorAll("[data-tab][role=tab]")) {
      const on = button.dataset.tab === name;
      button.setAttribute("aria-selected", on);
      button.tabIndex = on ? 0 : -1;
      if (on && focus) button.focus();
    }
    for (const pane of document.querySelectorAll("[data-pane]")) pane.hidden = pane.dataset.pane !== name;
    for (const tool of document.querySelectorAll("[data-for]")) tool.hidden = tool.dataset.for !== name;
    sessionStorage.setItem("voicebot.script.tab", name);
    window.designer.begin?.();
    if (name === "diff") compare();
  }
  function compare() {
    send("script-diff", { number: Number($("[data-diff]")?.value || 0), graph: $("[data-diff-graph]")?.checked || false });
  }
  function side(name) {
    for (const button of document.querySelectorAll("[data-side-tab]")) button.setAttribute("aria-selected", button.dataset.sideTab === name);
    for (const pane of document.querySelectorAll("[data-side]")) pane.hidden = pane.dataset.side !== name;
  }

  // -- the text: kept here until it is saved

  function editor() {
    const element = $(".designer .yaml");
    return element && window.getElement ? window.getElement(Number(element.id.slice(1)))?.editor : null;
  }
  const written = () => editor()?.state.doc.toString();
  function keep(source) {
    if (source === undefined || !base) return;
    if (source === base.source) return forget();
    const at = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    localStorage.setItem(KEY(), JSON.stringify({ number: base.number, sha256: base.sha256, base: base.source, source, at }));
  }
  function forget() { localStorage.removeItem(KEY()); }
  function changed(yes) {
    dirty = yes;
    const chip = $("[data-unsaved]");
    if (chip) chip.hidden = !yes;
  }
  function restore() {
    const text = localStorage.getItem(KEY());
    if (!text || !base) return;
    const kept = JSON.parse(text);
    if (kept.number !== base.number && kept.sha256 !== base.sha256) {
      // It belongs to another version of this script: it waits there.
      return;
    }
    send("script-restore", kept);
  }
  function save() {
    if (!$("[data-save]")) return;
    keep(written());
    send("script-save", { base: base?.source });
  }

  // -- other boxes

  function others(text) {
    const note = $("[data-others]");
    if (!note) return;
    note.hidden = !text;
    if (note.textContent !== text) note.textContent = text;
  }
  function shade(name) {
    const choice = $("[data-shade]");
    if (choice) choice.value = name;
  }
  const sound = new Audio();
  function hear(text) {
    sound.src = `/api/scripts/say?text=${encodeURIComponent(text.slice(0, 300))}`;
    sound.play().catch((failed) => window.voicebot.toast(failed.message, true));
  }
  const values = { person: "张伟先生", name: "张伟", address: "张先生", institution: "示例客户服务中心", hotline: "四零零零零零一二三四",
    creditor: "示例消费金融", product: "消费分期", amount: "一千二百六十八元", principal: "一千二百元", fees: "六十八元", overdue: "十二天",
    promise_date: "十一月二十七日，星期五", promise_amount: "一千二百六十八元", rest_amount: "六百元", near_date: "十一月二十七日",
    horizon_date: "十二月九日", today: "十一月二十四日", callback_time: "明天下午三点" };
  const filled = (text) => text.replace(/\{([^{}]*)\}/g, (_, name) => values[name] ?? "某某");

  const ids = (text) => text.split(/[,，、\s]+/).filter(Boolean);
  function chat(button) {
    const verb = button.dataset.chat;
    const add = (event) => send("script-chat", { do: "add", event });
    if (verb === "restart") send("script-chat", { do: "restart" });
    if (verb === "silence") add({ silence: true });
    if (verb === "hang_up") add({ hang_up: true });
    if (verb === "joined") add({ transfer: true });
    if (verb === "nobody") add({ transfer: false });
    if (verb === "keep") {
      const first = $(".chat .callee")?.dataset.said || page().dataset.script;
      ask(button.dataset.ask, first.slice(0, 30)).then((name) => name && send("script-keep", { name }));
    }
  }
  function ask(title, value) {
    const dialog = document.createElement("dialog"), form = document.createElement("form"), label = document.createElement("b");
    const entry = document.createElement("input"), actions = document.createElement("div"), ok = document.createElement("button");
    dialog.className = "ask"; form.method = "dialog"; entry.className = "input"; actions.className = "actions"; ok.className = "btn primary";
    label.textContent = title; entry.value = value; entry.maxLength = 80; ok.textContent = "OK"; ok.value = "ok";
    actions.append(ok); form.append(label, entry, actions); dialog.append(form); document.body.append(dialog);
    dialog.showModal(); entry.select();
    return new Promise((done) => dialog.addEventListener("close", () => { const yes = dialog.returnValue === "ok"; dialog.remove(); done(yes ? entry.value.trim() : ""); }));
  }
  function rewrite(button) {
    const turn = button.closest("[data-turn]"), at = Number(turn.dataset.turn), text = $(".text", turn);
    if ($("input", turn)) return;
    const entry = document.createElement("input");
    entry.className = "input"; entry.value = turn.dataset.said;
    text.replaceChildren(entry); entry.focus(); entry.select();
    entry.addEventListener("keydown", (event) => {
      if (event.key === "Enter") send("script-chat", { do: "edit", at, event: { say: entry.value } });
      if (event.key === "Escape") text.textContent = turn.dataset.said;
    });
  }
  function tellCase(form) {
    const given = Object.fromEntries(new FormData(form));
    $("[data-case-told]").textContent = `${given.name} · ¥${given.amount} · ${given.id_last4}`;
    send("script-chat", { do: "case", case: { ...given, agent: Boolean(given.agent) } });
  }

  // -- one listener per kind of event

  document.addEventListener("click", (event) => {
    const hit = event.target.closest("button,[data-line],[data-goto],a");
    if (!hit || !page()) return;
    const data = hit.dataset;
    if (data.tab) tab(data.tab);
    else if (data.sideTab) side(data.sideTab);
    else if (data.save !== undefined) save();
    else if (data.drop !== undefined) send("script-drop");
    else if (data.conflict) send("script-conflict", { how: data.conflict });
    else if (data.line) reveal(Number(data.line));
    else if (data.hear !== undefined) hear(data.hear || filled($("[data-k=text]", hit.closest("[data-row]")).value));
    else if (data.chat) chat(hit);
    else if (data.chatEdit !== undefined) rewrite(hit);
    else if (data.chatCut !== undefined) send("script-chat", { do: "cut", at: Number(data.at) });
    else if (data.playOpen) { side("chat"); send("script-play", { do: "open", name: data.playOpen }); }
    else if (data.playDrop) send("script-play", { do: "drop", name: data.playDrop });
    else if (data.playsRun !== undefined) send("script-play", { do: "run" });
    else if (data.goto && !hit.closest(".card")) window.designer.goTo(data.goto);
  });
  function reveal(line) {
    tab("yaml");
    const view = editor();
    if (!view) return;
    const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
    // The pane was hidden until now: the editor measures first.
    requestAnimationFrame(() => {
      view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
      view.focus();
    });
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!page()) return;
    if (form.matches("[data-chat-form]")) {
      event.preventDefault();
      const say = form.elements.say.value.trim(), intents = ids(form.elements.intents.value);
      if (say || intents.length) send("script-chat", { do: "add", event: intents.length ? { say, intents } : { say } });
      form.reset();
    } else if (form.matches("[data-simulate]")) {
      event.preventDefault();
      send("script-simulate", { count: form.elements.count.value, seed: form.elements.seed.value });
    } else if (form.matches("[data-case]")) {
      event.preventDefault();
      tellCase(form);
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!page()) return;
    if (field.matches("[data-shade]")) send("script-shade", { shade: field.value });
    if (field.matches("[data-diff],[data-diff-graph]")) {
      compare();
      if (field.matches("[data-diff-graph]") && field.checked) tab("flow");
    }
    if (field.closest("[data-case]")) tellCase(field.closest("[data-case]"));
  });
  document.addEventListener("keydown", (event) => {
    if (!page()) return;
    const typing = event.target.closest("input,textarea,select,.cm-editor");
    if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); save(); }
    if (event.key === "/" && !typing) { event.preventDefault(); tab("flow"); $("[data-find]")?.focus(); }
    if (event.target.matches("[role=tab]") && /^Arrow(Left|Right)$/.test(event.key)) {
      const all = [...event.target.parentElement.querySelectorAll("[role=tab]")];
      const next = all[(all.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
      next.click(); next.focus();
    }
    if ((event.key === "Enter" || event.key === " ") && event.target.matches("[data-line],.chip[data-goto]")) { event.preventDefault(); event.target.click(); }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.closest(".cm-editor")) return;
    clearTimeout(timer);
    timer = setTimeout(() => keep(written()), 250);
  });
  document.addEventListener("command-done", (event) => {
    if (event.target.matches("[data-open-script]")) location.href = `/scripts/${event.detail.script}`;
  });
  addEventListener("beforeunload", () => { if (dirty) keep(written()); });

  const TOKENS = () => document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  document.addEventListener("theme-changed", () => send("script-theme", { theme: TOKENS() }));

  // The server has drawn the page when its base sheet is there; what was kept comes back once its channel is open.
  function begin() {
    const sheet = $("[data-base]");
    if (!sheet || !page() || !window.emitEvent || !editor()) return void setTimeout(begin, 80);
    base = JSON.parse(sheet.textContent);
    const asked = new URLSearchParams(location.search).get("tab") || sessionStorage.getItem("voicebot.script.tab");
    tab(asked || "flow");
    side("card");
    send("script-theme", { theme: TOKENS() });
    restore();
  }
  window.designer = {
    keep, forget, changed, others, shade, tab, side, hear,
    based(sheet) { base = sheet; },
    saved(sheet) { base = sheet; forget(); changed(false); },
    goTo() {},
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
