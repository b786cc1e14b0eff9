// How <voice-phone> looks: built once, then only changed. Words come from the element's data-texts.
const ICONS = {
  phone: "M6.6 3H4a1 1 0 0 0-1 1.1A17 17 0 0 0 19.9 21a1 1 0 0 0 1.1-1v-3.3l-4.6-1.6-1.9 2.3a14 14 0 0 1-5.9-5.9L10.9 9.6 9.3 5z",
  hangup: "M3 14.5c0-6 18-6 18 0v1.5l-5 .8-.8-3.3a11 11 0 0 0-6.4 0L8 16.8l-5-.8z",
  mute: "M9 5a3 3 0 0 1 6 0v6a3 3 0 0 1-6 0zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M4 4l16 16",
  keys: "M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01",
  devices: "M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v6H5a1 1 0 0 1-1-1zM20 14h-3v6h2a1 1 0 0 0 1-1z",
  off: "M12 4v8M7.5 6.5a7 7 0 1 0 9 0",
};

function element(name, props = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "data") Object.assign(made.dataset, value);
    else if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.7", "stroke-linecap": "round", "stroke-linejoin": "round", class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function drawn(phone) {
  const texts = phone.texts;
  const button = (command, name, cls, label = true) => element("button", { type: "button", className: `btn small ${cls}`, data: { phone: command }, title: texts[command] ?? texts[name], "aria-label": texts[command] ?? texts[name] }, icon(name), label && element("span", { textContent: texts[command] ?? texts[name] }));
  const meter = (name) => element("label", { className: "phone-meter" }, element("span", { textContent: texts[`level.${name}`] }), element("i", {}, element("b", { data: { level: name } })));
  const figure = (name) => element("span", {}, `${texts[name]} `, element("b", { data: { figure: name }, textContent: "–" }));

  const title = element("b", { className: "phone-state" }), who = element("span", { className: "phone-who" });
  const clock = element("span", { className: "phone-clock num" });
  const note = element("p", { className: "phone-note", hidden: true, role: "status" });
  const on = element("button", { type: "button", className: "btn small primary", data: { phone: "on" } }, icon("phone"), element("span", { textContent: texts.turn_on }));
  const calls = {
    answer: button("answer", "phone", "primary"), decline: button("decline", "hangup", "danger"),
    hangup: button("hangup", "hangup", "danger solid"), mute: button("mute", "mute", ""), keys: button("keys", "keys", "", false),
  };
  const side = { devices: button("devices", "devices", "quiet", false), off: button("off", "off", "quiet", false) };
  side.off.title = side.off.ariaLabel = texts.turn_off;
  const pad = element("div", { className: "phone-pad", hidden: true }, ...[..."123456789*0#"].map((key) => element("button", { type: "button", className: "btn small", textContent: key, data: { phone: "key", key } })));
  const figures = element("div", { className: "phone-figures" }, figure("jitter"), figure("loss"), figure("rtt"));
  const meters = element("div", { className: "phone-meters" }, meter("me"), meter("far"));
  const picks = element("div", { className: "phone-devices", hidden: true });
  phone.replaceChildren(
    element("div", { className: "phone-head" }, element("span", { className: "phone-lamp" }), title, who, clock, element("span", { className: "grow" }), side.devices, side.off, on),
    note, element("div", { className: "phone-calls" }, calls.answer, calls.decline, calls.mute, calls.keys, calls.hangup),
    pad, meters, figures, picks,
  );
  phone.classList.add("panel");
  phone.setAttribute("role", "region");
  phone.setAttribute("aria-label", texts.phone);

  let since = 0, pageTitle = "";
  const ticking = setInterval(() => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    clock.textContent = since ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
  }, 500);

  function pick(kind, devices, chosen) {
    const select = element("select", { className: "select", ariaLabel: texts[kind] }, element("option", { value: "", textContent: texts.system }), ...devices.map((one) => element("option", { value: one.deviceId, textContent: one.label || one.deviceId })));
    select.value = chosen;
    select.onchange = () => phone.choose(kind, select.value);
    return element("label", {}, element("span", { textContent: texts[kind] }), select);
  }

  return {
    show(state, { muted, remote, note: text }) {
      const alive = ["on", "ringing", "talking"].includes(state);
      title.textContent = texts[state];
      who.textContent = ["ringing", "talking"].includes(state) ? remote.replace(/^sips?:/, "").split("@")[0] : "";
      for (const [name, shown] of Object.entries({ answer: state === "ringing", decline: state === "ringing", mute: state === "talking", keys: state === "talking", hangup: state === "talking" })) calls[name].hidden = !shown;
      on.hidden = state !== "off";
      side.off.hidden = state === "off";
      side.devices.hidden = state === "off";
      meters.hidden = !alive;
      figures.hidden = !alive;
      if (state !== "talking") pad.hidden = true;
      const muting = muted ? texts.unmute : texts.mute;
      calls.mute.querySelector("span").textContent = calls.mute.title = calls.mute.ariaLabel = muting;
      calls.mute.setAttribute("aria-pressed", muted);
      if (state !== "talking") since = 0; else since ||= Date.now();
      if (text !== undefined || state === "ringing" || state === "talking") this.note(text ?? "");
      if (state === "ringing") { pageTitle ||= document.title; document.title = `☎ ${texts.ringing}`; }
      else if (pageTitle) { document.title = pageTitle; pageTitle = ""; }
    },
    note(text, command) {
      note.textContent = text;
      note.hidden = !text;
      if (command) note.dataset.phone = command; else delete note.dataset.phone;
    },
    levels(me, far) {
      phone.querySelector("[data-level=me]").style.width = `${Math.round(me * 100)}%`;
      phone.querySelector("[data-level=far]").style.width = `${Math.round(far * 100)}%`;
    },
    quality({ jitter_ms: jitter, loss, rtt_ms: rtt }) {
      for (const [name, text] of Object.entries({ jitter: `${jitter} ms`, loss: `${(100 * loss).toFixed(1)}%`, rtt: `${rtt} ms` })) phone.querySelector(`[data-figure=${name}]`).textContent = text;
      phone.dataset.quality = loss > 0.05 || rtt > 400 || jitter > 60 ? "bad" : loss > 0.01 || rtt > 200 || jitter > 30 ? "fair" : "good";
    },
    devices(found, chosen) {
      picks.hidden = !picks.hidden;
      const clean = element("input", { type: "checkbox", checked: chosen.clean });
      clean.onchange = () => phone.choose("clean", clean.checked ? "on" : "off");
      picks.replaceChildren(pick("microphone", found.microphone, chosen.microphone), found.speaker.length ? pick("speaker", found.speaker, chosen.speaker) : "", element("label", { className: "phone-clean" }, clean, element("span", { textContent: texts.clean })));
    },
    toggleKeys() { pad.hidden = !pad.hidden; },
    close() { clearInterval(ticking); },
  };
}
