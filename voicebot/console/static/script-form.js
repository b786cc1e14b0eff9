// The form of a card: rows that come, go and move, intents offered by name, and the whole form as one value for the server.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root) => [...root.querySelectorAll(selector)];
  const ids = (text) => text.split(/[,，、\s]+/).filter(Boolean);
  const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  const place = (row) => (row.dataset.at === undefined ? null : Number(row.dataset.at));

  function prompt(row) {
    return { at: place(row), text: $("[data-k=text]", row).value.trim(), if: $("[data-k=if]", row).value.trim(), must_hear: $("[data-k=must_hear]", row).checked };
  }
  function branch(row) {
    const before = JSON.parse(row.dataset.says || "[]");
    const say = lines($("[data-k=say]", row).value).map((text, index) => ({ if: "", must_hear: false, ...before[index], at: index < before.length ? index : null, text }));
    const value = (key) => $(`[data-k=${key}]`, row).value;
    return { at: place(row), hears: ids(value("hears")), if: value("if").trim(), say, do: lines(value("do")), goto: value("goto").trim() };
  }
  function read(form) {
    const value = {};
    for (const field of all("[data-field]", form)) {
      const key = field.dataset.field;
      if (field.type === "checkbox") value[key] = field.checked;
      else if (key === "do") value[key] = lines(field.value);
      else if (key === "hears") value[key] = ids(field.value);
      else value[key] = field.value.trim();
    }
    for (const list of all("[data-prompts]", form)) value[list.dataset.prompts] = all("[data-row]", list).map(prompt).filter((row) => row.text || row.at !== null);
    const branches = $("[data-branches]", form);
    if (branches) value.branches = all(".row-list > [data-row]", branches).map(branch);
    return value;
  }

  document.addEventListener("click", (event) => {
    const hit = event.target.closest("button");
    if (!hit) return;
    const row = hit.closest("[data-row]"), data = hit.dataset;
    if (data.addRow !== undefined) {
      const list = hit.closest(".rows-field");
      const fresh = $("template", list).content.firstElementChild.cloneNode(true);
      $(".row-list", list).append(fresh);
      $("textarea,input", fresh)?.focus();
    } else if (data.rowOut !== undefined) row.remove();
    else if (data.rowUp !== undefined) row.previousElementSibling?.before(row);
    else if (data.show) showYaml(data.show, data.section);
    else if (data.remove) confirmed(hit).then((yes) => yes && window.emitEvent("script-remove", { name: data.remove, section: data.section }));
  });
  function confirmed(button) {
    const dialog = document.createElement("dialog"), title = document.createElement("b"), lead = document.createElement("p"), actions = document.createElement("div");
    dialog.className = "ask"; title.textContent = button.dataset.confirm; lead.textContent = button.dataset.confirmLead; actions.className = "actions";
    for (const [value, text, style] of [["", button.dataset.cancel, "btn"], ["yes", button.dataset.verb, "btn danger solid"]]) {
      const choice = document.createElement("button");
      choice.className = style; choice.textContent = text; choice.onclick = () => dialog.close(value);
      actions.append(choice);
    }
    dialog.append(title, lead, actions); document.body.append(dialog); dialog.showModal();
    return new Promise((done) => dialog.addEventListener("close", () => { const yes = dialog.returnValue === "yes"; dialog.remove(); done(yes); }));
  }
  function showYaml(name, section) {
    window.designer.tab("yaml");
    const view = window.getElement(Number($(".designer .yaml").id.slice(1))).editor;
    const text = view.state.doc.toString(), start = text.search(new RegExp(`^${section}:`, "m"));
    const found = new RegExp(`^ +${name}:`, "m").exec(text.slice(Math.max(start, 0)));
    requestAnimationFrame(() => {
      if (found) view.dispatch({ selection: { anchor: Math.max(start, 0) + found.index }, scrollIntoView: true });
      view.focus();
    });
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-card-form]")) {
      event.preventDefault();
      window.emitEvent("script-form", { section: form.dataset.section, name: form.dataset.cardForm, form: read(form) });
    } else if (form.matches("[data-add-card]")) {
      event.preventDefault();
      window.emitEvent("script-add", Object.fromEntries(new FormData(form)));
      form.reset();
      form.closest("details").open = false;
      window.designer.side("card");
    }
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("[data-card-form]");
    if (form && (event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
  });

  // -- intents by name: a list under the field, filtered by what is typed after the last comma

  let names = null, list = null;
  const known = () => (names ??= JSON.parse($("#script-intents")?.textContent || "{}"));
  function offer(field) {
    close();
    const typed = ids(field.value.replace(/[,，、\s]+$/, "")), open = /[^,，、\s]$/.test(field.value);
    const last = open ? (typed.pop() || "").toLowerCase() : "";
    const fitting = Object.entries(known()).filter(([id, name]) => !typed.includes(id) && (!last || id.includes(last) || name.includes(last))).slice(0, 12);
    if (!fitting.length) return;
    list = document.createElement("ul");
    list.className = "offers";
    for (const [id, name] of fitting) {
      const item = document.createElement("li"), code = document.createElement("code");
      code.textContent = id; item.append(name ? `${name} ` : "", code); item.dataset.id = id;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(field, id); });
      list.append(item);
    }
    list.firstElementChild.classList.add("on");
    field.closest("[data-intents]").append(list);
  }
  function take(field, id) {
    const kept = ids(field.value.replace(/[,，、\s]+$/, ""));
    if (/[^,，、\s]$/.test(field.value)) kept.pop();
    field.value = `${[...kept, id].join(", ")}, `;
    close();
    field.focus();
  }
  function close() { list?.remove(); list = null; }
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-intents] input") && !event.target.value) offer(event.target); });
  document.addEventListener("input", (event) => { if (event.target.matches("[data-intents] input")) offer(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target.matches("[data-intents] input")) close(); });
  document.addEventListener("keydown", (event) => {
    if (!list || !event.target.matches("[data-intents] input")) return;
    const on = $(".on", list), next = event.key === "ArrowDown" ? on.nextElementSibling : event.key === "ArrowUp" ? on.previousElementSibling : null;
    if (next) { event.preventDefault(); on.classList.remove("on"); next.classList.add("on"); }
    if (event.key === "Tab" || (event.key === "Enter" && event.target.value.trim())) {
      if (event.key === "Enter" && /[,，、\s]$/.test(event.target.value)) return close();
      event.preventDefault(); take(event.target, on.dataset.id);
    }
    if (event.key === "Escape") { event.stopPropagation(); close(); }
  });
})();
