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
      window.voicebot.showOnce(form.dataset, answer.token);
      if (window.emitEvent) window.emitEvent(form.dataset.saved, {});
    } catch (failed) {
      window.voicebot.toast(failed.message, true);
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-token]");
    if (form) { event.preventDefault(); void make(form); }
  });
})();
