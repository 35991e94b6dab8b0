import { WhatsAppAPI } from "whatsapp-api-js";
import * as m from "whatsapp-api-js/messages";
import { ada, appSecret, assert, hears, host, mailbox, op, phone, png, raw, token, verifyToken, wamid, writes } from "./stage.mjs";

const api = new WhatsAppAPI({ token, appSecret, webhookVerifyToken: verifyToken, v: "v25.0" });
const send = async (message, context) => wamid(await api.sendMessage(phone, ada, message, context));
const hello = await writes({ text: "Hello" });
const question = () => new m.Interactive(new m.ActionButtons(new m.Button("yes", "Yes"), new m.Button("no", "No")), new m.Body("Rye?"));

await op("send", "text", () => send(new m.Text("Hello")));
await op("send", "reply", () => send(new m.Text("Hello"), hello));
await op("send", "location", () => send(new m.Location(-70.66, -33.45, "Here", "1 Made-up Street")));
await op("send", "contacts", () => send(new m.Contacts([new m.Name("Ada", "Ada"), new m.Phone("+15550100143", "WORK")])));
await op("send", "reaction", () => send(new m.Reaction(hello, "👍")));
await op("send", "buttons", () => send(question()));
await op("send", "list", () => send(new m.Interactive(new m.ActionList("See", new m.ListSection("Bread", new m.Row("1", "Rye", "dark"))), new m.Body("Which?"))));
await op("send", "link button", () => send(new m.Interactive(new m.ActionCTA("Open", "https://example.com"), new m.Body("See"))));
await op("send", "location request", () => send(new m.Interactive(new m.ActionLocation(), new m.Body("Where?"))));
await op("send", "read and typing", async () => assert.ok((await api.markAsRead(phone, hello, "text")).success));

const form = new FormData();
form.set("file", new Blob([png], { type: "image/png" }), "a.png");
const media = await op("media", "upload", async () => (await api.uploadMedia(phone, form)).id);
await op("media", "send by id", () => send(new m.Image(media, true, "Bread")));
await op("media", "send by link", () => send(new m.Document("https://example.com/a.pdf", false, "Bill", "a.pdf")));
const read = await op("media", "read", () => api.retrieveMedia(media, phone));
await op("media", "download", async () => assert.deepEqual(Buffer.from(await (await api.fetchMedia(read.url)).arrayBuffer()), png));
await op("media", "delete", async () => assert.ok((await api.deleteMedia(media, phone)).success));

await op("templates", "send", async () => send(new m.Template("hello_world", new m.Language("en_US"))));

await op("block", "block", async () => assert.equal((await api.blockUser(phone, "+" + ada)).block_users.added_users.length, 1));
await op("block", "unblock", async () => assert.equal((await api.unblockUser(phone, "+" + ada)).block_users.removed_users.length, 1));

const qr = await op("QR", "create", async () => (await api.createQR(phone, "Hello", "png")).code);
await op("QR", "read", async () => assert.equal((await api.retrieveQR(phone, qr)).data[0].prefilled_message, "Hello"));
await op("QR", "update", async () => assert.equal((await api.updateQR(phone, qr, "Hi")).prefilled_message, "Hi"));
await op("QR", "delete", async () => assert.ok((await api.deleteQR(phone, qr)).success));

const heard = mailbox();
api.on.message = ({ message }) => heard.put(message.text?.body ?? message.interactive?.button_reply?.id);
const url = await host(async (req, res) => {
  try {
    const query = Object.fromEntries(new URL(req.url, "http://host").searchParams);
    if (req.method === "GET") return res.end(api.get(query));
    const body = await raw(req);
    await api.post(JSON.parse(body), body, req.headers["x-hub-signature-256"]);
    res.end();
  } catch (e) {
    res.writeHead(typeof e?.httpStatus === "number" ? e.httpStatus : 500).end();
  }
});
await op("webhooks", "a text and a tap", () => hears(url, heard.next, () => send(question())));
process.exit(0);
