// What a page does beyond HTML: it keeps the parts marked data-live up to date, sends replies without leaving, and opens the phone.
"use strict";

const live = () => document.querySelectorAll("[data-live]");
const bottom = (e) => { if (e.dataset.bottom !== undefined) e.scrollTop = e.scrollHeight; };
const say = (e) => { if (e.dataset.say) document.getElementById("spoken").textContent = e.dataset.say; };

// update takes what is new of a part. Whoever reads or types in it stays where he is.
function update(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const old of live()) {
    const fresh = next.getElementById(old.id);
    if (!fresh || fresh.outerHTML === old.dataset.seen) continue;
    const seen = fresh.outerHTML;
    if (old.dataset.key !== undefined) {
      if (fresh.dataset.key !== old.dataset.key) location.reload(); // what can be done here is another thing now
      continue;
    }
    const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 80, top = old.scrollTop;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(fresh);
    fresh.scrollTop = top;
    if (atEnd) bottom(fresh);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (fresh.dataset.say !== old.dataset.say) say(fresh);
    fresh.dataset.seen = seen;
  }
}

for (const e of live()) bottom(e);
if (live().length > 0) {
  const events = new EventSource(location.pathname);
  events.onmessage = (e) => update(JSON.parse(e.data));
  addEventListener("pagehide", () => events.close());
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.dataset.send === undefined) return;
  event.preventDefault();
  const refused = document.getElementById("refused");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    refused.textContent = answer.ok ? "" : await answer.text();
    if (!answer.ok) return;
    form.reset();
    form.elements.nonce.value = crypto.randomUUID(); // the next one is another message
    const thread = document.getElementById("thread");
    thread.scrollTop = thread.scrollHeight;
  } catch {
    refused.textContent = "We cannot be reached. Your text is kept; sending it again says nothing twice.";
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches(".compose textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (name) for (const box of document.getElementsByName(name)) box.checked = event.target.checked;
});

// The simulated phone stands beside the page where there is room, and is a drawer where there is none.
const phone = document.getElementById("phone");
const roomy = matchMedia("(min-width: 1200px)");
const place = () => { if (phone) phone.open = roomy.matches; };
roomy.addEventListener("change", place);
place();
