"use strict";
const $ = (id) => document.getElementById(id);
// Beside a host's page, the phone is loaded anew with each of its pages, and still shows the same chat.
const beside = document.body.classList.contains("beside");
const query = new URLSearchParams(location.search);
let chat = location.hash.slice(1) || (beside && sessionStorage.getItem("chat")) || "", view = null, source = null, opened = "";
let phone = query.get("phone") || "", filter = {}, settingsOf = "", shownBody = 0, listed = "";

// el makes an element. Texts of customers only ever become text nodes.
function el(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// call makes a call of the control API and shows what came of it: a note, or the error.
async function call(method, path, body, note) {
  const init = body === undefined ? { method } : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const resp = await fetch("control/v1" + path, init);
  const answer = resp.status === 204 ? {} : await resp.json();
  tell(resp.ok ? (typeof note === "function" ? note(answer) : note) : answer.error.message, !resp.ok);
  return resp.ok ? answer : null;
}

function tell(text, bad) {
  $("note").hidden = !text; $("note").textContent = text || ""; $("note").className = bad ? "bad" : "";
}

// of is a call about the phone that is shown, at about the chat that is open.
const of = (path) => "/phones/" + view.phone + path, at = (path) => of("/customers/" + encodeURIComponent(chat) + path);
const post = (path, body, note) => call("POST", path, body, note);
const write = (message) => post(at("/messages"), message);

// verbs are what the buttons and forms do. The notes name the webhook that follows, so that it can be found.
const verbs = {
  open: () => post(of("/signup"), undefined, "Embedded Signup is open: enter the number of the app"),
  number: (text) => post(of("/signup/number"), { phone_number: text }, "The phone shows a code, and a message from Meta"),
  code: (text) => post(of("/signup/code"), { code: text }, "The code is right"),
  cancel: () => call("DELETE", of("/signup"), undefined, "The popup is closed"),
  finish: () => post(of("/signup/finish"), undefined, (a) => a.code ? "Connected. Your page gets the code " + a.code + ", good for 30 seconds"
    : "Connected. The code was exchanged and the app subscribed for you; ask for contacts and history now"),
  share: () => post(of("/confirm"), { share_history: true }, "Confirmed on the phone"),
  decline: () => post(of("/confirm"), { share_history: false }, "Confirmed on the phone"),
  refuse: () => post(of("/refuse"), undefined, "Refused on the phone"),
  scan: () => post(of("/scan"), undefined, "The phone has scanned the QR code"),
  contacts: () => post(of("/sync"), { type: "contacts" }, (a) => "Meta accepted the request for contacts, request id " + a.request_id),
  history: () => post(of("/sync"), { type: "history" }, (a) => "Meta accepted the request for history, request id " + a.request_id),
  device: () => post(of("/device"), undefined, "The app moves to another phone: ACCOUNT_OFFBOARDED"),
  reconnect: () => post(of("/reconnect"), undefined, "The new phone is ready: ACCOUNT_RECONNECTED"),
  disconnect: () => post(of("/disconnect"), undefined, "Disconnected in the app's settings: PARTNER_REMOVED. It can be connected again after 15 minutes."),
  downgrade: () => post(of("/downgrade"), undefined, "The number went to consumer WhatsApp and back: PARTNER_REMOVED, BUSINESS_DOWNGRADE"),
  app: () => post(of("/remove-app"), undefined, "The app was removed in the business settings: its tokens no longer work"),
  renumber: async (text) => {
    const p = await post(of("/renumber"), { phone_number: text }, "The business has another number: PARTNER_REMOVED, CHANGE_NUMBER. Connect the new one.");
    if (p) { phone = p.id; listen(); }
  },
  call: () => view.call ? post(at("/calls/" + view.call + "/hang-up"), undefined, "The customer has hung up") : post(at("/calls"), undefined, "The customer's phone rings at your host: a calls webhook with an offer"),
  responder: (role) => post(of("/responders"), role === "ai_agent" ? { role, reply: "I am the agent. Ask for a person, and your host gets this chat.", pass_on: "person" } : { role },
    (r) => r.name + " answers on this number too" + (r.role === "ai_agent" ? ". It passes on whoever writes \u201cperson\u201d" : "")),
  pass: () => post(at("/thread"), { action: "pass", responder: actor().owner, to: view.routing.host_role }, "Passed to the host: messaging_handovers, control_passed"),
  release: () => post(at("/thread"), { action: "release", responder: actor().owner }, "Released: there is no webhook for this"),
  take: () => post(at("/thread"), { action: "take", responder: "escalation" }, "Taken: messaging_handovers, control_taken, if it was your host's"),
  wait: (text) => post("/clock", { advance: text }, "The clock moved on by " + text),
  keep: () => post("/snapshots", {}, (s) => "Saved as snapshot " + s.name + ", until you start over"),
  restore: async () => {
    const last = (await (await fetch("control/v1/snapshots")).json()).data.pop();
    if (!last) tell("No snapshot is saved yet", true);
    else if (await post("/snapshots/" + last.name + "/restore", undefined, "Everything is as it was at snapshot " + last.name)) settingsOf = "";
  },
  reset: async () => { if (confirm("Start over? Everything that happened is lost.") && await post("/reset", undefined, "Everything is as it was at the start")) { settingsOf = ""; choose(""); } },
};

// A page that was left, or that nobody sees, keeps no connection: browsers have six to a server at most.
function listen() {
  source?.close();
  source = null;
  if (document.hidden) return;
  source = new EventSource("events?" + new URLSearchParams({ chat, phone, ...filter }));
  source.onmessage = (e) => { view = JSON.parse(e.data); show(); };
  source.onerror = () => { $("now").textContent = "The simulator does not answer"; };
}

addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (e) => { if (e.persisted) listen(); });

