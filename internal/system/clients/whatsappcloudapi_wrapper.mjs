import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ada, assert, hears, host, mailbox, op, phone, png, raw, token, verifyToken, waba, wamid, writes } from "./stage.mjs";

const WhatsappCloudAPI = createRequire(import.meta.url)("whatsappcloudapi_wrapper");
const api = new WhatsappCloudAPI({ accessToken: token, senderPhoneNumberId: phone, WABA_ID: waba, graphAPIVersion: "v25.0" });
const at = { recipientPhone: ada };
const send = async (promise) => {
  const answer = await promise;
  return wamid((answer.response ?? answer).data);
};
const hello = await writes({ text: "Hello" });

await op("send", "text", () => send(api.sendText({ ...at, message: "Hello" })));
await op("send", "buttons", () => send(api.sendSimpleButtons({ ...at, message: "Rye?", listOfButtons: [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }] })));
await op("send", "list", () => send(api.sendRadioButtons({ ...at, headerText: "Bread", bodyText: "Which?", footerText: "Warm", listOfSections: [{ title: "Bread", rows: [{ id: "1", title: "Rye", description: "dark" }] }] })));
await op("send", "location", () => send(api.sendLocation({ ...at, latitude: -33.45, longitude: -70.66, name: "Here", address: "1 Made-up Street" })));
await op("send", "contacts", () => send(api.sendContact({ ...at, contact_profile: { name: { first_name: "Ada", last_name: "Example" }, phones: [{ phone: "+15550100143", type: "HOME" }] } })));
await op("send", "read", async () => assert.equal((await api.markMessageAsRead({ message_id: hello })).status, "success"));
const file = join(tmpdir(), "simulator-" + process.pid + ".png");
writeFileSync(file, png);
await op("media", "upload and send", () => send(api.sendImage({ ...at, caption: "Bread", file_path: file, file_name: "a.png", mime_type: "image/png" })));
await op("media", "send by link", () => send(api.sendImage({ ...at, caption: "Bread", url: "https://example.com/a.jpg" })));
await op("templates", "send", () => send(api.sendTemplate({ ...at, templateName: "hello_world", languageCode: "en_US", components: [] })));
await op("QR", "create", async () => assert.ok((await api.createQRCodeMessage({ message: "Hello", imageType: "png" })).data.code));

const heard = mailbox();
const url = await host(async (req, res) => {
  const query = new URL(req.url, "http://host").searchParams;
  if (req.method === "GET") return res.end(query.get("hub.verify_token") === verifyToken ? query.get("hub.challenge") : "");
  try {
    const data = api.parseMessage(JSON.parse(await raw(req)));
    if (data.isMessage) heard.put(data.message.text?.body ?? data.message.button_reply?.id);
  } finally {
    res.end();
  }
});
await op("webhooks", "a text and a tap", () => hears(url, heard.next, () => send(api.sendSimpleButtons({ ...at, message: "Rye?", listOfButtons: [{ id: "yes", title: "Yes" }] }))));
process.exit(0);
