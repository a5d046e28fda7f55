// Recordings on the start page, in a real browser, with the demo's recorded conversation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBrowser, visit } from "./browser.js";
import { Demo, PASSWORD } from "./dreiklang.js";

test("a recording is played on the page, and the page going on does not stop it", async (t) => {
  const demo = await Demo.start();
  t.after(() => demo.close());
  const browser = await startBrowser();
  t.after(() => browser.close());
  const expected = [/the server responded with a status of 401 .*\/api\/v1\/me\)/];
  await visit(browser, demo.url, { expected }, async (page) => {
    await page.getByRole("textbox", { name: "User" }).fill("admin");
    await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    const recent = page.getByRole("region", { name: "Recent conversations" }).locator("tbody tr");
    await recent.filter({ hasText: "Answered" }).filter({ hasText: "Anna" }).waitFor();
    await page.getByRole("region", { name: "Agents" }).locator("tbody tr").filter({ hasText: "Ben" }).filter({ hasText: "Ready" }).waitFor();
    await recent.getByRole("button", { name: /^Play the recording of \+4915112345678/ }).click();
    await page.waitForFunction(() => document.querySelector("audio").ended || document.querySelector("audio").error);
    const played = await page.locator("audio").evaluate((player) => ({ seconds: player.duration, shown: player.checkVisibility(), error: player.error?.message }));
    assert.equal(played.error, undefined);
    // The two talk for three seconds; the page is drawn anew several times meanwhile.
    assert.ok(played.seconds > 2 && played.seconds < 10, `${played.seconds} s`);
    assert.equal(played.shown, true);
  });
});
