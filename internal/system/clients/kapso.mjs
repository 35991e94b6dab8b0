import { WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { ada, appSecret, approve, assert, control, hears, host, mailbox, op, phone, png, raw, received, token, verifyToken, waba, wamid, writes } from "./stage.mjs";

const client = new WhatsAppClient({ accessToken: token });
const to = "+" + ada, at = { phoneNumberId: phone, to };
const buttons = [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }];
const hello = await writes({ text: "Hello" });

await op("send", "text", async () => wamid(await client.messages.sendText({ ...at, body: "Hello" })));
await op("send", "text to a user id", async () => {
  const { user_id: recipient } = await control("GET", "/phones/15550100100/customers/" + ada);
  wamid(await client.messages.sendText({ phoneNumberId: phone, recipient, body: "Hello" }));
});
await op("send", "location", async () => wamid(await client.messages.sendLocation({ ...at, location: { latitude: -33.45, longitude: -70.66, name: "Here", address: "1 Made-up Street" } })));
await op("send", "contacts", async () => wamid(await client.messages.sendContacts({ ...at, contacts: [{ name: { formattedName: "Ada", firstName: "Ada" }, phones: [{ phone: "+15550100143", type: "WORK" }] }] })));
await op("send", "reaction", async () => wamid(await client.messages.sendReaction({ ...at, reaction: { messageId: hello, emoji: "👍" } })));
await op("send", "buttons", async () => {
  wamid(await client.messages.sendInteractiveButtons({ ...at, bodyText: "Rye?", buttons }));
  assert.equal((await received()).buttons.length, 2);
});
await op("send", "list", async () => wamid(await client.messages.sendInteractiveList({ ...at, bodyText: "Which?", buttonText: "See", sections: [{ title: "Bread", rows: [{ id: "1", title: "Rye" }] }] })));
await op("send", "link button", async () => wamid(await client.messages.sendInteractiveCtaUrl({ ...at, bodyText: "See", parameters: { displayText: "Open", url: "https://example.com" } })));
await op("send", "carousel", async () => wamid(await client.messages.sendInteractiveCarousel({ ...at, bodyText: "Choose", cards: [0, 1].map((i) => ({ cardIndex: i, header: { type: "image", image: { link: "https://example.com/" + i + ".jpg" } }, bodyText: "Card", action: { type: "cta_url", displayText: "View", url: "https://example.com/" + i } })) })));
await op("send", "location request", async () => wamid(await client.messages.sendInteractiveLocationRequest({ ...at, bodyText: "Where?", parameters: { requestMessage: "Where?" } })));
await op("send", "read and typing", async () => assert.ok((await client.messages.markRead({ phoneNumberId: phone, messageId: hello, typingIndicator: { type: "text" } })).success));

const media = await op("media", "upload", async () => (await client.media.upload({ phoneNumberId: phone, type: "image/png", file: new Blob([png], { type: "image/png" }), fileName: "a.png" })).id);
await op("media", "send by id", async () => wamid(await client.messages.sendImage({ ...at, image: { id: media, caption: "Bread" } })));
await op("media", "send by link", async () => wamid(await client.messages.sendDocument({ ...at, document: { link: "https://example.com/a.pdf", filename: "a.pdf" } })));
await op("media", "read", async () => assert.equal((await client.media.get({ mediaId: media, phoneNumberId: phone })).mimeType, "image/png"));
await op("media", "download", async () => assert.deepEqual(Buffer.from(await client.media.download({ mediaId: media, phoneNumberId: phone })), png));
await op("media", "download, with auth", async () => assert.deepEqual(Buffer.from(await client.media.download({ mediaId: media, phoneNumberId: phone, auth: "always" })), png));
await op("media", "delete", async () => assert.ok((await client.media.delete({ mediaId: media, phoneNumberId: phone })).success));

await op("templates", "create", async () => assert.ok((await client.templates.create({ businessAccountId: waba, name: "kapso_greeting", language: "en_US", category: "UTILITY", components: [{ type: "BODY", text: "Hello {{1}}, welcome.", example: { bodyText: [["Ada"]] } }] })).id));
await op("templates", "list", async () => assert.ok((await client.templates.list({ businessAccountId: waba, limit: 10 })).data.length >= 2));
await op("templates", "send", async () => {
  await approve("kapso_greeting");
  wamid(await client.messages.sendTemplate({ ...at, template: { name: "kapso_greeting", language: { code: "en_US" }, components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }] } }));
});
await op("templates", "delete", async () => assert.ok((await client.templates.delete({ businessAccountId: waba, name: "kapso_greeting" })).success));

await op("profile", "update", async () => assert.ok((await client.phoneNumbers.businessProfile.update({ phoneNumberId: phone, about: "Bread", websites: ["https://example.com"] })).success));
await op("profile", "read", async () => assert.equal((await client.phoneNumbers.businessProfile.get({ phoneNumberId: phone })).data[0].about, "Bread"));
await op("account", "settings", async () => assert.ok((await client.phoneNumbers.settings.update({ phoneNumberId: phone, calling: { status: "ENABLED" } })).success));
await op("account", "flow", async () => assert.ok((await client.flows.create({ wabaId: waba, name: "kapso", categories: ["OTHER"] })).id));

const heard = mailbox();
const url = await host(async (req, res) => {
  const query = new URL(req.url, "http://host").searchParams;
  if (req.method === "GET") return res.end(query.get("hub.verify_token") === verifyToken ? query.get("hub.challenge") : "");
  const rawBody = await raw(req);
  if (!verifySignature({ appSecret, rawBody, signatureHeader: req.headers["x-hub-signature-256"] })) return res.writeHead(401).end();
  for (const m of normalizeWebhook(JSON.parse(rawBody)).messages) heard.put(m.text?.body ?? m.interactive?.buttonReply?.id);
  res.end();
});
await op("webhooks", "a text and a tap", () => hears(url, heard.next, async () => wamid(await client.messages.sendInteractiveButtons({ ...at, bodyText: "Rye?", buttons }))));
process.exit(0);
