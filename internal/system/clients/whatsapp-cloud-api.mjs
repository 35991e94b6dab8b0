import { createRequire } from "node:module";
import { ada, assert, hears, host, mailbox, op, phone, token, verifyToken, writes } from "./stage.mjs";

const require = createRequire(import.meta.url);
const { createBot } = require("whatsapp-cloud-api");
const bot = createBot(phone, token, { version: "v25.0" });
const to = "+" + ada;
const send = async (promise) => {
  const { messageId } = await promise;
  assert.match(messageId, /^wamid\./);
  return messageId;
};
await writes({ text: "Hello" });

await op("send", "text", () => send(bot.sendText(to, "Hello")));
await op("send", "location", () => send(bot.sendLocation(to, -33.45, -70.66, { name: "Here" })));
await op("send", "contacts", () => send(bot.sendContacts(to, [{ name: { formatted_name: "Ada", first_name: "Ada" }, phones: [{ phone: "+15550100143" }] }])));
await op("send", "buttons", () => send(bot.sendReplyButtons(to, "Rye?", { yes: "Yes", no: "No" })));
await op("send", "list", () => send(bot.sendList(to, "See", "Which?", { Bread: [{ id: "1", title: "Rye" }] })));
await op("media", "send by link", () => send(bot.sendImage(to, "https://example.com/a.jpg", { caption: "Bread" })));
await op("templates", "send", () => send(bot.sendTemplate(to, "hello_world", "en_US")));

const heard = mailbox(), app = require("express")();
bot.on("message", (m) => heard.put(m.data.text ?? m.data.id));
await bot.startExpressServer({ app, webhookPath: "/webhook", webhookVerifyToken: verifyToken });
const url = await host(app);
await op("webhooks", "a text and a tap", () => hears(url, heard.next, () => send(bot.sendReplyButtons(to, "Rye?", { yes: "Yes" }))));
process.exit(0);
