// The start page as people meet it: in a real browser, against the real program, with real calls.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CONTRAST_MIN, contrasts, sidewaysScroll, startBrowser, visit } from "./browser.js";
import { Dreiklang, PASSWORD } from "./dreiklang.js";

const NUMBER = "+493099900";
const CENTER = `version = 1
[[queues]]
name = "Support"
[[queues]]
name = "Sales"
[[agents]]
name = "Ada"
endpoint = { kind = "desk", value = "ada" }
queues = ["Support", "Sales"]
[[agents]]
name = "Grace"
endpoint = { kind = "desk", value = "grace" }
queues = ["Support"]
[[numbers]]
number = "${NUMBER}"
target = { kind = "queue", id = "Support" }
[[trunks]]
name = "Carrier"
sources = ["127.0.0.1"]
health_interval_s = 0
`;

/** The browser itself writes down every refused request; asking "who am I?" without being signed in is one. */
const NOT_SIGNED_IN = /the server responded with a status of 401 .*\/api\/v1\/me\)/;
const WRONG_PASSWORD = /the server responded with a status of 401 .*\/api\/v1\/session\)/;
const NO_CONNECTION = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed/;

let server;
let browser;

before(async () => {
  server = await Dreiklang.start();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

async function visitor({ expected = [], ...settings }, run) {
  // A test that failed half-way may have left it dead.
  if (!server.isRunning) await server.startAgain();
  await visit(browser, server.url, { ...settings, expected: [NOT_SIGNED_IN, ...expected] }, run);
}

const field = (page, label) => page.getByRole("textbox", { name: label, exact: true });
const part = (page, title) => page.getByRole("region", { name: title, exact: true });
const row = (page, title, text) => part(page, title).locator("tbody tr").filter({ hasText: text });

async function fill(page, user, password) {
  await field(page, "User").fill(user);
  await field(page, "Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in and waits until the live connection is there. */
async function signIn(page, user = "admin", password = PASSWORD) {
  await fill(page, user, password);
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
}

/** Whatever is marked is gone when the page is loaded again. */
const mark = (page) => page.evaluate(() => (window.marked = true));
const isMarked = (page) => page.evaluate(() => window.marked === true);

/** Waits until a new call waits in the queue. */
async function waitingCall(page, from) {
  server.call(NUMBER, from);
  const call = row(page, "Conversations now", from);
  await call.filter({ hasText: "Waiting" }).waitFor();
  return call;
}

test("a stranger sees the form to sign in and nothing else", () =>
  visitor({}, async (page) => {
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.title(), "Dreiklang");
    for (const title of ["Queues", "Agents", "Conversations now", "Recent conversations"]) assert.equal(await part(page, title).isVisible(), false, title);
    assert.equal(await page.getByRole("button", { name: "Sign out" }).isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "user", "one can begin to type at once");
  }));

test("a wrong password is answered in words, and the right one is taken afterwards", () =>
  visitor({ expected: [WRONG_PASSWORD] }, async (page) => {
    await fill(page, "admin", "not the password at all");
    const problem = page.getByRole("alert").filter({ visible: true });
    await problem.waitFor();
    assert.match(await problem.textContent(), /no such user, or the password/);
    assert.equal(await part(page, "Queues").isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "password", "one can type it again at once");
    await signIn(page);
    assert.equal(await problem.count(), 0);
  }));

test("what is empty is said in words and not by blank tables", () =>
  visitor({}, async (page) => {
    await signIn(page);
    for (const [title, words] of [
      ["Queues", /No queue yet/],
      ["Agents", /No agent yet/],
      ["Conversations now", /Nobody is calling/],
      ["Recent conversations", /No conversation has ended yet/],
    ]) {
      await part(page, title).getByText(words).waitFor();
      assert.equal(await part(page, title).getByRole("table").count(), 0, `${title}: a table without rows`);
    }
  }));

test("what is set up appears without loading the page again", () =>
  visitor({}, async (page) => {
    await signIn(page);
    await mark(page);
    await server.apply(CENTER);
    await row(page, "Queues", "Support").waitFor();
    await row(page, "Queues", "Sales").waitFor();
    await row(page, "Agents", "Ada").filter({ hasText: "Signed out" }).waitFor();
    await row(page, "Agents", "Grace").waitFor();
    assert.equal(await part(page, "Queues").getByText("No queue yet").isVisible(), false);
    assert.equal(await isMarked(page), true);
  }));

test("whoever is signed in stays so when the page is loaded again, and sees queues and agents", () =>
  visitor({}, async (page) => {
    await signIn(page);
    await page.reload();
    await row(page, "Queues", "Support").waitFor();
    await row(page, "Agents", "Ada").waitFor();
    assert.equal(await page.getByRole("heading", { name: "Sign in" }).isVisible(), false);
    assert.equal(await page.getByText("admin", { exact: true }).isVisible(), true, "it says who is signed in");
  }));

test("a call appears while it waits, and among the recent ones when it is over, without loading the page again", () =>
  visitor({}, async (page) => {
    await signIn(page);
    await mark(page);
    const call = await waitingCall(page, "+4930555111");
    await call.filter({ hasText: NUMBER }).filter({ hasText: "Support" }).waitFor();
    const waiting = row(page, "Queues", "Support").getByRole("cell").nth(1);
    await waiting.filter({ hasText: /^1$/ }).waitFor();
    await server.hangUp();
    await call.waitFor({ state: "detached" });
    await row(page, "Recent conversations", "+4930555111").waitFor();
    await waiting.filter({ hasText: /^0$/ }).waitFor();
    await part(page, "Conversations now").getByText("Nobody is calling").waitFor();
    assert.equal(await isMarked(page), true);
  }));

test("the page says that it is not connected while the server is gone, and catches up by itself", () =>
  visitor({ expected: [NO_CONNECTION] }, async (page) => {
    await signIn(page);
    await mark(page);
    const call = await waitingCall(page, "+4930555222");
    await server.kill();
    await page.getByRole("status").filter({ hasText: "Not connected" }).waitFor();
    assert.equal(await row(page, "Queues", "Support").isVisible(), true, "what was known stays to be seen");
    await server.startAgain();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await call.waitFor({ state: "detached" });
    await row(page, "Recent conversations", "+4930555222").waitFor();
    await row(page, "Queues", "Support").getByRole("cell").nth(1).filter({ hasText: /^0$/ }).waitFor();
    const next = await waitingCall(page, "+4930555333");
    await server.hangUp();
    await next.waitFor({ state: "detached" });
    assert.equal(await isMarked(page), true);
  }));

test("a server that hangs without closing anything is noticed, and so is its return", () =>
  visitor({ expected: [NO_CONNECTION] }, async (page) => {
    await signIn(page);
    server.freeze(true);
    try {
      await page.clock.fastForward("00:40");
      await page.getByRole("status").filter({ hasText: "Not connected" }).waitFor();
    } finally {
      server.freeze(false);
    }
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  }));

test("a quiet connection is not taken for a dead one", () =>
  visitor({}, async (page) => {
    await signIn(page);
    const answer = page.waitForResponse((response) => response.request().method() === "HEAD");
    await page.clock.fastForward("00:40");
    assert.equal((await answer).ok(), true);
    assert.equal(await page.getByRole("status").textContent(), "Live");
  }));

test("a computer that loses its network is told so, and catches up when it is back", () =>
  visitor({ expected: [/ERR_INTERNET_DISCONNECTED/, NO_CONNECTION] }, async (page) => {
    await signIn(page);
    await page.context().setOffline(true);
    await page.getByRole("status").filter({ hasText: "Not connected" }).waitFor();
    await page.context().setOffline(false);
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  }));

test("signing in or out without a server is answered in words", () =>
  visitor({ expected: [NO_CONNECTION] }, async (page) => {
    const problem = page.getByRole("alert").filter({ visible: true });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await server.kill();
    await fill(page, "admin", PASSWORD);
    await problem.filter({ hasText: "The server cannot be reached" }).waitFor();
    await server.startAgain();
    await signIn(page);
    await server.kill();
    await page.getByRole("button", { name: "Sign out" }).click();
    await problem.filter({ hasText: "You are still signed in" }).waitFor();
    await server.startAgain();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    assert.equal(await problem.count(), 0, "what is no longer true is no longer said");
  }));

test("the running clock is not read aloud every second", () =>
  visitor({}, async (page) => {
    await signIn(page);
    await page.evaluate(() => {
      const everything = { subtree: true, childList: true, characterData: true };
      window.said = 0;
      window.times = new Set();
      const listener = new MutationObserver((changes) => (window.said += changes.length));
      for (const place of document.querySelectorAll("[role=status], [role=alert]")) listener.observe(place, everything);
      const clock = document.getElementById("clock");
      new MutationObserver(() => window.times.add(clock.textContent)).observe(clock, everything);
    });
    await page.waitForFunction(() => window.times.size > 2);
    assert.equal(await page.evaluate(() => window.said), 0);
  }));

test("signing out returns to the form, and loading the page again shows nothing", () =>
  visitor({}, async (page) => {
    await signIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await part(page, "Queues").isVisible(), false);
  }));

test("the keyboard is enough to sign in and out", () =>
  visitor({}, async (page) => {
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.keyboard.type("admin");
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    const out = page.getByRole("button", { name: "Sign out" });
    const reached = [];
    while (!(await out.evaluate((button) => button === document.activeElement))) {
      assert.ok(reached.length < 20, `not reached by Tab: ${reached.join(", ")}`);
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement.textContent.trim().slice(0, 20)));
    }
    const outline = await out.evaluate((button) => getComputedStyle(button).outlineStyle);
    assert.notEqual(outline, "none", "one sees where one is");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  }));

