// The drawn flow: choose, find and reach cards by mouse and keyboard, zoom, and see only the links that matter.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const view = () => $(".flow-view"), canvas = () => $(".flow-zoom");
  let chosen = "", zoom = 1, dragging = null;

  function setZoom(to) {
    const box = view(), before = zoom;
    if (!box) return;
    const x = (box.scrollLeft + box.clientWidth / 2) / before, y = (box.scrollTop + box.clientHeight / 2) / before;
    zoom = Math.min(1.4, Math.max(0.25, to));
    size();
    box.scrollTo(x * zoom - box.clientWidth / 2, y * zoom - box.clientHeight / 2);
  }
  function size() {
    const flow = $(".flow");
    if (!flow) return;
    flow.style.transform = zoom === 1 ? "" : `scale(${zoom})`;
    Object.assign(canvas().style, { width: `${(flow.offsetWidth + 40) * zoom}px`, height: `${(flow.offsetHeight + 40) * zoom}px` });
  }
  function fit() {
    const flow = $(".flow"), box = view();
    if (flow) setZoom(Math.min(1, box.clientWidth / (flow.offsetWidth + 40), box.clientHeight / (flow.offsetHeight + 40)));
    box?.scrollTo(0, 0);
  }
  function light(name) {
    for (const path of document.querySelectorAll(".links .link")) {
      path.classList.toggle("out", path.dataset.from === name);
      path.classList.toggle("into", path.dataset.to === name);
    }
    $(".flow")?.classList.toggle("lit", Boolean(name));
  }
  function choose(name, section = "nodes") {
    chosen = `${section} ${name}`;
    mark();
    window.designer.side("card");
    window.emitEvent?.("script-card", { section, name });
  }
  function mark() {
    for (const old of document.querySelectorAll(".card.chosen,.signal.chosen")) old.classList.remove("chosen");
    const [section, name] = chosen.split(" ");
    if (!name) return;
    const found = section === "nodes" ? $(`[data-card="${CSS.escape(name)}"]`) : $(`[data-signal="${CSS.escape(name)}"]`);
    found?.classList.add("chosen");
    light(section === "nodes" ? name : "");
  }
  function goTo(name) {
    const [section, id] = name.startsWith("handlers.") ? ["handlers", name.slice(9)] : ["nodes", name];
    window.designer.tab("flow");
    const card = section === "nodes" ? $(`[data-card="${CSS.escape(id)}"]`) : $(`[data-signal="${CSS.escape(id)}"]`);
    if (!card) return;
    card.scrollIntoView({ block: "center", inline: "center" });
    choose(id, section);
    card.focus({ preventScroll: true });
  }
  function find(text) {
    const wanted = text.trim().toLowerCase();
    const cards = [...document.querySelectorAll(".card")];
    for (const card of cards) card.classList.toggle("dim", Boolean(wanted) && !card.textContent.toLowerCase().includes(wanted));
    if (wanted) cards.find((card) => !card.classList.contains("dim"))?.scrollIntoView({ block: "center", inline: "center" });
  }
  function step(from, key) {
    const here = from.getBoundingClientRect(), x = here.left + here.width / 2, y = here.top + here.height / 2;
    let best = null, least = Infinity;
    for (const card of document.querySelectorAll(".card")) {
      if (card === from) continue;
      const box = card.getBoundingClientRect(), dx = box.left + box.width / 2 - x, dy = box.top + box.height / 2 - y;
      const [ahead, aside] = key === "ArrowRight" ? [dx, dy] : key === "ArrowLeft" ? [-dx, dy] : key === "ArrowDown" ? [dy, dx] : [-dy, dx];
      const far = ahead + 2 * Math.abs(aside);
      if (ahead > 8 && far < least) [best, least] = [card, far];
    }
    if (best) { best.focus({ preventScroll: true }); best.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  }

  document.addEventListener("click", (event) => {
    const to = event.target.closest(".card [data-goto],.signal [data-goto]");
    if (to) return void goTo(to.dataset.goto);
    const card = event.target.closest("[data-card]"), signal = event.target.closest("[data-signal]");
    if (card) choose(card.dataset.card);
    else if (signal) choose(signal.dataset.signal, "handlers");
    const way = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (way === "fit") fit();
    else if (way) setZoom(zoom * (way === "in" ? 1.2 : 1 / 1.2));
  });
  document.addEventListener("input", (event) => { if (event.target.matches("[data-find]")) find(event.target.value); });
  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.("[data-card],[data-signal]");
    if (!card) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); card.click(); }
    if (event.key.startsWith("Arrow") && card.dataset.card) { event.preventDefault(); step(card, event.key); }
  });
  document.addEventListener("mouseover", (event) => {
    const card = event.target.closest?.("[data-card]");
    if (card) light(card.dataset.card);
    else if (event.target.closest?.(".flow-view")) mark();
  });
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest?.(".flow-view");
    if (!box || event.button !== 0 || event.target.closest(".card")) return;
    dragging = { box, x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop };
    box.classList.add("dragging");
  });
  document.addEventListener("pointermove", (event) => {
    if (dragging) dragging.box.scrollTo(dragging.left + dragging.x - event.clientX, dragging.top + dragging.y - event.clientY);
  });
  document.addEventListener("pointerup", () => { dragging?.box.classList.remove("dragging"); dragging = null; });
  document.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !event.target.closest?.(".flow-view")) return;
    event.preventDefault();
    setZoom(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });

  // A flow that is drawn anew keeps what was chosen; the first one shows where conversations begin.
  let shown = false;
  function begin() {
    const box = view(), first = $(".flow .card.chosen") || $(".flow .card.changed, .flow .card.added") || $(".flow .card");
    if (!first || !box?.clientHeight || (shown && (box.scrollTop || box.scrollLeft))) return;
    shown = true;
    box.scrollTo(Math.max(0, first.offsetLeft * zoom - 20), Math.max(0, first.offsetTop * zoom - 40));
  }
  new MutationObserver((changes) => {
    if (changes.some((change) => [...change.addedNodes].some((node) => node.nodeType === 1 && node.matches?.(".flow,.rack")))) { size(); mark(); begin(); }
  }).observe(document.documentElement, { childList: true, subtree: true });
  Object.assign(window.designer, { goTo, fit, begin });
})();
