// What every page does in the browser: theme, language, commands with a question before them, verification.
(() => {
  "use strict";
  const YEAR = 31536000;
  const cookie = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=${YEAR};samesite=lax`; };

  function toast(text, bad = false) {
    let box = document.querySelector(".toasts");
    if (!box) { box = document.createElement("div"); box.className = "toasts"; box.setAttribute("role", "status"); document.body.append(box); }
    const note = document.createElement("div");
    note.className = bad ? "toast bad" : "toast";
    note.textContent = text;
    box.append(note);
    setTimeout(() => note.remove(), bad ? 7000 : 3500);
  }

  function ask(button) {
    if (!button.dataset.confirm) return Promise.resolve(true);
    const dialog = document.createElement("dialog");
    dialog.className = "ask";
    const title = document.createElement("b"), lead = document.createElement("p"), actions = document.createElement("div");
    const tone = button.dataset.tone ? `btn ${button.dataset.tone}` : "btn danger solid";
    title.textContent = button.dataset.confirm;
    lead.textContent = button.dataset.confirmLead || "";
    actions.className = "actions";
    for (const [value, text, style] of [["", button.dataset.cancel, "btn"], ["yes", button.dataset.verb, tone]]) {
      const choice = document.createElement("button");
      choice.className = style; choice.textContent = text; choice.onclick = () => dialog.close(value);
      actions.append(choice);
    }
    dialog.append(title, lead, actions);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((done) => dialog.addEventListener("close", () => { const yes = dialog.returnValue === "yes"; dialog.remove(); done(yes); }));
  }

  async function post(url, body, headers) {
    const answer = await fetch(url, { method: "POST", body, headers });
    if (answer.status === 401) { location.href = "/login"; throw new Error("401"); }
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(typeof content.detail === "string" ? content.detail : content.detail?.[0]?.msg || `HTTP ${answer.status}`);
    return content;
  }

  const JSON_BODY = { "Content-Type": "application/json" };

  async function command(button) {
    if (!(await ask(button))) return;
    button.disabled = true;
    try {
      const body = button.dataset.body;
      const answer = await post(button.dataset.post, body, body && JSON_BODY);
      if (button.dataset.done) toast(button.dataset.done);
      button.closest("details.drop-menu")?.removeAttribute("open");
      tell(button, answer);
      if (button.dataset.reload !== undefined) location.reload();
    } catch (failed) {
      toast(failed.message, true);
    } finally {
      button.disabled = false;
    }
  }

  // What a page does after a command: it hears of it by name, here and on the server.
  function tell(element, answer) {
    const name = element.dataset.saved;
    element.dispatchEvent(new CustomEvent("command-done", { bubbles: true, detail: answer }));
    if (name && window.emitEvent) window.emitEvent(name, {});
  }

  function valuesOf(form) {
    const values = {};
    for (const field of form.elements) {
      if (!field.name || field.value === "" || ((field.type === "radio" || field.type === "checkbox") && !field.checked)) continue;
      values[field.name] = field.type === "number" ? Math.round(Number(field.value) * Number(field.dataset.factor || 1)) : field.value;
    }
    return values;
  }

  async function send(form) {
    const button = form.querySelector("[type=submit]");
    if (button?.disabled) return;
    if (button) button.disabled = true;
    try {
      const answer = await post(form.dataset.form, JSON.stringify(valuesOf(form)), JSON_BODY);
      form.reset();
      form.closest("details")?.removeAttribute("open");
      toast(form.dataset.done);
      tell(form, answer);
    } catch (failed) {
      toast(failed.message, true);
    } finally {
      if (button) button.disabled = false;
    }
  }

  async function verify(badge) {
    const text = badge.querySelector("[data-verdict]"), list = document.querySelector("[data-failures]");
    badge.classList.remove("valid", "invalid");
    badge.classList.add("busy");
    text.textContent = badge.dataset.checking;
    list.replaceChildren();
    try {
      const verdict = await post(badge.dataset.verify);
      badge.classList.add(verdict.valid ? "valid" : "invalid");
      text.textContent = verdict.valid ? badge.dataset.valid : badge.dataset.invalid;
      for (const failure of verdict.failures) {
        const item = document.createElement("li"), code = document.createElement("code");
        code.textContent = failure.code;
        item.append(code, ` ${failure.what}`);
        list.append(item);
      }
    } catch (failed) {
      text.textContent = badge.dataset.unchecked;
      toast(failed.message, true);
    } finally {
      badge.classList.remove("busy");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action],[data-post],[data-verify]");
    if (!button) return;
    if (button.dataset.post) return void command(button);
    if (button.dataset.verify) return void verify(button);
    if (button.dataset.action === "language") {
      cookie("voicebot_lang", document.documentElement.lang.startsWith("zh") ? "en" : "zh");
      location.reload();
    }
    if (button.dataset.action === "theme") {
      const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = theme;
      cookie("voicebot_theme", theme);
      if (window.Quasar) window.Quasar.Dark.set(theme === "dark");
      document.dispatchEvent(new CustomEvent("theme-changed"));
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-form]");
    if (form) { event.preventDefault(); void send(form); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  // Clocks tick here, so the server need not send a second hand; one that was just drawn is right before it is seen.
  const told = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`) + `:${String(s % 60).padStart(2, "0")}`;
  };
  function tick(root) {
    for (const clock of root.querySelectorAll("[data-since]")) clock.textContent = told((Date.now() - Number(clock.dataset.since)) / 1000);
    for (const clock of root.querySelectorAll("[data-until]")) clock.textContent = told((Number(clock.dataset.until) - Date.now()) / 1000);
  }
  setInterval(() => tick(document), 500);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1 && node.parentElement) tick(node.parentElement);
  }).observe(document.documentElement, { childList: true, subtree: true });
  // What can be seen but once: a password link, a token. The words come from the page.
  function showOnce({ title, lead, copy }, secret) {
    const dialog = document.createElement("dialog");
    dialog.className = "ask link-box";
    const head = document.createElement("b"), below = document.createElement("p"), code = document.createElement("code");
    const button = document.createElement("button"), actions = document.createElement("div");
    head.textContent = title; below.textContent = lead; code.textContent = secret;
    button.textContent = copy; button.className = "btn primary"; actions.className = "actions";
    button.onclick = async () => {
      try { await navigator.clipboard.writeText(secret); dialog.close(); } catch { getSelection().selectAllChildren(code); }
    };
    actions.append(button);
    dialog.append(head, below, code, actions);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  window.voicebot = { post, toast, valuesOf, showOnce, JSON_BODY };
})();