test("a narrow screen shows everything without scrolling the page sideways", () =>
  visitor({ viewport: { width: 320, height: 640 } }, async (page) => {
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await sidewaysScroll(page), 0, "the form");
    await signIn(page);
    await waitingCall(page, "+4930555444");
    assert.equal(await sidewaysScroll(page), 0, "signed in, with a call");
    for (const title of ["Queues", "Agents", "Conversations now", "Recent conversations"]) {
      const box = await part(page, title).boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 320, `${title} reaches from ${box.x} to ${box.x + box.width}`);
    }
    await server.hangUp();
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`everything can be read on a ${colorScheme} screen`, () =>
    visitor({ colorScheme, expected: [WRONG_PASSWORD] }, async (page) => {
      const check = async (where) => {
        const [faintest] = await contrasts(page);
        assert.ok(faintest.contrast >= CONTRAST_MIN, `${where}: "${faintest.text}" has a contrast of ${faintest.contrast.toFixed(2)}`);
      };
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
      const isDark = background.every((value) => value < 64);
      const isLight = background.every((value) => value > 192);
      assert.ok(colorScheme === "dark" ? isDark : isLight, `the background is ${background}`);
      await fill(page, "admin", "not the password at all");
      await page.getByRole("alert").filter({ visible: true }).waitFor();
      await check("a wrong password");
      await signIn(page);
      await waitingCall(page, "+4930555666");
      await check("signed in, with a call");
      // For whoever wants to look at it.
      if (process.env.DREIKLANG_SCREENSHOTS) await page.screenshot({ path: `${process.env.DREIKLANG_SCREENSHOTS}/${colorScheme}.png`, fullPage: true });
      await server.hangUp();
    }));
}

