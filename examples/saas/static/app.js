// What a page does beyond HTML: it keeps the parts marked data-live up to date, goes on with lists where they end, opens conversations beside
// the list, sends replies without leaving, and opens the phone. Without it, all of these are links and forms.
"use strict";

const live = () => document.querySelectorAll("[data-live]");
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const say = (e) => { if (e.dataset.say) document.getElementById("spoken").textContent = e.dataset.say; };
const items = (box) => box.querySelector(".items");

// put gives a list its items, each once: what comes first of an id stays.
function put(list, all) {
  const seen = new Set();
  list.replaceChildren(...all.filter((e) => !e.id || !seen.has(e.id) && seen.add(e.id)));
}

// still changes a box that scrolls, and keeps what is looked at where it is. At the top of a list, what is new comes into sight.
function still(box, change, anchored = box.scrollTop > 0) {
  const top = box.getBoundingClientRect().top;
  const mark = [...items(box)?.children ?? []].find((e) => e.id && !e.matches(".day") && e.getBoundingClientRect().bottom > top);
  const at = mark?.getBoundingClientRect().top, down = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  change();
  const now = mark?.id ? document.getElementById(mark.id) : null;
  if (down && box.dataset.keep === "before") box.scrollTop = box.scrollHeight; // the end of a conversation stays in sight
  else if (now && anchored) box.scrollTop += now.getBoundingClientRect().top - at;
}

// merge takes a fresh page of a list into one that has gone on before or behind it. It is false if the two no longer meet.
function merge(box, fresh) {
  const had = [...items(box).children], next = [...items(fresh).children], keep = box.dataset.keep, at = (e) => had.findIndex((o) => o.id && o.id === e?.id);
  const first = at(next.find((e) => !e.matches(".day"))), last = at(next.at(-1));
  if (keep.includes("before") && first < 0 || keep.includes("after") && last < 0) return false;
  still(box, () => {
    put(items(box), [...keep.includes("before") ? had.slice(0, first) : [], ...next, ...keep.includes("after") ? had.slice(last + 1) : []]);
    const notes = (e) => [...e.querySelectorAll(":scope > :not(.items, .more)")]; // what stands above the list
    for (const e of notes(box)) e.remove();
    items(box).before(...notes(fresh));
  });
  return true;
}

// update takes what is new of a part. Reading and typing in it go on where they are.
function update(html) {
  const next = parse(html);
  for (const old of live()) {
    const fresh = next.getElementById(old.id);
    if (!fresh || fresh.outerHTML === (old.dataset.seen ?? old.outerHTML)) continue;
    const seen = fresh.outerHTML;
    if (old.dataset.key !== undefined) {
      if (fresh.dataset.key !== old.dataset.key) location.reload(); // what can be done here is another thing now
      continue;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    if (fresh.dataset.say !== old.dataset.say) say(fresh);
    if (old.dataset.keep !== undefined && merge(old, fresh)) {
      old.dataset.seen = seen;
      old.dataset.say = fresh.dataset.say ?? "";
    } else {
      const top = old.scrollTop;
      old.replaceWith(fresh);
      fresh.scrollTop = top;
      if (fresh.id === "thread") fresh.scrollTop = fresh.scrollHeight;
      fresh.dataset.seen = seen;
      watch(fresh);
    }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

// A list goes on where it ends: the link to its next part is followed when it comes into sight.
const sight = new IntersectionObserver((seen) => { for (const e of seen) if (e.isIntersecting) more(e.target); }, { scrollMargin: "400px" });
const watch = (box) => { for (const link of box.querySelectorAll("a.more")) sight.observe(link); };
async function more(link) {
  sight.unobserve(link);
  const box = link.parentElement, answer = await fetch(link.href).catch(() => null);
  if (!answer?.ok || !link.isConnected) return; // it is still a link
  const fresh = parse(await answer.text()).getElementById(box.id), had = [...items(box).children], next = [...items(fresh).children];
  const on = fresh.querySelector(`a.more[rel=${link.rel}]`);
  still(box, () => {
    put(items(box), link.rel === "prev" ? [...next, ...had] : [...had, ...next]);
    link.replaceWith(...on ? [on] : []);
  }, true);
  if (link.rel === "next" && box.dataset.keep) box.dataset.keep = fresh.dataset.keep;
  const found = document.getElementById("found");
  if (found && box.id === "people") found.textContent = `${items(box).children.length} people${on ? "; there are more" : ""}`;
  if (on) sight.observe(on);
  else if (box.id === "thread" && link.rel === "next") { // from here on, it is the end that is kept up to date
    history.replaceState(null, "", location.pathname + location.search.replace(/(?<=[?&])(before|after|around)=[^&]*&?/g, ""));
    listen();
  }
}

// arrive shows the end of a conversation, or the message that was asked for.
function arrive() {
  const thread = document.getElementById("thread"), hit = thread?.querySelector(".hit");
  if (hit) hit.scrollIntoView({ block: "center" });
  else if (thread) thread.scrollTop = thread.scrollHeight;
  for (const box of document.querySelectorAll(".list, .thread, .people")) watch(box);
}

// A conversation is opened beside the list, which stays as it is.
async function visit(href, push) {
  const answer = await fetch(href).catch(() => null);
  const page = answer?.ok ? parse(await answer.text()) : null, inbox = document.querySelector(".inbox"), next = page?.querySelector(".inbox");
  if (!next) return location.assign(href);
  inbox.className = next.className;
  inbox.querySelector(".chat").replaceWith(next.querySelector(".chat"));
  const to = new URL(href, location);
  for (const a of inbox.querySelectorAll(".list li a")) {
    if (a.id ? a.pathname === to.pathname : a.href === to.href) { a.setAttribute("aria-current", "page"); a.querySelector(".unread")?.remove(); } else a.removeAttribute("aria-current");
  }
  if (push) history.pushState(null, "", href);
  arrive();
  listen();
  document.getElementById("who")?.focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest(".list li a, .back");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  visit(link.href, true);
});
addEventListener("popstate", () => { if (document.querySelector(".inbox")) visit(location.href, false); });

// A page with live parts in its main part is streamed, as long as it can be seen: browsers have six connections to a server at most.
let events = null, retry = 0;
function listen() {
  clearTimeout(retry);
  events?.close();
  events = null;
  if (document.hidden || !document.querySelector("main [data-live]")) return;
  events = new EventSource(location.pathname + location.search);
  events.onmessage = (e) => update(JSON.parse(e.data));
  events.addEventListener("end", () => location.reload()); // signed out
  events.onerror = (e) => { if (e.target.readyState === EventSource.CLOSED) retry = setTimeout(listen, 30000) }; // too many are open
}
addEventListener("visibilitychange", listen);
addEventListener("pageshow", (event) => { if (event.persisted) listen(); }); // back to it, from another page
addEventListener("pagehide", () => { clearTimeout(retry); events?.close(); });
arrive();
listen();

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
    if (thread.dataset.keep !== "before") return visit(location.pathname, true); // to where it stands
    thread.scrollTop = thread.scrollHeight;
  } catch {
    refused.textContent = "No connection. Your text is still here; sending it again will not send it twice.";
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
