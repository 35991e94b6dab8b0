// A page with Meta's documented listener, unchanged, goes through signup in Playwright: the browser is led to the simulator.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { appSecret, assert, control, host, op, world } from "./stage.mjs";

const html = readFileSync("listener.html", "utf8").replace("APP_ID", world.app_id).replace("CONFIGURATION_ID", world.configuration_id);
const url = (await host((_, res) => res.setHeader("Content-Type", "text/html").end(html))).replace("127.0.0.1", "localhost");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [`--host-resolver-rules=MAP connect.facebook.net ${world.tls},MAP www.facebook.com ${world.tls}`, "--no-sandbox", "--disable-quic"],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true });
context.setDefaultTimeout(60000);

// open opens the page and its popup.
async function open() {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector("[data-ready=yes]");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#login")]);
  return { page, popup };
}

// shown waits for what the page was told.
async function shown(page, id) {
  await page.waitForFunction((id) => document.getElementById(id).textContent !== "", id);
  return JSON.parse(await page.textContent("#" + id));
}

const phone = "/phones/15550100199";
await op("signup", "cancel", async () => {
  const { page, popup } = await open();
  await popup.click("#existing");
  await popup.click("#close");
  const session = await shown(page, "session");
  assert.equal(session.event, "CANCEL");
  assert.equal(session.data.current_step, "PHONE_NUMBER_SETUP");
  assert.equal((await shown(page, "response")).authResponse, null);
  await page.close();
});
await op("signup", "coexistence", async () => {
  const { page, popup } = await open();
  assert.match(popup.url(), /^https:\/\/www\.facebook\.com\/v25\.0\/dialog\/oauth/);
  await popup.click("#existing");
  await popup.fill("#number", "+1 555-010-0199");
  await popup.click("#next");
  await popup.waitForSelector("#qr");
  await control("POST", phone + "/scan");
  await control("POST", phone + "/confirm", { share_history: true });
  await popup.click("#finish");
  const session = await shown(page, "session");
  assert.equal(session.type, "WA_EMBEDDED_SIGNUP");
  assert.equal(session.event, "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING");
  const { authResponse } = await shown(page, "response");
  const exchanged = await (await fetch(`${world.graph}/v25.0/oauth/access_token?client_id=${world.app_id}&client_secret=${appSecret}&code=${authResponse.code}`)).json();
  assert.ok(exchanged.access_token, JSON.stringify(exchanged));
  assert.equal((await control("GET", phone)).stage, "connected");
});
await browser.close();
process.exit(0);
