// Embedded Signup in a page of yours. One tag is enough:
//
//   <script src="/signup/connect.js" defer></script>
//
// It puts a <whatsapp-signup> element behind itself, or uses the one that is there. The page may listen:
//
//   document.addEventListener("whatsapp-signup", e => console.log(e.detail.outcome, e.detail.phone))
//
// It speaks the first of the browser's languages that texts/ has, or English. Attributes of the tag: data-lang, the language of the
// page, such as "pt-BR", whatever the browser's; data-target, a selector of where the element goes; data-theme, "auto" to be dark
// where the browser is; data-texts, a selector of a <script type="application/json"> with other words for TEXTS below. They are in
// one language, "lang", English if there is none, with "dir" if it is "rtl", and so are the texts beneath them, where texts/ has it.
// Colours and the like are CSS custom properties: see connect.css.
//
// No code, token or answer of Meta's is ever logged here.
(() => {
"use strict";

const tag = document.currentScript;
const base = new URL(".", tag.src).href;
const memory = "whatsapp-signup " + base; // what a reload must not forget

// Languages with a file in texts/, as Meta names them in the address of its SDK. English is below, so that the page has words
// whatever fails to load.
const LOCALES = {
  en: "en_US", ar: "ar_AR", de: "de_DE", es: "es_LA", fr: "fr_FR", hi: "hi_IN", id: "id_ID", it: "it_IT", "pt-BR": "pt_BR",
};

// Meta's SDK, unless the host has set another one.
const SDK = "https://connect.facebook.net/en_US/sdk.js";

// The words of the page. What stands in braces is filled in. A key that is new here is missing in the files of texts/ until a test
// has named it.
const TEXTS = {
  lang: "en",
  dir: "ltr",
  start: "Connect WhatsApp",
  title: "Connect your WhatsApp Business app",
  loading: "One moment…",
  lead: "You keep the app, your number and your chats. Messages then also reach us, and what we send shows on your phone.",
  need: "You need",
  needs: [
    "your phone, with the WhatsApp Business app open",
    "a Facebook account that may act for your business",
    "about three minutes",
  ],
  next: "What happens next",
  steps: [
    "A window of Facebook opens. Sign in and choose to connect your existing WhatsApp Business app.",
    "Enter your number. A message from Facebook with instructions arrives in the app: follow them.",
    "Choose in the app whether to share your chats of the last six months with us. To change that later, you would have to connect again.",
    "In the window, enter the code that the app shows, or scan the QR code of the window with the app.",
    "Back here, we check everything and tell you when it works.",
  ],
  changes: "What changes in the app",
  features: { // by what coexistence.Features tells of; a test there has them all
    "linked devices | WhatsApp for Windows and Wear OS":
      "Linked devices are logged out once. You can link up to four again, but not WhatsApp for Windows or Wear OS.",
    "broadcast lists": "Broadcast lists can only be read: you cannot make new ones.",
    "disappearing messages | view once | live location":
      "Disappearing messages, view-once messages and live location are turned off in chats with one person.",
    "one-to-one chats | contacts | business profile":
      "Chats with one person, contacts and your business profile work as before.",
    "group chats | calls | catalog, orders and status | messaging tools | channels":
      "Groups, channels, calls, status, catalog, orders, labels and automatic messages work as before, and we do not see them.",
  },
  check: "Can your number be connected?",
  checkLead: "Three questions first, so that you know before you start.",
  number: "Phone number in the WhatsApp Business app",
  numberHint: "With country code, such as +1\u00a0555\u00a0010\u00a00123",
  version: "Version of the app",
  versionHint: "In the app: Settings, Help, App info. Such as 2.24.17.79",
  appState: "What do you see when you open the app?",
  appStates: { // the values of AppState in check.go
    works: "WhatsApp Business, and it works",
    messenger: "WhatsApp Messenger, the app for private use",
    unverified: "WhatsApp Business asks to verify the number",
    inactive: "WhatsApp Business says that the account is banned or not active",
  },
  checkButton: "Check",
  checking: "Checking…",
  eligible: "Your number can be connected.",
  know: "Good to know",
  refused: "Your number cannot be connected yet",
  button: "Continue with Facebook",
  popup: "The Facebook window is open",
  popupLead: "Follow the steps there, and keep your phone at hand. This page continues by itself when you are done.",
  show: "Show the window",
  giveUp: "Stop",
  slow: "This takes a while. If the window is closed, or you cannot find it, stop and start again.",
  blocked: "Your browser blocked the window",
  blockedLead: "Allow pop-up windows for this page: there is a sign in the address bar. Then try again.",
  sdk: "Facebook cannot be reached",
  sdkLead: "A content blocker or your network keeps Facebook's script from loading. Turn it off for this page and reload.",
  late: "That took too long",
  lateLead: "For your safety, a signup has to be finished in time. Nothing was connected. Start again at any time.",
  closed: "The window was closed",
  closedLead: "Nothing was connected. You can start again at any time.",
  reloaded: "This page was reloaded while the Facebook window was open. Close that window, if it is still there, and start again.",
  offline: "We cannot be reached",
  offlineLead: "Check your connection. What you did so far is kept.",
  working: "Almost done",
  workingLead: "Facebook has confirmed. You can leave this page open; closing it breaks nothing.",
  parts: {
    access: "Facebook confirms your choice",
    number: "Finding your number",
    delivery: "Turning on message delivery",
    credit: "Setting up billing",
    register: "Registering the number",
    ready: "Done",
  },
  left: "You left before the end",
  verify: "Verify your number",
  verifyLead: "WhatsApp sends a code of six digits to {phone}.",
  verifyText: "Send a text message",
  verifyCall: "Call this number",
  verifyAgain: "Send another text message",
  verifyCode: "Code of six digits",
  verifyButton: "Continue",
  choose: "Which number do you want to connect?",
  chooseButton: "Connect this number",
  done: "Your number is connected",
  doneLead: "Keep the app on your phone and open it now and then, at least every other week.",
  another: "Connect another number",
  halfway: "Your number is granted",
  halfwayLead: "The rest is for us to do. There is nothing left for you.",
  stopped: "That did not work yet",
  ours: "This is for us to solve, not for you. Tell our support that your signup ended with {outcome}.",
  support: "If you ask Meta's support, give them:",
  supportCode: "error {code}",
  supportSession: "session {session}",
  again: "Try again",
  anew: "Start again",
  redirect: "Continue in this window",
  // In place of what the server says, which is English.
  outcomes: {}, // advice by outcome, such as {"taken": "…"}
  codes: {}, // advice after "failed" by Meta's codes, such as {"2655095 2655048": "…"}
  reasons: {}, // sentences by the code of a reason; one whose parameter is not known is left out
  notes: {}, // a text by the code of a note
};

// What is different where no app is connected.
const ORDINARY = {
  title: "Connect a number to WhatsApp",
  lead: "Your customers write to this number, and their messages reach us.",
  needs: [
    "a phone number that can receive a text message or a call, and is not in use in a WhatsApp app",
    "a Facebook account that may act for your business",
    "about three minutes",
  ],
  steps: [
    "A window of Facebook opens. Sign in and choose your business.",
    "Enter the number, and the code that comes to it.",
    "Back here, we check everything and tell you when it works.",
  ],
  doneLead: "You can close this page.",
};

// Steps of the server, as parts that people care about.
const PART = {
  exchange: "access", inspect: "access", discover: "number", verify: "number", reserve: "number",
  subscribe: "delivery", confirm: "delivery", override: "delivery", credit: "credit", register: "register", ready: "ready",
};

// Outcomes after which an ordinary number is verified.
const VERIFY = ["number_unverified", "verification_sent", "verification_not_sent", "verification_wrong"];

// locale is the language of the browser as Meta writes it, or nothing.
const locale = () => /^[a-z]{2,3}(-[A-Z]{2})?$/.test(navigator.language) ? navigator.language.replace("-", "_") : "";

// fromMeta is the origin check. Only the parsed host counts: https://evilfacebook.com ends with facebook.com as well.
function fromMeta(origin, standIn) {
  let url;
  try {
    url = new URL(origin);
  } catch {
    return false; // "null" is the origin of a sandboxed frame
  }
  return url.protocol === "https:" && url.port === "" && /^([a-z0-9-]+\.)*facebook\.com$/.test(url.hostname) ||
    standIn !== "" && origin === standIn;
}

// sessionOf returns the data of a message if it is the end of a signup. There are other messages from the same origin, and one
// of them carries the code.
function sessionOf(data) {
  let message = data;
  if (typeof data === "string") {
    try {
      message = JSON.parse(data);
    } catch {
      return null;
    }
  }
  if (message === null || typeof message !== "object" || message.type !== "WA_EMBEDDED_SIGNUP") return null;
  return /^(FINISH|CANCEL|ERROR)(_|$)/.test(String(message.event)) ? data : null;
}

// languageOf is the first language wanted that there are texts in, by what stands before the region.
function languageOf(wanted) {
  for (const tag of wanted) {
    const [language] = tag.toLowerCase().split(/[-_]/);
    const found = Object.keys(LOCALES).find((l) => l.split("-")[0] === language);
    if (found) return found;
  }
  return "en";
}

// merge lays texts on top of each other, the last on top. A list is one text, an object is not.
function merge(...layers) {
  const all = {};
  for (const [key, value] of layers.flatMap(Object.entries)) {
    all[key] = value?.constructor === Object ? { ...all[key], ...value } : value;
  }
  return all;
}

// fill returns what goes into an element. What is filled in keeps its own direction: a phone number among Arabic words does.
function fill(text, values) {
  return text.split(/\{(\w+)\}/).map((part, i) => i % 2 === 0 ? part : build("bdi", { textContent: values[part] ?? "" }));
}

// worded gives values of the server the form of a language: the name of a country, a date.
function worded(values, lang) {
  const all = { ...values };
  try {
    if (all.country) all.country = new Intl.DisplayNames([lang], { type: "region" }).of(all.country);
    if (all.date) {
      const form = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeZone: "UTC", numberingSystem: "latn" });
      all.date = form.format(new Date(all.date));
    }
  } catch { /* the host's own language has no such name: the code says it too */ }
  return all;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// build makes an element. Text is always text, never HTML.
function build(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

class Unreachable extends Error {}
class Shown extends Error {} // what is wrong is on the screen already

class WhatsAppSignup extends HTMLElement {
  #root = this.attachShadow({ mode: "open" });
  #view = build("div", { className: "view" });
  #words = {}; // of the host
  #language = "en"; // one of LOCALES
  #translation = {}; // the file of that language
  #texts = TEXTS;
  #begun = null; // the answer of /begin
  #sdk = null; // resolves when FB is there
  #window = null; // the popup, if its handle is known
  #expiry = 0; // timer of the state
  #turn = null; // of the popup that is open
  #shown = "";
  #answers = { number: "", app_state: "works", app_version: "" };
  #touched = false; // somebody is at work here
  #step = "";

  connectedCallback() {
    if (this.#root.childNodes.length > 0) return;
    const style = build("link", { rel: "stylesheet", href: base + "connect.css" });
    const box = build("section", { part: "box", className: "box", hidden: true }, this.#view);
    box.setAttribute("aria-live", "polite");
    const styled = new Promise((resolve) => {
      style.addEventListener("load", resolve);
      style.addEventListener("error", resolve);
    });
    this.#root.append(style, box);
    const other = tag.dataset.texts && document.querySelector(tag.dataset.texts);
    if (other) this.#words = JSON.parse(other.textContent);
    for (const kind of ["click", "submit", "keydown"]) box.addEventListener(kind, () => { this.#touched = true; });
    window.addEventListener("message", (event) => this.#hear(event));
    this.#translate(other ? [this.#words.lang ?? "en"] : navigator.languages).then(async () => {
      box.lang = this.#texts.lang;
      box.dir = this.#texts.dir;
      this.#open();
      await styled;
      box.hidden = false;
    });
  }

  // translate loads the texts of a language. Without them the page is English.
  async #translate(wanted) {
    this.#language = languageOf(tag.dataset.lang ? [tag.dataset.lang] : wanted);
    if (this.#language !== "en") {
      try {
        const response = await fetch(base + "texts/" + this.#language + ".json", { credentials: "include" });
        if (response.ok) this.#translation = await response.json();
      } catch { /* English it is */ }
    }
    this.#texts = merge(TEXTS, this.#translation, this.#words);
    const page = document.documentElement;
    if ("whatsappSignup" in page.dataset) { // the handler's own page, which has no other words
      page.lang = this.#texts.lang;
      page.dir = this.#texts.dir;
      document.title = document.querySelector("h1").textContent = this.#texts.start;
    }
  }

  // ---- what the server is asked

  async #post(path, body) {
    let response;
    let answer;
    try {
      response = await fetch(base + path, {
        method: "POST", credentials: "include", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}),
      });
      answer = await response.json();
    } catch {
      throw new Unreachable();
    }
    return { ok: response.ok, ...answer };
  }

  // ---- memory across a reload

  #remember(changes) {
    try {
      const now = { ...this.#recall(), ...changes };
      if (changes === null) sessionStorage.removeItem(memory);
      else sessionStorage.setItem(memory, JSON.stringify(now));
    } catch { /* storage is turned off: a reload starts anew */ }
  }

  #recall() {
    try {
      return JSON.parse(sessionStorage.getItem(memory)) ?? {};
    } catch {
      return {};
    }
  }

  // ---- views

  #show(name, title, ...children) {
    this.#shown = name;
    this.dataset.view = name;
    const heading = build("h2", { part: "title", tabIndex: -1, textContent: title });
    this.#view.replaceChildren(heading, ...children.filter(Boolean));
    // The button that had the focus is gone. Whoever is elsewhere in the page stays there.
    if (this.#touched && (document.activeElement === document.body || document.activeElement === this)) heading.focus();
  }

  #lead(text) { return build("p", { part: "lead", textContent: text }); }
  #list(kind, items) { return build(kind, null, ...items.map((text) => build("li", null, build("span", { textContent: text })))); }
  #note(kind, ...children) { return build("div", { className: "note " + kind, part: "note " + kind }, ...children.filter(Boolean)); }

  #button(text, act, kind) {
    const button = build("button", { type: "button", part: "button", className: kind ?? "main", textContent: text });
    button.addEventListener("click", act);
    return button;
  }

  #row(...buttons) { return build("div", { className: "row" }, ...buttons.filter(Boolean)); }

  #tell(outcome, phone) {
    this.dispatchEvent(new CustomEvent("whatsapp-signup", { bubbles: true, composed: true, detail: { outcome, phone: phone ?? "" } }));
  }

  // guard shows that the server cannot be reached, and repeats what was tried on demand.
  async #guard(act) {
    try {
      await act();
    } catch (error) {
      if (error instanceof Shown) return;
      if (!(error instanceof Unreachable)) throw error;
      const t = this.#texts;
      this.#show("offline", t.offline, this.#lead(t.offlineLead), this.#row(this.#button(t.again, () => this.#guard(act))));
    }
  }

  // ---- the way through

  #open() {
    this.#show("loading", this.#texts.start, this.#lead(this.#texts.loading));
    this.#guard(async () => {
      const kept = this.#recall();
      const query = new URLSearchParams(location.search);
      // Both are good for the first load after the click: from then on a code in the address is somebody else's.
      this.#remember({ page: undefined, open: undefined });
      if (kept.state && kept.page && query.has("code")) {
        // A phone's browser turned the popup into a redirect to this page.
        const code = query.get("code");
        history.replaceState(null, "", kept.page);
        await this.#begin();
        await this.#finish({ state: kept.state, code, redirect_uri: kept.page });
        return;
      }
      if (kept.state && await this.#pickUp(kept)) return;
      await this.#begin();
      this.#enter(kept.open ? this.#texts.reloaded : "");
    });
  }

  async #begin() {
    const answer = await this.#post("begin");
    if (!answer.ok) {
      this.#stopped(answer);
      throw new Shown();
    }
    this.#begun = answer;
    if (answer.mode !== "coexistence") {
      this.#texts = merge(TEXTS, this.#translation, ORDINARY, this.#translation.ordinary ?? {}, this.#words);
    }
    this.#sdk = this.#load();
    this.#sdk.catch(() => {});
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#expired(), Math.min(answer.expires_in * 950, 2 ** 31 - 1));
  }

  // expired ends a popup that is open for too long. A page that just stood open gets a new state, so that nobody goes all the
  // way through the popup in vain.
  async #expired() {
    const turn = this.#turn;
    const t = this.#texts;
    if (turn !== null) {
      this.#window?.close();
      this.#over(turn);
      this.#show("timed_out", t.late, this.#lead(t.lateLead), this.#row(this.#button(t.anew, () => this.#anew())));
      this.#tell("timed_out");
    } else if (["invite", "check", "popup_blocked", "sdk_blocked", "closed"].includes(this.#shown)) {
      const checked = this.#begun.checked;
      await this.#guard(async () => {
        await this.#begin();
        this.#begun.checked = checked;
      });
    }
  }

  // pickUp goes on with what was under way when the page was loaded anew.
  async #pickUp(kept) {
    let status = await this.#post("status", { state: kept.state });
    if (!status.ok || status.phase === "open") return false;
    await this.#begin();
    while (status.phase === "running") {
      this.#working(status.step);
      await pause(700);
      status = await this.#post("status", { state: kept.state });
    }
    if (status.phase === "ended") {
      this.#ended({ ...status, ok: status.outcome === "ready" || status.outcome === "needs_registration" }, { state: kept.state });
    } else if (this.#asks(status, kept.state)) {
      // the business has to answer
    } else {
      await this.#finish({ state: kept.state });
    }
    return true;
  }

  #load() {
    const { init } = this.#begun.launch;
    const start = () => window.FB.init(init);
    if (window.FB) {
      start();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const src = this.#begun.sdk === SDK ? SDK.replace("en_US", LOCALES[this.#language]) : this.#begun.sdk;
      const script = build("script", { src, async: true, crossOrigin: "anonymous" });
      script.addEventListener("load", () => {
        if (!window.FB) return reject(new Error("whatsapp-signup: FB is missing"));
        start();
        resolve();
      });
      script.addEventListener("error", () => reject(new Error("whatsapp-signup: the script is blocked")));
      document.head.append(script);
    });
  }

  // enter asks what is to be known before, or shows the button.
  #enter(notice) {
    if (this.#begun.check && !this.#begun.checked) this.#ask(notice);
    else this.#invite(notice);
  }

  #ask(notice) {
    const t = this.#texts;
    const labelled = (input, label, ...more) =>
      build("div", { className: "field" }, build("label", { htmlFor: input.id, textContent: label }), input, ...more);
    const field = (name, label, hint, more) => {
      const input = build("input", { id: name, name, required: true, value: this.#answers[name], dir: "ltr", ...more });
      input.setAttribute("aria-describedby", name + "-hint");
      return labelled(input, label, build("small", { id: name + "-hint", textContent: hint }));
    };
    const state = build("select", { id: "app_state", name: "app_state" }, ...Object.entries(t.appStates).map(([value, textContent]) =>
      build("option", { value, textContent, selected: value === this.#answers.app_state })));
    const button = build("button", { part: "button", className: "main", textContent: t.checkButton });
    const result = build("div", { role: "status" });
    const form = build("form", { noValidate: false },
      field("number", t.number, t.numberHint, { type: "tel", autocomplete: "tel", inputMode: "tel" }),
      labelled(state, t.appState),
      field("app_version", t.version, t.versionHint, { type: "text", autocomplete: "off" }),
      result, this.#row(button));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (button.disabled) return;
      this.#answers = Object.fromEntries(new FormData(form));
      button.disabled = true;
      button.textContent = t.checking;
      this.#guard(async () => {
        const answer = await this.#post("check", { ...this.#answers, state: this.#begun.state });
        button.disabled = false;
        button.textContent = t.checkButton;
        if (answer.eligible) {
          this.#begun.checked = true;
          this.#invite("", answer.notes);
          return;
        }
        const reasons = answer.reasons ?? [{ text: this.#advice(answer) }];
        result.replaceChildren(this.#note("bad", build("strong", { textContent: t.refused }),
          build("ul", null, ...reasons.map((r) => build("li", null, build("span", null, ...this.#reason(r)))))));
        this.dataset.view = "refused";
        this.#tell("not_eligible");
      });
    });
    this.#show("check", t.check, notice && this.#note("info", notice), this.#lead(t.checkLead), form);
  }

  // reason is what speaks against a number, in the server's words if there are none in this language.
  #reason(reason) {
    const values = worded(reason.params, this.#texts.lang);
    const known = (text) => [...text.matchAll(/\{(\w+)\}/g)].every((m) => m[1] in values);
    const own = (this.#texts.reasons[reason.code] ?? []).filter(known);
    if (own.length === 0) return [reason.text + " " + (reason.remedy ?? "")];
    return own.flatMap((text) => [...fill(text, values), " "]);
  }

  #invite(notice, notes) {
    const t = this.#texts;
    const button = this.#button(t.button, () => this.#login(button));
    button.disabled = true;
    this.#show("invite", t.title,
      notice && this.#note("info", notice),
      this.#begun.checked && this.#note("good", build("strong", { textContent: t.eligible }),
        notes?.length > 0 && build("details", null, build("summary", { textContent: t.know }),
          ...notes.map((n) => build("div", { textContent: t.notes[n.code] ?? n.text })))),
      this.#lead(t.lead),
      ...(this.#begun.mode === "coexistence" ? [build("h3", { textContent: t.changes }), this.#list("ul", Object.values(t.features))] : []),
      build("h3", { textContent: t.need }), this.#list("ul", t.needs),
      build("h3", { textContent: t.next }), this.#list("ol", t.steps),
      this.#row(button));
    this.#sdk.then(() => { button.disabled = false; }, () => this.#unreachable());
  }

  #unreachable() {
    const t = this.#texts;
    this.#show("sdk_blocked", t.sdk, this.#lead(t.sdkLead), this.#row(this.#aside(), this.#button(t.again, () => {
      this.#sdk = this.#load();
      this.#invite("");
    }, this.#begun.redirect ? "quiet" : "main")));
    this.#tell("sdk_blocked");
  }

  // aside is the way without a popup, if the host has it.
  #aside() {
    if (!this.#begun.redirect) return null;
    return this.#button(this.#texts.redirect, () => {
      this.#remember({ state: this.#begun.state });
      location.assign(this.#begun.redirect);
    });
  }

  // login opens the popup. It must not pause before: a browser opens windows only within a click.
  #login(button) {
    if (button.disabled || this.#turn !== null) return; // the second half of a double click
    button.disabled = true;
    const turn = { state: this.#begun.state, session: null, callback: null, over: false };
    this.#turn = turn;
    const page = location.href.split("#")[0];
    this.#remember({ state: turn.state, page, open: true });
    const open = window.open;
    let opened;
    window.open = (...args) => { opened = open.apply(window, args); return opened; };
    try {
      window.FB.login((response) => this.#called(turn, response), this.#begun.launch.login);
    } finally {
      window.open = open;
    }
    if (opened === null) { // the SDK itself does not say so
      this.#over(turn);
      this.#blocked();
      return;
    }
    if (opened) this.#remember({ page: undefined }); // nobody comes back to this page with a code
    this.#window = opened ?? null;
    if (!turn.over) {
      this.#waiting(turn);
      this.#watch(turn);
    }
  }

  #over(turn) {
    turn.over = true;
    if (this.#turn === turn) this.#turn = null;
    this.#window = null;
    this.#remember({ page: undefined, open: undefined });
  }

  #blocked() {
    const t = this.#texts;
    this.#show("popup_blocked", t.blocked, this.#lead(t.blockedLead), this.#row(this.#button(t.again, () => this.#invite("")), this.#aside()));
    this.#tell("popup_blocked");
  }

  #waiting(turn) {
    const t = this.#texts;
    const slow = this.#note("info", t.slow);
    slow.hidden = true;
    setTimeout(() => { slow.hidden = false; }, 90_000);
    this.#show("popup", t.popup, build("div", { className: "pulse", role: "presentation" }), this.#lead(t.popupLead), slow, this.#row(
      this.#window && this.#button(t.show, () => this.#window?.focus(), "main"),
      this.#button(t.giveUp, () => {
        this.#window?.close();
        this.#over(turn);
        this.#closed();
      }, "quiet")));
  }

  // watch notices a popup that is gone without an answer.
  async #watch(turn) {
    while (this.#window !== null && !this.#window.closed) {
      await pause(400);
      if (turn.over) return;
    }
    if (this.#window === null) return;
    await pause(3000); // its last words may be on their way
    if (turn.over || turn.callback || turn.session) return;
    this.#over(turn);
    this.#closed();
  }

  #closed() {
    const t = this.#texts;
    this.#show("closed", t.closed, this.#lead(t.closedLead), this.#row(this.#button(t.anew, () => this.#anew())));
    this.#tell("closed");
  }

  #hear(event) {
    const turn = this.#turn;
    if (turn === null || turn.over || !fromMeta(event.origin, this.#begun.origin)) return;
    const session = sessionOf(event.data);
    if (session === null || turn.session !== null) return;
    turn.session = session;
    this.#join(turn);
  }

  #called(turn, response) {
    if (turn.over || turn.callback !== null) return;
    turn.callback = response ?? { status: "unknown", authResponse: null };
    this.#join(turn);
  }

  // join waits for the other half, which may come later or never. A code lives for thirty seconds.
  async #join(turn) {
    const first = !(turn.session !== null && turn.callback !== null);
    if (first) {
      const code = turn.callback?.authResponse?.code;
      await pause(turn.callback !== null && !code ? 2000 : 5000);
    }
    if (turn.over) return;
    this.#over(turn);
    if (turn.session === null && turn.callback?.authResponse == null && turn.callback?.status !== "not_authorized") {
      this.#closed();
      return;
    }
    await this.#finish({ state: turn.state, session: turn.session, callback: turn.callback });
  }

  // ---- the server's part

  async #finish(body) {
    await this.#guard(async () => {
      this.#working("");
      let over = false;
      (async () => {
        for (;;) {
          await pause(700);
          if (over) return;
          const status = await this.#post("status", { state: body.state }).catch(() => ({}));
          if (!over && status.step) this.#working(status.step);
        }
      })();
      try {
        const answer = await this.#post("finish", body);
        over = true;
        // The answer to an earlier try may have got lost, and the server be at it still.
        if (answer.outcome === "state_used" && await this.#pickUp(body)) return;
        if (!this.#asks(answer, body.state)) this.#ended(answer, body);
      } finally {
        over = true;
      }
    });
  }

  // asks shows what the business has to answer before it goes on, if anything.
  #asks(answer, state) {
    if (answer.outcome === "choose_number") this.#choose(answer, state);
    else if (VERIFY.includes(answer.outcome)) this.#verify(answer, state);
    else return false;
    this.#remember({ state });
    return true;
  }

  #working(step) {
    if (this.#shown === "working" && this.#step === step) return; // do not read the same list aloud again and again
    this.#step = step;
    const t = this.#texts;
    const parts = [...new Set((this.#begun.steps ?? []).map((s) => PART[s]).filter(Boolean))];
    const steps = this.#begun.steps ?? [];
    const reached = steps.indexOf(step);
    const finished = (part) => steps.every((s, i) => PART[s] !== part || i <= reached);
    let current = false;
    const items = parts.map((part) => {
      let state = "later";
      if (finished(part)) state = "done";
      else if (!current) {
        state = "now";
        current = true;
      }
      const item = build("li", { className: state }, build("span", { textContent: t.parts[part] }));
      if (state === "now") item.setAttribute("aria-current", "step");
      return item;
    });
    const list = build("ol", { className: "parts" }, ...items);
    if (this.#shown === "working") this.#view.querySelector(".parts").replaceWith(list);
    else this.#show("working", t.working, this.#lead(t.workingLead), list);
  }

  // verify has a code sent to an ordinary number, and takes it.
  #verify(answer, state) {
    const t = this.#texts;
    const send = (text, method, kind) => this.#button(text, () => this.#finish({ state, send_code: method, language: locale() }), kind);
    const lead = build("p", { part: "lead" }, ...fill(t.verifyLead, { phone: answer.phone }));
    const trouble = ["verification_not_sent", "verification_wrong"].includes(answer.outcome);
    const notice = trouble && this.#note("bad", this.#advice(answer));
    if (answer.outcome === "number_unverified" || answer.outcome === "verification_not_sent") {
      this.#show("verify", t.verify, notice, lead, this.#row(send(t.verifyText, "SMS"), send(t.verifyCall, "VOICE", "quiet")));
      return;
    }
    const button = build("button", { part: "button", className: "main", textContent: t.verifyButton });
    const input = build("input", {
      id: "verification", name: "code", required: true, inputMode: "numeric", autocomplete: "one-time-code", pattern: "\\s*([0-9]\\s*){6}",
      title: t.verifyCode, dir: "ltr",
    });
    const form = build("form", null, build("div", { className: "field" },
      build("label", { htmlFor: "verification", textContent: t.verifyCode }), input), this.#row(button));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      this.#finish({ state, verification_code: input.value });
    });
    this.#show("verify", t.verify, notice, lead, form, this.#row(send(t.verifyAgain, "SMS", "quiet"), send(t.verifyCall, "VOICE", "quiet")));
  }

  // advice of the host's own words goes before that of a code, which the files of texts/ have.
  #advice(answer) {
    const t = this.#texts;
    const code = answer.outcome === "failed" && !this.#words.outcomes?.failed &&
      Object.keys(t.codes).find((key) => key.split(" ").includes(String(answer.code)));
    return code ? t.codes[code] : t.outcomes[answer.outcome] ?? answer.advice ?? "";
  }

  #choose(answer, state) {
    const t = this.#texts;
    const button = build("button", { part: "button", className: "main", textContent: t.chooseButton });
    const form = build("form", null, build("fieldset", null, build("legend", { className: "hidden", textContent: t.choose }),
      ...(answer.numbers ?? []).map((n) => build("label", { className: "choice" },
        build("input", { type: "radio", name: "phone", value: n.id, required: true }),
        build("span", null, build("strong", null, build("bdi", { textContent: n.phone })), build("small", { dir: "auto", textContent: n.name }))))),
    this.#row(button));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      this.#finish({ state, phone_number_id: new FormData(form).get("phone") });
    });
    this.#show("choose", t.choose, form);
  }

  #ended(answer, body) {
    const t = this.#texts;
    if (!answer.ok) {
      this.#stopped(answer, body);
      return;
    }
    this.#remember({ state: body.state });
    const ready = answer.outcome === "ready";
    this.#show("done", ready ? t.done : t.halfway,
      this.#note("good", build("strong", null, build("bdi", { textContent: answer.phone ?? "" }))),
      this.#lead(ready ? t.doneLead : t.halfwayLead),
      this.#row(this.#button(t.another, () => this.#anew(), "quiet")));
    this.#tell(answer.outcome, answer.phone);
  }

  #stopped(answer, body) {
    const t = this.#texts;
    const useless = ["fell_back", "no_number", "no_account", "no_code"].includes(answer.outcome); // the same again ends the same
    const again = answer.retry && body && !useless ? this.#button(t.again, () => this.#finish(body)) : null;
    const ours = answer.actor === "developer";
    const details = [
      answer.code && fill(t.supportCode, { code: answer.code }), answer.session_id && fill(t.supportSession, { session: answer.session_id }),
    ].filter(Boolean);
    const left = answer.outcome === "canceled"; // is no failure
    this.#show("stopped", left ? t.left : t.stopped,
      this.#note(left ? "info" : "bad", ...(ours ? fill(t.ours, { outcome: answer.outcome }) : [this.#advice(answer)])),
      details.length > 0 && build("p", null, build("small", null, t.support, ...details.flatMap((d, i) => [i === 0 ? " " : " · ", ...d]))),
      this.#row(again, this.#button(t.anew, () => this.#anew(), again ? "quiet" : "main")));
    this.dataset.outcome = answer.outcome ?? "";
    this.#tell(answer.outcome);
  }

  #anew() {
    this.#remember(null);
    delete this.dataset.outcome;
    this.#show("loading", this.#texts.start, this.#lead(this.#texts.loading));
    const checked = this.#begun?.checked;
    this.#guard(async () => {
      await this.#begin();
      this.#begun.checked = checked;
      this.#enter("");
    });
  }
}

if (!customElements.get("whatsapp-signup")) customElements.define("whatsapp-signup", WhatsAppSignup);
if (!document.querySelector("whatsapp-signup")) {
  const element = document.createElement("whatsapp-signup");
  if (tag.dataset.theme) element.setAttribute("theme", tag.dataset.theme);
  const target = tag.dataset.target && document.querySelector(tag.dataset.target);
  if (target) target.append(element);
  else if (tag.parentNode === document.head) document.body.prepend(element);
  else tag.after(element);
}
})();
