// The workbench: questions by keys alone, comments at the moment that is playing, a score that is sent.
(() => {
  "use strict";
  let current = 0;
  const questions = () => [...document.querySelectorAll("[data-question]")];
  const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]),select,textarea,dialog");

  function go(index) {
    const all = questions();
    if (!all.length) return;
    current = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((item, at) => item.classList.toggle("current", at === current));
    all[current].scrollIntoView({ block: "nearest" });
  }

  function answer(value) {
    const radio = questions()[current]?.querySelector(`input[value=${value}]`);
    if (!radio) return;
    radio.checked = true;
    go(current + 1);
  }

  async function submit(form) {
    const answers = {};
    for (const radio of form.querySelectorAll("input[type=radio]:checked")) answers[radio.name] = radio.value;
    const open = questions().findIndex((item) => !(item.dataset.question in answers));
    if (open >= 0) return go(open);
    const { post, toast, JSON_BODY } = window.voicebot;
    try {
      const told = await post(form.dataset.score, JSON.stringify({ answers, note: form.elements.note.value }), JSON_BODY);
      toast(`${form.dataset.done}：${told.score}`);
      form.classList.add("done");
      for (const field of form.elements) field.disabled = true;
      if (window.emitEvent) window.emitEvent("quality", {});
    } catch (failed) {
      toast(failed.message, true);
    }
  }

  async function comment(input) {
    const { post, toast, JSON_BODY } = window.voicebot;
    const text = input.value.trim();
    if (!text) return;
    try {
      await post(input.dataset.comment, JSON.stringify({ ms: Math.round(window.voicebotPlayer?.now || 0), text }), JSON_BODY);
      input.value = "";
      input.blur();
      toast(input.dataset.done);
      if (window.emitEvent) window.emitEvent("quality", {});
    } catch (failed) {
      toast(failed.message, true);
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-score]");
    if (form) { event.preventDefault(); void submit(form); }
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest("[data-question]");
    if (item) go(questions().indexOf(item));
  });
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("[data-score]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) { event.preventDefault(); return void submit(form); }
    if (event.key === "Enter" && event.target.dataset?.comment) { event.preventDefault(); return void comment(event.target); }
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowDown: () => go(current + 1), ArrowUp: () => go(current - 1), 1: () => answer("yes"), 2: () => answer("no"), 3: () => answer("na") };
    if (event.key in keys) { event.preventDefault(); keys[event.key](); }
    else if (event.key === "c") { event.preventDefault(); document.querySelector("[data-comment]")?.focus(); }
  });
  new MutationObserver((changes, watch) => { if (questions().length) { watch.disconnect(); go(0); } })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
