// Keeps a page as new as the queue, and gives it keys. Every page works without this file.
"use strict";

// ── Fresh: an event says that something has changed, the page as it is now comes from the server.
const live = { source: null, busy: false, again: false, over: false };

async function refresh() {
  if (live.over) return;
  if (live.busy) { live.again = true; return; }
  live.busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    // A login, or a job that is gone. After a failure that will pass what is shown stays as it is.
    if (live.over) return;
    if (answer.redirected || answer.status === 404) location.reload();
    else if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* The server is away: the stream comes back, and asks again. */ }
  live.busy = false;
  if (live.again) { live.again = false; refresh(); }
}

function replace(page) {
  for (const id of ["bar", "main"]) {
    const old = document.getElementById(id), fresh = page.getElementById(id);
    if (old && fresh) morph(old, fresh);
  }
  document.title = page.title;
  document.querySelectorAll(".scripted").forEach((one) => { one.hidden = false; });
}

// Makes `old` like `fresh` in place, so that focus, scrolling, opened parts and players stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.matches("[data-keep]") || old === document.activeElement && old.matches("input")) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "open" && name !== "hidden") old.setAttribute(name, value);
  }
  const news = [...fresh.childNodes], olds = [...old.childNodes];
  news.forEach((node, at) => {
    const before = olds[at];
    if (!before) old.append(node);
    else if (before.nodeName !== node.nodeName || before.id !== node.id) before.replaceWith(node);
    else if (node.nodeType === Node.ELEMENT_NODE) morph(before, node);
    else if (before.nodeValue !== node.nodeValue) before.nodeValue = node.nodeValue;
  });
  olds.slice(news.length).forEach((node) => node.remove());
}

function listen() {
  const wanted = document.querySelector("main[data-live]") && !document.hidden;
  if (wanted && !live.source) {
    live.source = new EventSource("/live");
    // What happened before anybody listened is asked for at once.
    live.source.addEventListener("hello", refresh);
    live.source.addEventListener("changed", refresh);
  } else if (!wanted && live.source) {
    live.source.close();
    live.source = null;
  }
}

// ── The palette: every page and every action of this one, and any job by its identifier.
const palette = document.createElement("dialog");
palette.className = "palette";
palette.setAttribute("aria-label", "Go to");
palette.innerHTML = `<form method="dialog"><input type="text" role="combobox" aria-expanded="true"
  aria-controls="commands" aria-label="Go to a page, do something, or paste a job’s identifier"
  placeholder="Go to, do, or paste an identifier" autocomplete="off" spellcheck="false">
  <ul id="commands" role="listbox" aria-label="Commands"></ul></form>`;
const box = palette.querySelector("input"), list = palette.querySelector("ul");
let chosen = 0;

function commands(text) {
  const words = (one) => one.firstChild.textContent.trim();
  const pages = [...document.querySelectorAll(".menu a")].map((one) => [`Go to ${words(one)}`, "g " + one.dataset.key, () => one.click()]);
  const actions = [...document.querySelectorAll("#actions .button, #actions summary, .actions > form > .button")].filter((one) => !one.closest("details form"))
    .map((one) => [words(one), one.dataset.key ?? "", () => { one.click(); one.focus(); }]);
  const others = [
    ["Switch the colours", "t", () => document.getElementById("theme").click()],
    ["Show all keys", "?", showKeys],
  ];
  const found = [...actions, ...pages, ...others].filter(([name]) => name.toLowerCase().includes(text.toLowerCase()));
  const look = [`Look for ${text}`, "", () => { location.href = "/jobs?q=" + encodeURIComponent(text); }];
  return text ? [...found, look] : found;
}