function choose(id) {
  chat = id; opened = ""; view = null;
  history.replaceState(null, "", "#" + id);
  if (beside) sessionStorage.setItem("chat", id);
  document.querySelector(".screens").classList.toggle("open", id !== "");
  listen();
}

const stages = { alone: "in the app alone", connected: "coexists", suspended: "suspended" };
const handshake = { none: "None is set: start with -webhook URL.", waiting: "It does not answer yet. The simulator keeps asking.", verified: "It has answered." };

function showPhones(v) {
  const key = JSON.stringify(v.phones) + v.phone;
  $("phones").hidden = !v.phones || v.phones.length < 2;
  if ($("phones").dataset.key === key) return;
  $("phones").dataset.key = key;
  $("phones").replaceChildren(...(v.phones || []).map((p) => el("option", { value: p.id, textContent: p.number + (p.cloud_api_only ? " · Cloud API alone" : " · phone with an app"), selected: p.id === v.phone })));
}

// showStart shows the settings that a host needs. They are asked for when the number or its stage has changed.
async function showStart(v) {
  $("hookstate").textContent = handshake[v.hook_state] || ""; $("hook").textContent = v.hook;
  const key = v.phone + v.stage + v.phone_id + JSON.stringify(v.phones);
  if (settingsOf === key) return;
  settingsOf = key;
  const w = await (await fetch("control/v1/world")).json(), ready = w.phones.find((p) => p.kind === "cloud_api");
  const lines = [["Graph API", w.graph_url], ["App id", w.app_id], ["App secret", w.app_secret], ["Verify token", w.verify_token],
    ["Configuration id", w.configuration_id], ["sdk.js", w.sdk_url], ["System token", w.system_token]];
  for (const p of w.phones) {
    lines.push([p.phone_number + (p.kind === "cloud_api" ? ", Cloud API alone" : ", phone with an app"), p.phone_number_id ? "phone number id " + p.phone_number_id + ", account " + p.waba_id : "connect it first"]);
    if (p.access_token) lines.push(["its token", p.access_token]);
  }
  $("settings").replaceChildren(...lines.flatMap(([k, t]) => [el("dt", { textContent: k }), el("dd", { textContent: t })]));
  $("curl").textContent = ready ? "curl " + w.graph_url + "/v25.0/" + ready.phone_number_id + "/messages \\\n  -H 'Authorization: Bearer " + ready.access_token + "' \\\n  -H 'Content-Type: application/json' \\\n  -d '" +
    JSON.stringify({ messaging_product: "whatsapp", to: "+15550100142", type: "template", template: { name: "hello_world", language: { code: "en_US" } } }) + "'" : "";
}