test("an agent begins work, takes a break and ends work at the desk", async () => {
  const { items } = await server.request("GET", "agents");
  const ada = items.find((agent) => agent.name === "Ada");
  const password = "a password for Ada";
  await server.request("POST", "users", { name: "ada", display_name: "Ada", roles: ["agent"], agent: ada.id, password });
  await visitor({}, async (page) => {
    await signIn(page, "ada", password);
    const desk = part(page, "My desk");
    await desk.getByText("Signed out").waitFor();
    await desk.getByRole("button", { name: "Start work" }).click();
    await desk.getByRole("button", { name: "Ready" }).click();
    // She has no telephone plugged in.
    await desk.getByText("Ready, but not reachable").waitFor();
    await desk.getByRole("button", { name: "Break" }).click();
    await desk.getByText("Not ready (break)").waitFor();
    await desk.getByRole("button", { name: "End work" }).click();
    await desk.getByText("Signed out").waitFor();
    await row(page, "Agents", "Ada").filter({ hasText: "Signed out" }).waitFor();
  });
});

test("whoever is shut out sees the form, and nothing of before is left in the page", async () => {
  const password = "a password for Eve";
  await server.request("POST", "users", { name: "eve", display_name: "Eve", roles: ["supervisor"], password });
  await visitor({ expected: [NO_CONNECTION] }, async (page) => {
    await signIn(page, "eve", password);
    await row(page, "Recent conversations", "+4930555111").waitFor();
    await server.request("DELETE", "users/eve");
    await server.kill();
    await server.startAgain();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.doesNotMatch(await page.evaluate(() => document.body.textContent), /\+4930555111|Support|Ada/);
  });
});