function draw() {
  const found = commands(box.value.trim());
  chosen = Math.max(0, Math.min(chosen, found.length - 1));
  list.replaceChildren(...found.map(([name, key, act], at) => {
    const item = document.createElement("li");
    Object.assign(item, { id: `command-${at}`, role: "option", textContent: name, onclick: () => { palette.close(); act(); } });
    item.setAttribute("aria-selected", at === chosen);
    if (key) item.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    return item;
  }));
  box.setAttribute("aria-activedescendant", `command-${chosen}`);
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

function openPalette() {
  box.value = "";
  chosen = 0;
  draw();
  palette.showModal();
  box.focus();
}

box.addEventListener("input", () => { chosen = 0; draw(); });
palette.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) { event.preventDefault(); chosen += step; draw(); }
  if (event.key === "Enter") { event.preventDefault(); list.children[chosen]?.click(); }
});
palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });

// ── Keys
const KEYS = [
  ["Ctrl K", "the palette"], ["/", "the filter"], ["j", "the next job"], ["k", "the one before"], ["Enter", "open it"],
  ["g o", "the overview"], ["g j", "jobs"], ["g d", "dead letters"], ["g s", "stages"], ["g q", "the queue"], ["g a", "the audit"],
  ["r", "replay this job"], ["c", "cancel this job"], ["t", "light or dark"], ["?", "these keys"],
];
const help = document.createElement("dialog");
help.className = "palette help";
help.setAttribute("aria-label", "Keys");
help.innerHTML = `<h2>Keys</h2><dl>${KEYS.map(([key, does]) => `<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`).join("")}</dl>
  <form method="dialog"><button class="button plain">Close</button></form>`;
function showKeys() { help.showModal(); }
document.body.append(palette, help);

let before = "";
function pressed(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!palette.open) openPalette();
    return;
  }
  const writes = event.target.closest?.("input, select, textarea, dialog");
  if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = (before === "g" ? "g " : "") + event.key;
  before = event.key;
  if (key.startsWith("g ")) { document.querySelector(`.menu [data-key="${CSS.escape(event.key)}"]`)?.click(); before = ""; return; }
  const act = {
    "/": () => { const field = document.querySelector("[data-focus]"); field ? field.focus() : location.href = "/jobs"; },
    "?": showKeys, t: () => document.getElementById("theme").click(), j: () => step(1), k: () => step(-1),
  }[event.key];
  const button = document.querySelector(`main [data-key="${CSS.escape(event.key)}"]`);
  if (act ?? button) { event.preventDefault(); act ? act() : button.click(); }
}

function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

// ── A copy also over plain HTTP, where browsers keep the clipboard to themselves.
function copy(button) {
  const text = document.createElement("textarea");
  text.value = button.dataset.copy;
  document.body.append(text);
  text.select();
  document.execCommand("copy");
  text.remove();
  button.textContent = "Copied";
}

// ── The filter completes its last word.
function complete(input) {
  const list = input.list;
  if (!list) return;
  list.terms ??= [...list.options].map((one) => one.value);
  const kept = input.value.slice(0, input.value.lastIndexOf(" ") + 1);
  list.replaceChildren(...list.terms.map((term) => Object.assign(document.createElement("option"), { value: kept + term })));
}

// ── What is said, below a player that has no picture to show it on.
document.addEventListener("cuechange", ({ target }) => {
  const line = target.closest("section")?.querySelector(".caption");
  if (line) line.textContent = [...target.track.activeCues].map((cue) => cue.getCueAsHTML().textContent).join(" ");
}, true);

document.addEventListener("keydown", pressed);
document.addEventListener("input", (event) => { if (event.target.matches("[data-focus]")) complete(event.target); });
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], #palette-open");
  if (button) button.id === "palette-open" ? openPalette() : copy(button);
});
document.addEventListener("visibilitychange", listen);
// Whatever a form does, its answer is the next page: this one asks no more.
document.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  live.source?.close();
  live.over = true;
});
addEventListener("pagehide", () => live.source?.close());
document.querySelectorAll(".scripted").forEach((one) => { one.hidden = false; });
listen();