function showCalls(v) {
  $("calllist").replaceChildren(...(v.calls || []).map((c) => {
    const bad = c.status >= 400 || c.dropped;
    return el("li", { className: bad ? "bad" : "" }, el("b", { textContent: c.dropped ? "cut " : c.status + " " }), el("b", { textContent: c.method + " " + c.path }),
      el("small", { textContent: [c.at.slice(11, 19), c.code ? "code " + c.code : "", c.fault ? "on purpose: " + c.fault : ""].filter(Boolean).join(" · ") }),
      c.meaning ? el("small", { textContent: c.meaning + (c.advice ? " To do: " + c.advice + "." : "") }) : null);
  }));
}

function show() {
  const v = view;
  $("stage").textContent = v.cloud_api_only ? "on Cloud API" : stages[v.stage]; $("stage").className = "badge " + v.stage;
  $("number").textContent = v.number;
  $("ids").textContent = v.phone_id ? "phone number id " + v.phone_id + " · account " + v.waba : "";
  $("now").textContent = v.now;
  document.body.classList.toggle("cloud", v.cloud_api_only);
  if (v.cloud_api_only && document.querySelector("[name=as][value=business]").checked) document.querySelector("[name=as][value=customer]").checked = true;
  if ($("start")) { showPhones(v); showStart(v); showCalls(v); showTemplates(v); }
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
  showResponders(v); showChats(v); showChat(v); showLog(v);
}

// actor is the responder that acts in the open chat: the owner, or the first that there is.
const actor = () => (view.responders || []).find((r) => r.owner === view.thread.owner) || (view.responders || [])[0] || {};

function showResponders(v) {
  const others = v.responders || [], f = $("routing");
  $("responders").replaceChildren(...others.map((r) => el("li", {}, el("b", { textContent: r.name }), el("small", { textContent: " " + r.owner.replaceAll("_", " ") }))));
  if (!f.contains(document.activeElement)) { f.elements.on.checked = v.routing.on; f.elements.host_role.value = v.routing.host_role; }
  f.hidden = !others.length;
  const owner = v.thread.owner, theirs = others.some((r) => r.owner === owner);
  $("thread").hidden = !v.chat || !owner;
  $("owner").textContent = owner === "host" ? "Your host has this conversation" : owner === "idle" ? "No one has this conversation until the customer writes" : (v.thread.name || owner) + " has this conversation";
  for (const b of document.querySelectorAll("#thread [data-do=pass], #thread [data-do=release]")) b.hidden = !theirs;
  document.querySelector("#thread [data-do=take]").hidden = owner === "escalation" || !others.some((r) => r.owner === "escalation");
  $("asresponder").hidden = !others.length;
  $("responder").textContent = actor().name || "";
  if (!others.length && $("asresponder").querySelector("input").checked) document.querySelector("[name=as][value=customer]").checked = true;
}

// verdicts are what can be said about a template: the label, and what the control API takes.
const verdicts = { APPROVED: { status: "APPROVED" }, REJECTED: { status: "REJECTED" }, PAUSED: { status: "PAUSED" }, DISABLED: { status: "DISABLED" }, PENDING: { status: "PENDING" } };
for (const category of ["MARKETING", "UTILITY", "AUTHENTICATION"]) verdicts["category " + category] = { category };
for (const quality of ["GREEN", "YELLOW", "RED"]) verdicts["quality " + quality] = { quality };
const reasons = ["ABUSIVE_CONTENT", "INVALID_FORMAT", "PROMOTIONAL", "TAG_CONTENT_MISMATCH", "SCAM", "NONE"];

function judge(t, verdict) {
  if (verdict.status !== "REJECTED") return call("PATCH", "/templates/" + t.id, verdict, t.name + ": " + Object.values(verdict)[0]);
  const reason = prompt("Why is it rejected? " + reasons.join(", "), reasons[0]);
  if (reason) call("PATCH", "/templates/" + t.id, { ...verdict, reason }, t.name + " is rejected: message_template_status_update");
}

