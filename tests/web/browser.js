// A real browser, and what a test asks of a page: what it shows, whether it can be read, and whether it complained.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { SOON } from "./dreiklang.js";

/** Where Debian, Ubuntu and others put it. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Nothing but our pages: no updates, no reports, no other protocols than the ones we speak. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Least contrast of text against what is behind it (WCAG 2.2, success criterion 1.4.3). */
export const CONTRAST_MIN = 4.5;

/** Starts the browser without a window and with an empty profile. */
export async function startBrowser() {
  const found = process.env.DREIKLANG_BROWSER ?? BROWSERS.find(existsSync);
  if (!found) throw new Error(`no Chromium found; install it, or name it with DREIKLANG_BROWSER (looked for ${BROWSERS.join(", ")})`);
  return chromium.launch({ executablePath: found, headless: true, args: ARGUMENTS });
}

/**
 * Opens the start page as a new visitor, hands it to the test, and afterwards fails if the page complained to its console.
 * `expected` are complaints that belong to what the test does.
 */
export async function visit(browser, url, { expected = [], ...settings }, test) {
  const context = await browser.newContext({ locale: "en-GB", ...settings });
  context.setDefaultTimeout(SOON);
  const complaints = [];
  const unexpected = () => complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint))).join("\n");
  try {
    const page = await context.newPage();
    // The page's clock runs as usual until a test turns it forward.
    await page.clock.install();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => complaints.push(error.stack ?? String(error)));
    await page.goto(url);
    await test(page);
  } catch (error) {
    // What went wrong in the page often says why a test waited in vain.
    error.message += unexpected() && `\nthe page complained:\n${unexpected()}`;
    throw error;
  } finally {
    await context.close();
  }
  if (unexpected()) throw new Error(`the page complained:\n${unexpected()}`);
}

/** How far the document can be scrolled sideways, in CSS pixels. */
export function sidewaysScroll(page) {
  return page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
}

/** Every visible text with its contrast (WCAG 2.2, definition of contrast ratio), the faintest first. */
export function contrasts(page) {
  return page.evaluate(() => {
    const rgba = (text) => {
      const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
      return { red, green, blue, alpha };
    };
    const luminance = ({ red, green, blue }) => {
      const [r, g, b] = [red, green, blue].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let place = element; place; place = place.parentElement) {
        const color = rgba(getComputedStyle(place).backgroundColor);
        if (color.alpha === 1) return color;
        if (color.alpha !== 0) throw new Error("half-transparent backgrounds are not expected here");
      }
      return rgba("255 255 255");
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent.trim();
      const element = walker.currentNode.parentElement;
      const style = getComputedStyle(element);
      if (!text || !element.checkVisibility({ visibilityProperty: true }) || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
      const [one, other] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => b - a);
      found.push({ text, contrast: (one + 0.05) / (other + 0.05) });
    }
    return found.sort((a, b) => a.contrast - b.contrast);
  });
}
