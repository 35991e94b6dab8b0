// The pages of the simulated popup. Everything is decided by the world behind /popups; this only shows it.
"use strict";

const setup = JSON.parse(document.getElementById("setup").textContent);
const simulate = (setup.simulate ?? "").split(",");
const screen = document.getElementById("screen");
let view = setup.page;
let chosen = "";
let shown = "";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function build(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

const button = (id, text, act, kind) => build("button", { id, type: "button", className: kind ?? "main", textContent: text, onclick: act });
const row = (...buttons) => build("div", { className: "row" }, ...buttons);

async function ask(path, value) {
  const response = await fetch("/popups/" + view.id + path, value === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ value }),
  });
  return response.json();
}

async function step(name, value) {
  const next = await ask("/" + name, value ?? "");
  if (next.refusal) return show({ ...view, problem: { code: 0, message: next.refusal, session_id: "" } });
  await show(next);
}

const screens = {
  BUSINESS_ACCOUNT_SELECTION() {
    const way = (id, title, text) => build("button", { id, type: "button", className: "choice", onclick: () => step(id) },
      build("strong", { textContent: title }), build("span", { textContent: text }));
    return [
      build("h1", { textContent: "Connect to the WhatsApp Business Platform" }),
      build("p", { textContent: "You are signed in as Ada, who may act for the business." }),
      view.offers_existing_account &&
        way("existing", "Connect your existing WhatsApp Business app", "Keep the app on your phone, your number and your chats."),
      way("new", "Use a new number", "It will work on Cloud API alone."),
    ];
  },

  PHONE_NUMBER_SETUP() {
    const input = build("input", { id: "number", type: "tel", autocomplete: "off", placeholder: "+1 555 010 0123", value: chosen });
    return [
      build("h1", { textContent: "Enter your number" }),
      build("p", { textContent: "The one that the WhatsApp Business app uses, with its country code." }),
      build("label", { htmlFor: "number", textContent: "Phone number" }), input,
      row(button("next", "Next", () => { chosen = input.value; step("number", input.value); })),
    ];
  },

  PHONE_NUMBER_VERIFICATION() {
    if (view.phone_refused) {
      return [
        build("h1", { textContent: "The connection was refused on the phone" }),
        build("p", { textContent: "Close this window, or enter the number again." }),
        row(button("other", "Enter a number", () => { shown = ""; screen.replaceChildren(...screens.PHONE_NUMBER_SETUP()); })),
      ];
    }
    if (view.verified) {
      return [
        build("h1", { textContent: "Confirm on your phone" }),
        build("p", { textContent: "Open the message of the Facebook Business Account and tap Confirm. This window goes on by itself." }),
        build("div", { className: "pulse" }),
      ];
    }
    const input = build("input", { id: "code", inputMode: "numeric", autocomplete: "one-time-code", maxLength: 7 });
    const parts = [
      build("h1", { textContent: view.qr ? "Look at your phone" : "Enter the code" }),
      build("p", { textContent: view.qr
        ? "The Facebook Business Account has sent a message to the app. Tap Connect there, and enter the code that it shows."
        : "We have sent a text message with six digits to your number." }),
      build("label", { htmlFor: "code", textContent: "Code of six digits" }), input,
      row(button("verify", "Verify", () => step("code", input.value)),
        view.qr ? "" : button("later", "Verify later", () => step("later"), "quiet")),
    ];
    if (view.qr) {
      parts.push(build("div", { className: "qr" },
        build("img", { id: "qr", src: "/popups/" + view.id + "/qr.png", alt: "QR code to scan with the app", width: 180, height: 180 }),
        build("p", { textContent: "Or scan this with the app: Settings, Business Platform, Scan." })),
        build("p", { className: "aside" }, build("a", {
          id: "phone", href: "/popups/" + view.id + "/phone", target: "simulated-phone", textContent: "Open the simulated phone",
        })));
    }
    return parts;
  },

  PERMISSIONS() {
    return [
      build("h1", { textContent: "Review what you share" }),
      build("ul", null,
        build("li", { textContent: "Your WhatsApp Business account and its number" }),
        build("li", { textContent: "Messages that customers send and receive" })),
      row(button("finish", "Finish", () => step("finish"))),
    ];
  },

  DONE() {
    return [build("h1", { textContent: "All done" }), build("p", { textContent: "This window closes by itself." })];
  },
};

async function show(next) {
  view = next;
  if (view.screen === "DONE") {
    screen.replaceChildren(...screens.DONE());
    await leave();
    return;
  }
  shown = JSON.stringify([view.screen, view.verified, view.phone_refused, view.problem]);
  const parts = screens[view.screen]().filter(Boolean);
  if (view.problem) {
    const p = view.problem;
    parts.splice(1, 0, build("div", { className: "problem", role: "alert" }, build("strong", { textContent: p.message }),
      p.code ? build("small", { textContent: "Error " + p.code }) : null,
      p.session_id ? button("report", "Report a problem", () => step("report"), "quiet") : null));
  }
  parts.push(button("close", "Close this window", () => step("close"), "link"));
  screen.dataset.screen = view.screen;
  screen.replaceChildren(...parts);
}

// leave says how it ended to the page that opened the popup, or goes back there.
async function leave() {
  const { message, callback, code } = view.result;
  if (!setup.popup) {
    const back = new URL(setup.redirect_uri);
    if (code) back.searchParams.set("code", code);
    else for (const [k, v] of Object.entries({ error: "access_denied", error_reason: "user_denied", error_description: "Permissions error" })) {
      back.searchParams.set(k, v);
    }
    if (setup.state) back.searchParams.set("state", setup.state);
    location.replace(back);
    return;
  }
  const gap = Number(simulate.find((s) => s.startsWith("gap-"))?.slice(4) ?? 50);
  const tell = [
    () => { if (message && !simulate.includes("no-message")) window.opener?.postMessage(simulate.includes("object") ? JSON.parse(message) : message, setup.origin); },
    () => window.opener?.postMessage(new URLSearchParams({ cb: setup.cb, response: JSON.stringify(callback), code }).toString(), setup.origin),
  ];
  if (simulate.includes("code-first")) tell.reverse();
  tell[0]();
  await pause(gap);
  tell[1]();
  await pause(50);
  window.close();
}

// The phone moves the popup on as well.
setInterval(async () => {
  if (view.screen !== "PHONE_NUMBER_VERIFICATION" || shown === "") return;
  const next = await ask("");
  const state = JSON.stringify([next.screen, next.verified, next.phone_refused, next.problem]);
  if (view.screen === "PHONE_NUMBER_VERIFICATION" && (next.screen !== view.screen || next.verified !== view.verified ||
      next.phone_refused !== view.phone_refused) && state !== shown) await show(next);
}, 400);

show(view);