// showTemplates draws the list anew when a template has changed, so that a menu stays open.
function showTemplates(v) {
  const list = v.templates || [], key = JSON.stringify(list), at = $("templates");
  if (at.dataset.key === key) return;
  at.dataset.key = key;
  at.replaceChildren(...list.map((t) => {
    const menu = el("select", { ariaLabel: "Verdict about " + t.name, onchange: (e) => { const what = verdicts[e.target.value]; e.target.value = ""; judge(t, what); } },
      el("option", { value: "", textContent: "Verdict …" }), ...Object.keys(verdicts).map((name) => el("option", { textContent: name })));
    return el("li", {}, el("div", {}, el("b", { textContent: t.name }), el("small", { textContent: [t.language, t.category, t.status + (t.reason ? " (" + t.reason + ")" : ""), t.quality ? "quality " + t.quality : ""].filter(Boolean).join(" · ") })), menu);
  }));
  if (!list.length) at.append(el("li", { className: "hint", textContent: "The number's account has none." }));
}

function showChats(v) {
  $("chats").replaceChildren(...(v.chats || []).map((c) => el("li", {}, el("button", { className: c.id === chat ? "on" : "", onclick: () => choose(c.id) },
    el("b", { textContent: c.name || c.about, dir: "auto" }), el("time", { textContent: c.at }), el("span", { textContent: c.last || c.about, dir: "auto" })))));
}

function showChat(v) {
  $("name").textContent = v.chat ? v.chat.name || v.chat.about : "No chat chosen";
  $("about").textContent = v.chat ? v.chat.about : "Choose one on the left, or add a customer";
  $("compose").hidden = !v.chat; $("save").hidden = !v.chat; $("callbutton").hidden = !v.chat;
  $("callbutton").textContent = v.call ? "Hang up" : "☎ Call"; $("callbutton").classList.toggle("danger", !!v.call);
  if (v.chat) $("save").textContent = v.chat.contact ? "Remove contact" : "Save contact";
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
  const foot = [m.author === "api" ? "through the API" : m.responder, m.edited ? "edited" : "", untold(m) ? "not told to the host" : m.told === "history" ? "in history" : "", m.at, ticks[m.status] || ""].filter(Boolean).join(" · ");
  const b = el("li", { className: "bubble by-" + m.author + (m.revoked ? " revoked" : "") + (untold(m) ? " untold" : ""), title: m.id, onclick: () => { opened = opened === m.id ? "" : m.id; show(); } },
    m.quote ? el("q", { textContent: m.quote }) : null, ...drawn(m.drawing, m.text),
    m.reactions && m.reactions.length ? el("span", { className: "hearts", textContent: " " + m.reactions.join(" ") }) : null,
    el("footer", { textContent: foot }), ...tappable(m, m.drawing));
  if (opened === m.id && !m.revoked) b.append(acts(m));
  return b;
}

const media = { image: "📷", video: "🎬", audio: "🎤", document: "📄", sticker: "🩵", location: "📍", product: "🛍", gif: "🎬" };

// drawn is what stands in a bubble, as a phone draws it.
function drawn(d, text) {
  const picture = d.media_id && ["image", "sticker"].includes(d.media);
  return [picture ? el("img", { className: "picture " + d.media, alt: d.media === "sticker" ? "Sticker" : "Photo", src: "control/v1/phones/" + view.phone + "/media/" + d.media_id }) : d.media ? el("span", { className: "media", textContent: (media[d.media] || "📎") + " " + (d.filename || d.link || d.media) }) : null,
    d.header ? el("b", { className: "header", textContent: d.header }) : null, text,
    d.footer ? el("small", { className: "foot", textContent: d.footer }) : null];
}

const signs = { list: "☰ ", url: "↗ ", phone_number: "☎ ", copy_code: "⧉ ", flow: "▤ ", location: "📍 ", contact: "👤 ", call: "☎ ", catalog: "🛍 " };

