// Meta's own client, which is given up since 2023. It wants TLS, and settings from the environment.
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { ada, appSecret, assert, hears, mailbox, op, phone, token, verifyToken, waba, wamid, writes, world } from "./stage.mjs";

// It cannot be asked for its port, so that it is chosen here.
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
Object.assign(process.env, {
  M4D_APP_ID: world.app_id, M4D_APP_SECRET: appSecret, WA_PHONE_NUMBER_ID: phone, WA_BUSINESS_ACCOUNT_ID: waba, CLOUD_API_ACCESS_TOKEN: token,
  CLOUD_API_VERSION: "v25.0", WEBHOOK_ENDPOINT: "webhook", WEBHOOK_VERIFICATION_TOKEN: verifyToken, LISTENER_PORT: String(port),
});
const WhatsApp = createRequire(import.meta.url)("whatsapp");
const client = new WhatsApp();
const to = Number(ada);
const send = async (promise) => wamid(await (await promise).responseBodyToJSON());
const hello = await writes({ text: "Hello" });
const question = { type: "button", body: { text: "Rye?" }, action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] } };

await op("send", "text", () => send(client.messages.text({ body: "Hello" }, to)));
await op("send", "reply", () => send(client.messages.text({ body: "Hello" }, to, hello)));
await op("send", "location", () => send(client.messages.location({ latitude: -33.45, longitude: -70.66, name: "Here", address: "1 Made-up Street" }, to)));
await op("send", "contacts", () => send(client.messages.contacts([{ name: { formatted_name: "Ada", first_name: "Ada" }, phones: [{ phone: "+15550100143", type: "WORK" }] }], to)));
await op("send", "buttons", () => send(client.messages.interactive(question, to)));
await op("send", "list", () => send(client.messages.interactive({ type: "list", body: { text: "Which?" }, action: { button: "See", sections: [{ title: "Bread", rows: [{ id: "1", title: "Rye" }] }] } }, to)));
await op("send", "read", async () => assert.ok((await (await client.messages.status({ status: "read", message_id: hello })).responseBodyToJSON()).success));
await op("media", "send by link", () => send(client.messages.image({ link: "https://example.com/a.jpg", caption: "Bread" }, to)));
await op("templates", "send", () => send(client.messages.template({ name: "hello_world", language: { policy: "deterministic", code: "en_US" } }, to)));
await op("account", "two-step verification", async () => assert.ok((await (await client.twoStepVerification.setPin(482913)).responseBodyToJSON()).success));

const heard = mailbox();
client.webhooks.start((status, headers, body, res, err) => {
  if (err || !body) return res?.end();
  for (const entry of body.entry) for (const change of entry.changes) for (const m of change.value.messages ?? []) heard.put(m.text?.body ?? m.interactive?.button_reply?.id);
  res?.writeHead(status);
  res?.end();
});
await op("webhooks", "a text and a tap", () => hears("http://127.0.0.1:" + port + "/webhook", heard.next, () => send(client.messages.interactive(question, to))));
process.exit(0);
