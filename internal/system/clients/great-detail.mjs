import Client from "@great-detail/whatsapp";
import { ada, appSecret, approve, assert, greeting, hears, host, mailbox, op, phone, png, raw, token, verifyToken, waba, wamid, writes } from "./stage.mjs";

const sdk = new Client({ request: { headers: { Authorization: "Bearer " + token } } });
const send = async (message) => wamid(await (await sdk.message.createMessage({ phoneNumberID: phone, to: "+" + ada, ...message })).json());
const hello = await writes({ text: "Hello" });
const question = { type: "interactive", interactive: { type: "button", body: { text: "Rye?" }, action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] } } };

await op("send", "text", () => send({ type: "text", text: { body: "Hello" } }));
await op("send", "location", () => send({ type: "location", location: { latitude: -33.45, longitude: -70.66, name: "Here", address: "1 Made-up Street" } }));
await op("send", "contacts", () => send({ type: "contacts", contacts: [{ name: { formatted_name: "Ada", first_name: "Ada" }, phones: [{ phone: "+15550100143" }] }] }));
await op("send", "reaction", () => send({ type: "reaction", reaction: { message_id: hello, emoji: "👍" } }));
await op("send", "buttons", () => send(question));
await op("send", "list", () => send({ type: "interactive", interactive: { type: "list", body: { text: "Which?" }, action: { button: "See", sections: [{ title: "Bread", rows: [{ id: "1", title: "Rye" }] }] } } }));
await op("send", "read and typing", async () => assert.ok((await (await sdk.message.createStatus({ phoneNumberID: phone, message_id: hello, status: "read", typing_indicator: { type: "text" } })).json()).success));

const media = await op("media", "upload", async () => (await (await sdk.media.upload({ phoneNumberID: phone, mimeType: "image/png", file: new Blob([png], { type: "image/png" }), filename: "a.png" })).json()).id);
await op("media", "send by id", () => send({ type: "image", image: { id: media, caption: "Bread" } }));
await op("media", "send by link", () => send({ type: "document", document: { link: "https://example.com/a.pdf", filename: "a.pdf" } }));
const read = await op("media", "read", async () => (await sdk.media.getURL({ mediaID: media, phoneNumberID: phone })).json());
await op("media", "download", async () => assert.deepEqual(Buffer.from(await (await sdk.media.download({ mediaURL: read.url })).arrayBuffer()), png));
await op("media", "download, with headers", async () => assert.deepEqual(Buffer.from(await (await sdk.media.download({ mediaURL: read.url, request: { headers: { Authorization: "Bearer " + token } } })).arrayBuffer()), png));
await op("media", "delete", async () => assert.ok((await (await sdk.media.delete({ mediaID: media, phoneNumberID: phone })).json()).success));

const template = await op("templates", "create", async () => (await (await sdk.template.create(waba, greeting("great_detail_greeting"))).json()).id);
await op("templates", "read", async () => assert.equal((await (await sdk.template.get(template, { fields: ["name", "status"] })).json()).name, "great_detail_greeting"));
await op("templates", "list", async () => assert.ok((await (await sdk.template.list(waba, { fields: ["name"] })).json()).data.length >= 2));
await op("templates", "send", async () => {
  await approve("great_detail_greeting");
  await send({ type: "template", template: { name: "great_detail_greeting", language: { code: "en_US" }, components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }] } });
});
await op("templates", "delete", async () => assert.ok((await (await sdk.template.delete(waba, { name: "great_detail_greeting" })).json()).success));

await op("profile", "update", async () => assert.ok((await (await sdk.businessProfile.updateBusinessProfile({ phoneNumberID: phone, about: "Bread", websites: ["https://example.com"] })).json()).success));
await op("profile", "read", async () => assert.equal((await (await sdk.businessProfile.getBusinessProfile({ phoneNumberID: phone, fields: { about: true } })).json()).data[0].about, "Bread"));
await op("account", "number", async () => assert.equal((await (await sdk.phoneNumbers.getPhoneNumber({ phoneNumberID: phone, fields: ["id", "display_phone_number"] })).json()).id, phone));
await op("account", "numbers", async () => assert.equal((await (await sdk.phoneNumbers.listPhoneNumbers({ businessAccountID: waba })).json()).data[0].id, phone));
await op("account", "account", async () => assert.equal((await (await sdk.whatsappBusinessAccount.get(waba)).json()).id, waba));
await op("account", "subscribe", async () => assert.ok((await (await sdk.subscribedApps.createSubscription({ businessAccountID: waba })).json()).success));
await op("account", "subscriptions", async () => assert.equal((await (await sdk.subscribedApps.listSubscriptions({ businessAccountID: waba })).json()).data.length, 1));
await op("account", "commands", async () => assert.ok((await (await sdk.conversationalAutomation.setConversationalAutomation({ phoneNumberID: phone, prompts: ["Menu"], commands: [{ command_name: "menu", command_description: "Shows it" }] })).json()).success));

const heard = mailbox();
const url = await host(async (req, res) => {
  const query = Object.fromEntries(new URL(req.url, "http://host").searchParams);
  if (req.method === "GET") {
    const reg = await sdk.webhook.register({ method: "GET", query, headers: req.headers });
    return res.end(reg.verifyToken === verifyToken ? reg.accept() : reg.reject());
  }
  try {
    const event = await sdk.webhook.eventNotification({ method: "POST", query, headers: req.headers, body: await raw(req) });
    await event.verifySignature(appSecret);
    for (const entry of event.eventNotification.entry)
      for (const change of entry.changes) for (const message of change.value.messages ?? []) heard.put(message.text?.body ?? message.interactive?.button_reply?.id);
    res.end(event.accept());
  } catch (e) {
    console.error(e);
    res.writeHead(401).end();
  }
});
await op("webhooks", "a text and a tap", () => hears(url, heard.next, () => send(question)));
process.exit(0);
