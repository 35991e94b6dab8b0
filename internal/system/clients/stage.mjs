// What the scripts of all clients use: the world, what people do in it, and a line of JSON for each operation.
import assert from "node:assert/strict";
import { createServer } from "node:http";

export { assert };

export const world = JSON.parse(process.env.SIMULATOR);
export const { access_token: token, phone_number_id: phone, waba_id: waba, app_secret: appSecret, verify_token: verifyToken } = world;

// Ada is the customer who is there at the start.
export const ada = "15550100142";

// png is a picture of one point.
export const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

// A client may throw where nothing can catch it: then the operation under way has failed.
let crash = () => {};
process.on("uncaughtException", (e) => crash(e));

// op does one operation and prints what came of it. What it returns is for the next one, undefined if it failed.
export async function op(area, name, work) {
  try {
    const value = await Promise.race([work(), new Promise((_, reject) => (crash = reject))]);
    print({ area, name, ok: true });
    return value;
  } catch (e) {
    print({ area, name, ok: false, error: String((e && (e.message || e.error?.message || JSON.stringify(e))) ?? e).slice(0, 600) });
    return undefined;
  }
}

// Clients print to the standard output as they like: a line of ours begins with a mark.
const print = (line) => process.stdout.write("\n#" + JSON.stringify(line) + "\n");

// control makes a call of the simulator's control API.
export async function control(method, path, body) {
  const resp = await fetch(world.control + path, { method, body: body && JSON.stringify(body), headers: body && { "Content-Type": "application/json" } });
  const answer = await resp.json();
  if (!resp.ok) throw new Error(answer.error.message);
  return answer;
}

// writes lets Ada write or tap, and returns the id.
export const writes = async (message) => (await control("POST", `/phones/15550100100/customers/${ada}/messages`, { from: "customer", ...message })).id;

// received is the latest message that Ada's phone shows.
export const received = async () => (await control("GET", `/phones/15550100100/customers/${ada}/messages?limit=1`)).data[0];

// approve is Meta's verdict about a template that was made.
export async function approve(name) {
  const found = (await control("GET", "/templates")).data.find((t) => t.name === name);
  assert.ok(found, "the template is there");
  await control("PATCH", "/templates/" + found.id, { status: "APPROVED" });
}

// host listens for webhooks with a handler of node:http, and returns its URL.
export async function host(handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return "http://127.0.0.1:" + server.address().port + "/webhook";
}

// raw reads the body of a request.
export async function raw(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

// hears makes url the callback, lets Ada write and tap, and waits until next() has returned both.
export async function hears(url, next, tap) {
  await control("PUT", "/callback", { url });
  await writes({ text: "Are you open?" });
  assert.equal(await next(), "Are you open?");
  if (!tap) return;
  const sent = await tap();
  await writes({ type: "tap", message_id: sent, choice: "yes" });
  assert.equal(await next(), "yes");
}

// mailbox hands what a client's handler has read to whoever waits for it.
export function mailbox() {
  const letters = [], waiting = [];
  return {
    put: (letter) => (waiting.length ? waiting.shift()(letter) : letters.push(letter)),
    next: () =>
      letters.length
        ? Promise.resolve(letters.shift())
        : new Promise((resolve, reject) => {
            waiting.push(resolve);
            setTimeout(() => reject(new Error("the client told of no message")), 20000).unref();
          }),
  };
}

// wamid checks the answer to a send.
export const wamid = (answer) => {
  assert.match(String(answer?.messages?.[0]?.id), /^wamid\./);
  return answer.messages[0].id;
};

// greeting is a template that is made and deleted.
export const greeting = (name) => ({
  name, language: "en_US", category: "UTILITY",
  components: [
    { type: "BODY", text: "Hello {{1}}, welcome.", example: { body_text: [["Ada"]] } },
    { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Yes" }] },
  ],
});
