// Meta's business SDK in Node: a token in the query, parameters in the body, edges of an account.
import { createRequire } from "node:module";
import { ada, approve, assert, greeting, op, phone, token, waba, wamid, writes } from "./stage.mjs";

const { FacebookAdsApi, WhatsAppBusinessAccount } = createRequire(import.meta.url)("facebook-nodejs-business-sdk");
const api = FacebookAdsApi.init(token);
const account = new WhatsAppBusinessAccount(waba);
const post = (edge, params) => api.call("POST", [phone, edge], params);
const hello = await writes({ text: "Hello" });

await op("send", "text", async () => wamid(await post("messages", { messaging_product: "whatsapp", to: "+" + ada, type: "text", text: { body: "Hello" } })));
await op("send", "read", async () => assert.ok((await post("messages", { messaging_product: "whatsapp", status: "read", message_id: hello })).success));
await op("templates", "create", async () => assert.ok((await account.createMessageTemplate([], greeting("business_sdk_greeting"))).id));
await op("templates", "list", async () => assert.ok((await account.getMessageTemplates(["name", "status"])).some((t) => t.name === "business_sdk_greeting")));
await op("templates", "list, the next page", async () => {
  const page = await account.getMessageTemplates(["name"], { limit: 1 });
  const first = page[0].name;
  assert.ok(page.hasNext());
  assert.notEqual((await page.next())[0].name, first);
});
await op("templates", "send", async () => {
  await approve("business_sdk_greeting");
  wamid(await post("messages", { messaging_product: "whatsapp", to: "+" + ada, type: "template", template: { name: "business_sdk_greeting", language: { code: "en_US" }, components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }] } }));
});
await op("templates", "delete", async () => assert.ok((await account.deleteMessageTemplates({ name: "business_sdk_greeting" })).success));
await op("profile", "update", async () => assert.ok((await post("whatsapp_business_profile", { messaging_product: "whatsapp", about: "Bread" })).success));
await op("profile", "read", async () => assert.equal((await api.call("GET", [phone, "whatsapp_business_profile"], { fields: "about" })).data[0].about, "Bread"));
await op("block", "block", async () => assert.ok((await post("block_users", { messaging_product: "whatsapp", block_users: [{ user: "+" + ada }] })).block_users));
const qr = await op("QR", "create", async () => (await post("message_qrdls", { prefilled_message: "Hello", generate_qr_image: "PNG" })).code);
await op("QR", "read", async () => assert.equal((await api.call("GET", [phone, "message_qrdls", qr])).data[0].prefilled_message, "Hello"));
await op("account", "account", async () => assert.equal((await account.get(["id", "name"])).id, waba));
await op("account", "numbers", async () => assert.equal((await account.getPhoneNumbers(["id", "display_phone_number"]))[0].id, phone));
await op("account", "subscribe", async () => assert.ok((await account.createSubscribedApp([], {})).success));
await op("account", "subscriptions", async () => assert.equal((await account.getSubscribedApps([])).length, 1));
process.exit(0);