// tappable are the buttons, rows and cards under a bubble. The customer taps them, whoever is chosen to write.
function tappable(m, d) {
  const say = (o) => write({ from: "customer", message_id: m.id, ...o });
  const does = {
    reply: (b) => say({ type: "tap", choice: b.id || b.title }),
    list: () => { listed = listed === m.id ? "" : m.id; show(); },
    flow: () => { const text = prompt("What the last screen of the Flow hands over, as JSON", "{}"); if (text !== null) answerFlow(say, text); },
    location: () => write({ from: "customer", type: "location", text: "Home", address: "1 Made-up Street", latitude: 37.48, longitude: -122.15, reply_to: m.id }),
    contact: () => write({ from: "customer", type: "contacts", text: view.chat.name, phone_number: view.chat.wa_id || "+1 555-010-0188", reply_to: m.id }),
    call: () => verbs.call(), url: (b) => tell("The customer's browser opens " + b.url), phone_number: (b) => tell("The customer calls " + b.url), copy_code: (b) => tell("The code is copied: " + b.url),
  };
  const press = (b) => (e) => { e.stopPropagation(); (does[b.type] || (() => tell("Nothing follows here: send the customer's answer by hand")))(b); };
  const taps = (d.buttons || []).map((b) => el("button", { type: "button", className: "tap", textContent: (signs[b.type] || "") + b.title, title: b.url || "", onclick: press(b) }));
  const rows = listed === m.id ? (d.sections || []).flatMap((s) => [s.title ? el("b", { className: "section", textContent: s.title }) : null,
    ...s.rows.map((r) => el("button", { type: "button", className: "tap row-tap", onclick: (e) => { e.stopPropagation(); listed = ""; say({ type: "choose", choice: r.id }); } },
      el("span", { textContent: r.title }), r.description ? el("small", { textContent: r.description }) : null))]) : [];
  const cards = (d.cards || []).map((c) => el("div", { className: "card" }, ...drawn(c, c.text || ""), ...tappable(m, c)));
  return [cards.length ? el("div", { className: "cards" }, ...cards) : null, ...taps, ...rows];
}

function answerFlow(say, text) {
  try { say({ type: "flow", answer: JSON.parse(text) }); } catch { tell("The answer is not JSON", true); }
}

function acts(m) {
  const as = m.author === "customer" ? "customer" : "business", act = (label, o) => el("button", { type: "button", textContent: label, onclick: (e) => { e.stopPropagation(); opened = ""; const what = o(); if (what) write(what); else show(); } });
  const ask = (question, o) => () => { const text = prompt(question, m.text); return text === null ? null : { ...o, text }; };
  const list = [];
  if (!["api", "responder"].includes(m.author)) list.push(act("Edit", ask("The new text", { type: "edit", message_id: m.id, from: as })), act("Delete", () => ({ type: "revoke", message_id: m.id, from: as })));
  list.push(act("Quote", ask("The answer", { type: "text", reply_to: m.id, from: as === "customer" && !view.cloud_api_only ? "business" : "customer" })));
  if (m.author === "api") list.push(act("Ask about a product", ask("The question", { type: "text", reply_to: m.id, from: "customer", catalog_id: "made-up-catalog", product_retailer_id: "made-up-bread" })));
  if (m.author === "customer") list.push(act("Resolve 131060", () => ({ type: "resolve", message_id: m.id, from: "customer" })));
  const react = (emoji, from) => act(emoji + " " + from, () => ({ type: "reaction", message_id: m.id, text: emoji, from }));
  if (!view.cloud_api_only) list.push(react("👍", "business"));
  list.push(react("🎂", "customer"));
  return el("div", { className: "acts" }, ...list);
}

function showLog(v) {
  $("total").textContent = v.total + " in all"; $("count").textContent = v.total || "";
  $("silenced").replaceChildren(...(v.silenced || []).map((s) => el("li", { textContent: s.times + " × " + s.field + " was lost in silence: " + s.reason })));
  $("deliveries").replaceChildren(...(v.deliveries || []).map((d) => {
    const fields = [...new Set(d.fields)].join(", "), tries = d.tries && d.tries.length ? d.tries.join(", ") : "under way";
    return el("li", {}, el("button", { onclick: () => body(d.number) }, el("span", { className: "dot " + (d.state === "acknowledged" ? "ok" : d.state === "waiting" ? "" : "up") }),
      el("b", { textContent: d.summary, dir: "auto" }), el("i", { textContent: "#" + d.number }),
      el("small", { textContent: [fields, d.at, size(d.bytes), tries, d.duplicate ? "again" : ""].filter(Boolean).join(" · ") })));
  }));
}

const size = (n) => n < 1024 ? n + " B" : n < 1048576 ? (n / 1024).toFixed(1) + " KB" : (n / 1048576).toFixed(1) + " MB";

async function body(number) {
  const hook = await (await fetch("control/v1/webhooks/" + number)).json(), text = JSON.stringify(hook.body || hook, null, 2);
  shownBody = number;
  $("bodyname").textContent = "Webhook #" + number;
  $("json").textContent = text.length > 200000 ? text.slice(0, 200000) + "\n… and more" : text;
  $("body").showModal();
}

