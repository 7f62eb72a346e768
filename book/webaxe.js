// webaxe.js SITE [PAGE...] -- the HTML book in Chromium: axe-core's rules, light and dark, and
// nothing wider than the window of a telephone or of a desk.  Wants puppeteer-core and axe-core.
"use strict";
const fs = require("fs"), os = require("os"), path = require("path");
const { launch } = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const site = process.argv[2];
const names = process.argv.length > 3 ? process.argv.slice(3) : fs.readdirSync(site).filter((n) => n.endsWith(".html"));

// What reaches over the right edge and is not inside a box that scrolls.
function tooWide() {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (e) => e && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
    .slice(0, 2).map((e) => e.outerHTML.slice(0, 120));
}

async function main() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "webaxe-"));
  const browser = await launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, userDataDir: home,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"]
  });
  let bad = 0;
  const fault = (...words) => { bad++; console.error("check-axe:", ...words); };
  try {
    for (const name of names) {
      const page = await browser.newPage();
      page.on("pageerror", (e) => fault(name, e.message));
      for (const [width, scheme] of [[390, "light"], [1280, "dark"]]) {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await page.goto("file://" + path.join(site, name));
        for (const e of await page.evaluate(tooWide)) fault(name, width, "pixels are too few for", e);
        await page.evaluate(axe);
        const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] }))
          .violations.map((v) => `${v.id} (${v.impact}), ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 120)}`));
        for (const v of found) fault(name, scheme, v);
      }
      await page.close();
    }
  } finally {
    await browser.close();
    fs.rmSync(home, { recursive: true, force: true });
  }
  console.log(`check-axe: ${names.length} pages, ${bad} faults`);
  process.exitCode = bad ? 1 : 0;
}
main().catch((e) => { console.error("check-axe:", e.message); process.exitCode = 1; });
