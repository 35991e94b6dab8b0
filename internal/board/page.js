"use strict";
const $ = (id) => document.getElementById(id);
// Beside a host's page, the phone is loaded anew with each of its pages, and still shows the same chat.
const beside = document.body.classList.contains("beside");
let chat = location.hash.slice(1) || (beside && sessionStorage.getItem("chat")) || "", view = null, source = null, opened = "";

// el makes an element. Texts of customers only ever become text nodes.
function el(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

function order(o) {
  return fetch("do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ chat, ...o }) });
}

function listen() {
  if (source) source.close();
  source = new EventSource("events?chat=" + encodeURIComponent(chat));
  source.onmessage = (e) => { view = JSON.parse(e.data); show(); };
  source.onerror = () => { $("now").textContent = "The simulator does not answer"; };
}

function choose(id) {
  chat = id; opened = ""; view = null;
  history.replaceState(null, "", "#" + id);
  if (beside) sessionStorage.setItem("chat", id);
  document.querySelector(".screens").classList.toggle("open", id !== "");
  listen();
}

const stages = { alone: "in the app alone", connected: "coexists", suspended: "suspended" };

function show() {
  const v = view;
  $("stage").textContent = stages[v.stage]; $("stage").className = "badge " + v.stage;
  $("number").textContent = v.number;
  $("ids").textContent = v.phone_id ? "phone number id " + v.phone_id + " · account " + v.waba : "";
  $("now").textContent = v.now;
  $("note").hidden = !v.note; $("note").textContent = v.note; $("note").className = v.bad ? "bad" : "";
  const q = v.question || {};
  $("prompt").hidden = !v.question; $("shown").textContent = q.code || ""; $("ask").hidden = q.verified;
  for (const b of document.querySelectorAll("#prompt [data-do=share], #prompt [data-do=decline]")) b.hidden = q.confirmed;
  for (const b of document.querySelectorAll("#prompt [data-do=scan]")) b.hidden = q.verified;
  if ($("closed")) {
    $("closed").hidden = !!v.popup; $("popup").hidden = !v.popup;
    $("screen").textContent = v.popup ? v.popup.screen : "";
    $("book").textContent = "The address book has " + v.contacts + " contacts.";
  }
  for (const f of document.querySelectorAll("[data-form=number]")) f.hidden = !v.popup || !["PHONE_NUMBER_SETUP", "PHONE_NUMBER_VERIFICATION"].includes(v.popup.screen);
  for (const f of document.querySelectorAll("[data-form=code]")) f.hidden = !v.popup || v.popup.screen !== "PHONE_NUMBER_VERIFICATION";
  for (const f of document.querySelectorAll("[data-do=finish]")) f.hidden = !v.popup || v.popup.screen !== "PERMISSIONS";
  showChats(v); showChat(v); showLog(v);
}

function showChats(v) {
  $("chats").replaceChildren(...(v.chats || []).map((c) => el("li", {}, el("button", { className: c.id === chat ? "on" : "", onclick: () => choose(c.id) },
    el("b", { textContent: c.name || c.about, dir: "auto" }), el("time", { textContent: c.at }), el("span", { textContent: c.last || c.about, dir: "auto" })))));
}

function showChat(v) {
  $("name").textContent = v.chat ? v.chat.name || v.chat.about : "No chat chosen";
  $("about").textContent = v.chat ? v.chat.about : "Choose one on the left, or add a customer";
  $("compose").hidden = !v.chat; $("save").hidden = !v.chat;
  if (v.chat) $("save").textContent = v.chat.saved ? "Remove contact" : "Save contact";
  const list = $("messages"), atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const items = []; let day = "";
  for (const m of v.messages || []) {
    if (m.day !== day) items.push(el("li", { className: "day", textContent: day = m.day }));
    items.push(bubble(m));
  }
  list.replaceChildren(...items);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

const ticks = { pending: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓ read", played: "✓✓ played", error: "⚠" };
// What no webhook has told, once the number was connected.
const untold = (m) => !m.told && view.phone_id;

function bubble(m) {
  const foot = [m.author === "api" ? "through the API" : "", m.edited ? "edited" : "", untold(m) ? "not told to the host" : m.told === "history" ? "in history" : "", m.at, ticks[m.status] || ""].filter(Boolean).join(" · ");
  const b = el("li", { className: "bubble by-" + m.author + (m.revoked ? " revoked" : "") + (untold(m) ? " untold" : ""), title: m.id, onclick: () => { opened = opened === m.id ? "" : m.id; show(); } },
    m.quote ? el("q", { textContent: m.quote }) : null, m.text,
    m.reactions && m.reactions.length ? el("span", { className: "hearts", textContent: " " + m.reactions.join(" ") }) : null,
    el("footer", { textContent: foot }));
  if (opened === m.id && !m.revoked) b.append(acts(m));
  return b;
}

function acts(m) {
  const as = m.author === "customer" ? "customer" : "business", act = (label, o) => el("button", { type: "button", textContent: label, onclick: (e) => { e.stopPropagation(); opened = ""; const what = o(); if (what) order(what); else show(); } });
  const ask = (question, o) => () => { const text = prompt(question, m.text); return text === null ? null : { ...o, text }; };
  const list = [];
  if (m.author !== "api") list.push(act("Edit", ask("The new text", { do: "edit", id: m.id, as })), act("Delete", () => ({ do: "delete", id: m.id, as })));
  if (m.author === "customer") list.push(act("Resolve 131060", () => ({ do: "resolve", id: m.id })));
  list.push(act("👍 business", () => ({ do: "react", id: m.id, text: "👍", as: "business" })), act("🎂 customer", () => ({ do: "react", id: m.id, text: "🎂", as: "customer" })));
  return el("div", { className: "acts" }, ...list);
}

function showLog(v) {
  $("total").textContent = v.total + " deliveries"; $("count").textContent = v.total || "";
  $("silenced").replaceChildren(...(v.silenced || []).map((s) => el("li", { textContent: s.times + " × " + s.field + " was lost in silence: " + s.reason })));
  $("deliveries").replaceChildren(...(v.deliveries || []).map((d) => {
    const fields = [...new Set(d.fields)].join(", ") + (d.fields.length > 1 ? " (" + d.fields.length + ")" : "");
    const tries = d.tries && d.tries.length ? d.tries.slice(-4).join(", ") : "under way";
    return el("li", {}, el("button", { onclick: () => body(d.number) }, el("span", { className: "dot " + (d.state === "acknowledged" ? "ok" : d.state === "waiting" ? "" : "up") }),
      el("b", { textContent: fields }), el("i", { textContent: "#" + d.number }),
      el("small", { textContent: [d.at, size(d.bytes), tries, d.duplicate ? "again" : ""].filter(Boolean).join(" · ") })));
  }));
}

const size = (n) => n < 1024 ? n + " B" : n < 1048576 ? (n / 1024).toFixed(1) + " KB" : (n / 1048576).toFixed(1) + " MB";

async function body(number) {
  const text = await (await fetch("deliveries/" + number)).text();
  $("bodyname").textContent = "Delivery #" + number;
  $("json").textContent = text.length > 200000 ? text.slice(0, 200000) + "\n… and more" : text;
  $("body").showModal();
}

document.addEventListener("click", (e) => {
  const b = e.target.closest("button");
  if (!b) return;
  if (b.dataset.do) order({ do: b.dataset.do, text: b.dataset.text || "" });
  if (b.dataset.tab) {
    document.querySelector("main").dataset.tab = b.dataset.tab;
    for (const t of document.querySelectorAll(".tabs button")) t.classList.toggle("on", t === b);
  }
});
document.addEventListener("submit", (e) => {
  e.preventDefault();
  const f = e.target, data = Object.fromEntries(new FormData(f));
  if (f.id === "compose") {
    order({ do: "write", ...data });
    f.elements.text.value = "";
    $("messages").scrollTop = $("messages").scrollHeight;
  } else {
    order({ do: f.dataset.form, text: data.text });
  }
});
$("add").onclick = () => { const text = prompt("The customer's number", "+1 555-010-0142"); if (text) order({ do: "customer", text }); };
$("save").onclick = () => {
  if (view.chat.saved) return order({ do: "forget" });
  const text = prompt("The name in the address book", view.chat.name);
  if (text) order({ do: "save", text });
};
$("back").onclick = () => choose("");
$("close").onclick = () => $("body").close();
choose(chat);
if (["steps", "log"].includes(new URLSearchParams(location.search).get("tab"))) document.querySelector("[data-tab=" + new URLSearchParams(location.search).get("tab") + "]").click();
