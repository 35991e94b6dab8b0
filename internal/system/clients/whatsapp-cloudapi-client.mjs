import * as api from "@whatsapp-cloudapi/client";
import { ada, op, phone, png, received, token, wamid, writes, assert } from "./stage.mjs";

const at = { accessToken: token, from: phone, to: "+" + ada };
const hello = await writes({ text: "Hello" });

await op("send", "text", async () => wamid(await api.sendTextMessage({ ...at, text: "Hello" })));
await op("send", "buttons", async () => {
  wamid(await api.sendButtonsMessage({ ...at, bodyText: "Rye?", buttons: [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }] }));
  assert.equal((await received()).buttons.length, 2);
});
await op("send", "list", async () => wamid(await api.sendListMessage({ ...at, bodyText: "Which?", buttonText: "See", sections: [{ title: "Bread", rows: [{ id: "1", title: "Rye" }] }] })));
await op("send", "link button", async () => wamid(await api.sendCTAURLMessage({ ...at, bodyText: "See", buttonText: "Open", url: "https://example.com" })));
await op("send", "read and typing", async () => assert.ok((await api.markMessageRead({ ...at, messageId: hello, showTypingIndicator: true })).success));
const media = await op("media", "upload", async () => (await api.uploadMedia({ ...at, file: new File([png], "a.png", { type: "image/png" }) })).id);
await op("media", "send by id", async () => wamid(await api.sendImageMessage({ ...at, mediaId: media, caption: "Bread" })));
await op("templates", "send", async () => wamid(await api.sendTemplateMessage({ ...at, templateName: "hello_world", languageCode: "en_US" })));
process.exit(0);
