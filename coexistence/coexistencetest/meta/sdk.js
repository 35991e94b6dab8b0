// A stand-in for Meta's JavaScript SDK: FB.init and FB.login, with the traps of the real one. It opens the popup of the simulator, at
// https://www.facebook.com if it was loaded from https://connect.facebook.net, else where it came from.
//
// ?simulate= behind its address asks for what happens in the field, separated by commas:
//
//   object      the session message is an object and not a string
//   code-first  the callback is called before the message
//   gap-MS      so many milliseconds lie between the two (50)
//   redirect    no window: the browser goes to the popup and comes back to this page with ?code=, as on some phones
//   no-message  the popup finishes, and no message comes
//   no-code     the popup finishes, and the callback is never called
//   unknown     the popup finishes, and the callback says "unknown"
(() => {
"use strict";

const from = new URL(document.currentScript.src);
const home = from.hostname === "connect.facebook.net" ? "https://www.facebook.com" : from.origin;
const simulate = (from.searchParams.get("simulate") ?? "").split(",");
let settings = null;
let pending = null;

window.addEventListener("message", (event) => {
  if (pending === null || event.origin !== home || typeof event.data !== "string") return;
  const answer = new URLSearchParams(event.data); // the SDK's own message is no JSON
  if (answer.get("cb") !== pending.id) return;
  const response = JSON.parse(answer.get("response"));
  if (!simulate.includes("no-code")) {
    end(simulate.includes("unknown") ? { status: "unknown", authResponse: null } : response);
  } else pending = null;
});

function end(response) {
  const { callback, timer } = pending;
  clearInterval(timer);
  pending = null;
  callback(response);
}

window.FB = {
  init(options) {
    settings = options;
  },

  login(callback, options) {
    if (settings === null) throw new Error("FB.login() called before FB.init().");
    if (Object.prototype.toString.call(callback) === "[object AsyncFunction]") {
      throw new Error("Expression is of type asyncfunction, not function");
    }
    const id = "f" + Math.random().toString(36).slice(2);
    const query = new URLSearchParams({
      client_id: settings.appId, display: "popup", cb: id, origin: location.origin, simulate: simulate.join(","),
      config_id: options.config_id ?? "", response_type: options.response_type ?? "",
      override_default_response_type: options.override_default_response_type ?? "", extras: JSON.stringify(options.extras ?? {}),
    });
    if (simulate.includes("redirect")) {
      query.set("display", "touch");
      query.set("redirect_uri", location.href.split("#")[0]);
      location.assign(home + "/" + settings.version + "/dialog/oauth?" + query);
      return;
    }
    const popup = window.open(home + "/" + settings.version + "/dialog/oauth?" + query, "_blank", "popup,width=620,height=780");
    if (popup === null) return; // and nobody is told: as in the real SDK
    const timer = setInterval(() => {
      if (popup.closed) setTimeout(() => { if (pending?.id === id) end({ status: "unknown", authResponse: null }); }, 400);
    }, 300);
    if (pending !== null) clearInterval(pending.timer);
    pending = { id, callback, timer };
  },
};

if (typeof window.fbAsyncInit === "function") window.fbAsyncInit();
})();
