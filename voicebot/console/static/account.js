// My account: a new token is made of what was ticked, and shown once.
(() => {
  "use strict";
  async function make(form) {
    const values = window.voicebot.valuesOf(form);
    delete values.scope;
    values.scopes = [...form.querySelectorAll("[name=scope]:checked")].map((box) => box.value);
    try {
      const answer = await window.voicebot.post("/api/account/tokens", JSON.stringify(values), window.voicebot.JSON_BODY);
      form.reset();
      show(form, answer.token);
      if (window.emitEvent) window.emitEvent(form.dataset.saved, {});
    } catch (failed) {
      window.voicebot.toast(failed.message, true);
    }
  }

  function show(form, token) {
    const dialog = document.createElement("dialog");
    dialog.className = "ask link-box";
    const title = document.createElement("b"), lead = document.createElement("p"), code = document.createElement("code");
    const copy = document.createElement("button"), actions = document.createElement("div");
    title.textContent = form.dataset.title; lead.textContent = form.dataset.lead; code.textContent = token;
    copy.textContent = form.dataset.copy; copy.className = "btn primary"; actions.className = "actions";
    copy.onclick = async () => {
      try { await navigator.clipboard.writeText(token); dialog.close(); } catch { getSelection().selectAllChildren(code); }
    };
    actions.append(copy);
    dialog.append(title, lead, code, actions);
    document.body.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-token]");
    if (form) { event.preventDefault(); void make(form); }
  });
})();
