// What the pages of cases do in the browser: hand files in, say what columns mean, put rejected rows right.
(() => {
  "use strict";

  function toast(text, bad = false) {
    let box = document.querySelector(".toasts");
    if (!box) { box = document.createElement("div"); box.className = "toasts"; box.setAttribute("role", "status"); document.body.append(box); }
    const note = document.createElement("div");
    note.className = bad ? "toast bad" : "toast";
    note.textContent = text;
    box.append(note);
    setTimeout(() => note.remove(), bad ? 7000 : 3500);
  }

  async function post(url, body, headers) {
    const answer = await fetch(url, { method: "POST", body, headers });
    if (answer.status === 401) { location.href = "/login"; throw new Error("401"); }
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(typeof content.detail === "string" ? content.detail : content.detail?.[0]?.msg || `HTTP ${answer.status}`);
    return content;
  }

  const json = (url, value) => post(url, JSON.stringify(value), { "Content-Type": "application/json" });

  async function busy(element, work) {
    element.classList.add("busy");
    element.disabled = true;
    try { await work(); } catch (failed) { toast(failed.message, true); } finally {
      element.classList.remove("busy");
      element.disabled = false;
    }
  }

  const formOf = (file) => { const form = new FormData(); form.append("file", file); return form; };

  const handIn = (drop, file) => busy(drop, async () => {
    const creditor = document.querySelector("[data-creditor]")?.value || "";
    const answer = await post(`${drop.dataset.caseFile}?creditor=${encodeURIComponent(creditor)}`, formOf(file));
    location.href = `/cases/import/${answer.import_id}`;
  });

  const pay = (drop, file) => busy(drop, async () => {
    const answer = await post(drop.dataset.paymentFile, formOf(file));
    const told = { ...answer, rejected: answer.rejected.length };
    toast(drop.dataset.done.replace(/\{(\w+)\}/g, (_, name) => told[name]));
    const rows = answer.rejected.slice(0, 50).map((row) => {
      const item = document.createElement("li");
      item.textContent = `${row.row} · ${row.column} ${row.value} · ${row.reason}`;
      return item;
    });
    document.querySelector("[data-payment-rejects]").replaceChildren(...rows);
    drop.querySelector("input").value = "";
  });

  function plan(box) {
    const mapping = {};
    for (const choice of box.querySelectorAll("[data-heading]")) if (choice.dataset.heading) mapping[choice.dataset.heading] = choice.value;
    const creditor = box.querySelector("[data-plan-creditor]").value;
    return busy(box, async () => {
      await json(`/api/cases/imports/${box.dataset.plan}/plan`, { mapping, creditor });
      window.emitEvent("import_changed", {});
    });
  }

  const mend = (button) => busy(button, async () => {
    const rows = {};
    for (const cell of document.querySelectorAll("[data-place]")) {
      if (cell.value !== cell.dataset.was) (rows[cell.dataset.place] ||= {})[cell.dataset.headingOf] = cell.value;
    }
    const answer = await json(button.dataset.mend, { rows });
    location.href = `/cases/import/${answer.import_id}`;
  });

  const take = (drop, file) => { if (file) void (drop.dataset.caseFile ? handIn(drop, file) : pay(drop, file)); };
  const DROPS = "[data-case-file],[data-payment-file]";
  document.addEventListener("change", (event) => {
    const drop = event.target.closest(DROPS), box = event.target.closest("[data-plan]");
    if (drop) take(drop, event.target.files[0]);
    else if (box && event.target.matches("[data-heading],[data-plan-creditor]")) void plan(box);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mend]");
    if (button) void mend(button);
  });
  document.addEventListener("command-done", (event) => { if (event.target.dataset.reload !== undefined) location.reload(); });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const drop = event.target.closest?.(DROPS);
      if (!drop) return;
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") take(drop, event.dataTransfer.files[0]);
    });
  }
})();