document.addEventListener("click", (e) => {
  const b = e.target.closest("button");
  if (!b) return;
  if (b.dataset.do && view) verbs[b.dataset.do](b.dataset.text || "");
  if (b.dataset.list) document.querySelector("main").dataset.list = b.dataset.list;
  if (b.dataset.choose) pick(((view.phones || []).find((p) => p.cloud_api_only === (b.dataset.choose === "cloud")) || {}).id || "");
  if (b.dataset.tab) tab(b.dataset.tab);
});
function tab(name) {
  document.querySelector("main").dataset.tab = name;
  if (["log", "calls"].includes(name)) document.querySelector("main").dataset.list = name;
  for (const t of document.querySelectorAll(".tabs button")) t.classList.toggle("on", t.dataset.tab === name);
}
// pick shows another of the phones.
function pick(id) { phone = id; choose(""); }
document.addEventListener("submit", (e) => {
  e.preventDefault();
  const f = e.target, data = Object.fromEntries(new FormData(f));
  if (f.id === "compose") {
    write(message(data));
    f.elements.text.value = "";
    $("messages").scrollTop = $("messages").scrollHeight;
  } else if (f.dataset.form) {
    verbs[f.dataset.form](data.text);
  }
});

// message is what the form for writing asks for. Some kinds are made up, since no file is at hand.
function message(data) {
  const made = {
    place: { type: "location", text: "Ovenbird Bakery", address: "1 Made-up Street", latitude: 37.48, longitude: -122.15 },
    card: { type: "contacts", text: "Made-up supplier", phone_number: "+1 555-010-0188" }, voice: { type: "audio" },
    order: { type: "order", text: data.text, catalog_id: "made-up-catalog", product_items: [{ product_retailer_id: "made-up-bread", quantity: 2, item_price: 4.5, currency: "USD" }] },
    ad: { text: data.text || "I saw your ad", referral: { source_type: "ad", source_id: "120210000000001", source_url: "https://fb.me/made-up", headline: "Made-up ad", body: "Fresh bread", ctwa_clid: "made-up-click", media_type: "image", media_url: "https://example.com/ad.jpg" } },
  };
  if (data.as === "responder") return { from: data.as, responder: actor().owner, text: data.text };
  return { from: data.as, ...(made[data.kind] || { type: data.kind || "text", text: data.text }) };
}

document.addEventListener("change", (e) => {
  const f = e.target.form;
  if (e.target.id === "phones") pick(e.target.value);
  if (f && f.id === "routing") call("PUT", of("/routing"), { on: f.elements.on.checked, host_role: f.elements.host_role.value }, "Routing changed; conversations keep their owners");
  if (!f || !["filter", "callfilter"].includes(f.id)) return;
  filter = { ...filter, ...(f.id === "filter" ? Object.fromEntries(new FormData(f)) : { failed: f.elements.failed.checked }) };
  listen();
});
$("add").onclick = () => { const text = prompt("The customer's number", "+1 555-010-0142"); if (text) post(of("/customers"), { phone_number: text }, (c) => c.phone_number + " is a customer now"); };
$("save").onclick = () => {
  const c = view.chat;
  if (c.contact) return call("DELETE", of("/contacts/" + encodeURIComponent(c.contact)));
  const text = prompt("The name in the address book", c.name);
  if (text) post(of("/contacts"), { full_name: text, phone_number: c.wa_id, user_id: c.user_id });
};
$("back").onclick = () => choose("");
$("close").onclick = () => $("body").close();
if ($("start")) {
  $("resend").onclick = () => { $("body").close(); post("/webhooks/" + shownBody + "/resend", undefined, (d) => "Sent again as #" + d.number); };
  $("startclose").onclick = () => { $("start").hidden = true; localStorage.setItem("started", "yes"); };
  $("showstart").onclick = () => { $("start").hidden = false; $("start").scrollIntoView(); };
  $("copy").onclick = () => navigator.clipboard.writeText($("curl").textContent).then(() => tell("Copied"), () => tell("The browser does not let the page copy; select the text", true));
  $("start").hidden = localStorage.getItem("started") === "yes";
}
choose(chat);
if (["steps", "log", "calls"].includes(query.get("tab"))) tab(query.get("tab"));
