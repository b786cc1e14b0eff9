// Segments, strategies and the campaign form: text that is checked and saved, fields of a calendar, shares, what-if.
(() => {
  "use strict";
  const { post, toast, valuesOf, JSON_BODY } = window.voicebot;
  const area = () => document.querySelector("textarea.policy");
  const send = (name, values) => window.emitEvent && window.emitEvent(name, values);

  window.policy = { show(text) { const field = area(); if (field) field.value = text; } };

  async function save(form) {
    const body = JSON.stringify({ source: area().value, based_on: Number(form.dataset.version) });
    try {
      const answer = await post(form.dataset.policy, body, JSON_BODY);
      form.dataset.version = answer.version;
      toast(form.dataset.done);
      setTimeout(() => location.reload(), 600);
    } catch (failed) { toast(failed.message, true); }
  }

  async function share(form) {
    const body = { ...valuesOf(form), shares: {} };
    for (const [name, value] of Object.entries(body)) {
      if (!name.startsWith("share.")) continue;
      body.shares[name.slice(6)] = value;
      delete body[name];
    }
    try {
      const answer = await post(form.dataset.share, JSON.stringify(body), JSON_BODY);
      toast(`${form.dataset.done}: ${answer.cases}`);
      send("shared_out", {});
    } catch (failed) { toast(failed.message, true); }
  }

  document.addEventListener("click", (event) => {
    const field = event.target.closest("[data-toggle]");
    if (field && area()) {
      const [step, day] = field.dataset.toggle.split(":").map(Number);
      return void send("policy_toggle", { source: area().value, step, day });
    }
    if (event.target.closest("[data-policy-check]")) return void send("policy_check", { source: area().value });
    const asked = event.target.closest("[data-what-if]");
    if (!asked) return;
    const form = asked.closest("form");
    if (form && !form.reportValidity()) return;
    asked.classList.add("busy");
    setTimeout(() => asked.classList.remove("busy"), 4000);
    send("what_if", form ? { values: valuesOf(form) } : { campaign: asked.dataset.whatIf });
  });
  document.addEventListener("submit", (event) => {
    const { policy, newPolicy, share: shares } = event.target.dataset;
    if (!policy && !newPolicy && !shares) return;
    event.preventDefault();
    if (policy) void save(event.target);
    if (shares) void share(event.target);
    if (newPolicy) location.href = newPolicy + event.target.elements.name.value.trim();
  });
})();
