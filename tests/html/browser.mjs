// Drives Chromium over the reports in a folder and says what does not hold.
//
//     node browser.mjs REPORTS SCREENSHOTS RIG CHROMIUM

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [reports, screenshots, rig, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(join(rig, "x.js"))("playwright-core");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--enable-precise-memory-info"],
});

/** Opens a report; whatever the page says, asks for or fails at is kept in `page.heard`. */
async function show(name, options = {}) {
  const { hash = "", ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", ...rest });
  const page = await context.newPage();
  page.heard = [];
  const url = pathToFileURL(join(reports, `${name}.html`)).href;
  page.on("console", (message) => page.heard.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => page.heard.push(`error: ${error.stack}`));
  page.on("dialog", (dialog) => (page.heard.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => request.url().split("#")[0] === url || page.heard.push(`request: ${request.url()}`));
  await page.goto(url + hash);
  page.shot = (shot) => page.screenshot({ path: join(screenshots, `${shot}.png`) });
  page.line = () => page.locator("#source [aria-selected=true]").getAttribute("id").then((id) => Number(id.slice(1)));
  page.texts = (selector) => page.locator(selector).allTextContents();
  /** What is pointed at in the source, a text a line. */
  page.pointed = () =>
    page.$$eval(".row:has(.focus)", (rows) => rows.map((row) => [...row.querySelectorAll(".focus")].map((piece) => piece.textContent).join("")));
  page.press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  page.until = (what, argument) => page.waitForFunction(what, argument, { timeout: 20_000 });
  return page;
}

async function done(page) {
  assert.deepEqual(page.heard, []);
  await page.context().close();
}

const tests = {
  async "numbers are those of the JSON report"() {
    const report = JSON.parse(readFileSync(join(reports, "kern.json"), "utf8"));
    const page = await show("kern");
    const shown = await page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll(".row:not(.bare)")].map((row) => [
          row.id.slice(1),
          [row.querySelector(".sh").textContent, row.querySelector(".ex").textContent, row.querySelector("code").textContent],
        ]),
      ),
    );
    const number = new Intl.NumberFormat("en-US");
    const source = await page.texts(".row code");
    for (const line of report.files[0].lines) {
      const share = line.instruction_share;
      const percent = share < 0.0005 && share > 0 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
      const executions = line.executions === null ? "–" : number.format(line.executions);
      assert.deepEqual(shown[line.line], [line.instructions ? percent : "", executions, source[line.line - 1]]);
      await page.locator(`#L${line.line} .no`).click();
      const sites = await page.$$eval("#detail tr[data-site]", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
      assert.deepEqual(
        sites.map((cells) => [cells[2], cells[4]]),
        line.sites.map((site) => [`${site.opcode} ${site.argument}`.trim(), number.format(site.executions)]),
      );
      const missing = line.sites.map((site) => (site.misses ? (site.misses_at_least ? "≥" : "") + number.format(site.misses) : ""));
      if (missing.join("")) assert.deepEqual(sites.map((cells) => cells[5] ?? ""), missing);
    }
    await done(page);
  },

  async "times are those of the JSON report"() {
    const report = JSON.parse(readFileSync(join(reports, "timed.json"), "utf8"));
    const page = await show("timed");
    const percent = (share) => (share < 0.0005 && share > 0 ? "<0.1%" : `${(100 * share).toFixed(1)}%`);
    const bounds = (of) => `${percent(of.self_share)} ± ${(100 * of.self_share_error).toFixed(of.self_share_error < 0.00095 ? 2 : 1)}`;
    let split = 0;
    let callers = 0;
    for (const line of report.files[0].lines) {
      if (!line.instructions) continue;
      const row = page.locator(`#L${line.line}`);
      const total = line.total_ns / report.time.busy_ns;
      assert.equal(await row.locator(".sh").textContent(), percent(line.self_share));
      assert.equal(await row.locator(".sh").getAttribute("title"), bounds(line));
      assert.equal(await row.locator(".to").textContent(), percent(total));
      callers += total > line.self_share + 0.001 ? 1 : 0;
      await row.locator(".no").click();
      const heads = await page.texts("#detail .table th");
      if (line.samples < 400) {
        assert.equal(heads.includes("Each"), false, `line ${line.line} has too few samples to be split`);
        continue;
      }
      split += 1;
      const [share, each] = [heads.indexOf("time %"), heads.indexOf("Each")];
      const cells = await page.$$eval(
        "#detail tr[data-site]",
        (rows, [share, each]) => rows.map((row) => [row.cells[share].textContent, row.cells[share].firstChild.title, row.cells[each].textContent]),
        [share, each],
      );
      assert.equal(cells.length, line.sites.length);
      line.sites.forEach((site, at) => {
        assert.equal(cells[at][0], percent(site.self_ns / report.time.busy_ns));
        assert.match(cells[at][1], /^\d+\.\d% ± \d+\.\d+$/);
        // Three digits, in the unit that fits.
        const [number, unit] = cells[at][2].split(" ");
        const ns = Number(number.replace(/,/g, "")) * { ns: 1, "µs": 1e3, ms: 1e6 }[unit];
        assert.ok(Math.abs(ns / (site.self_ns / site.executions) - 1) < 0.006, `${cells[at][2]} of ${site.self_ns / site.executions} ns`);
      });
    }
    assert.deepEqual([split, callers], [1, 1]);
    await page.shot("times");
    await done(page);
  },

  async "light and dark"() {
    for (const colorScheme of ["light", "dark"]) {
      const page = await show("kern", { colorScheme });
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const bright = async () => Number(/\d+/.exec(await ground())[0]) > 128;
      assert.equal(await bright(), colorScheme === "light");
      await page.shot(`kern-${colorScheme}`);
      await page.press("t");
      assert.equal(await page.textContent("#theme span"), "light");
      assert.equal(await bright(), true);
      await page.click("#theme");
      assert.equal(await bright(), false);
      await page.reload();
      assert.equal(await bright(), false, "the theme is kept");
      await page.press("t");
      assert.equal(await bright(), colorScheme === "light");
      await done(page);
    }
  },

  async "the heaviest site is shown first"() {
    const page = await show("kern");
    assert.equal(await page.line(), 26);
    assert.equal(await page.textContent("#detail-title"), "kern.py:26");
    assert.match(await page.textContent(".headline"), /^\d+\.\d% of the executed instructions .* 20,000 executions · ▲ 1 generic$/);
    assert.match(await page.textContent(".why"), /b\.x % 7 is generic: BINARY_OP % ran 20,000 times, never specialized\./);
    assert.deepEqual(await page.texts("#L26 .under.generic"), ["b.x % 7"]);
    assert.deepEqual(await page.texts("#L25 .under.missing"), ["b.v"]);
    await done(page);
  },

  async "a click shows a line, the pointer a table"() {
    const page = await show("kern");
    await page.click("#L25 code");
    assert.equal(await page.line(), 25);
    assert.equal(new URL(page.url()).hash, "#kern.py:25");
    assert.match(await page.textContent("#detail"), /LOAD_ATTR v\s*▼\s*→ SLOT/);
    assert.equal(await page.isVisible("#tip"), false);
    await page.hover("#L26 code");
    await page.waitForSelector("#tip:visible");
    assert.match(await page.textContent("#tip"), /BINARY_OP %.*generic.*20,000/);
    await page.shot("hover");
    await page.mouse.move(5, 5);
    await page.waitForSelector("#tip", { state: "hidden" });
    await page.hover("#detail tr:has-text('LOAD_ATTR v')");
    assert.deepEqual(await page.pointed(), ["b.v"]);
    await page.mouse.move(5, 5);
    assert.deepEqual(await page.pointed(), []);
    // An expression of several lines is pointed at on all of them.
    await page.click("#L29 code");
    await page.locator("#detail tr[data-site]").first().focus();
    assert.deepEqual(await page.pointed(), ["raise ValueError(", '"time runs"', '" backwards",', "t,", ")"]);
    await done(page);
  },

  async "every key does what the list says"() {
    const page = await show("two");
    const file = () => page.textContent("#file-title");
    const there = async (path, line) => assert.deepEqual([await file(), await page.line()], [path, line]);
    const other = "deep/folder/of/the/project/other.py";
    const [first, second] = (await page.texts("#files .name"));
    assert.deepEqual([first, second].sort(), [other, "kern.py"]);
    await page.click("#files button:has-text('kern.py')");
    await page.press("g");
    await there("kern.py", 1);
    await page.press("j", "j", "k");
    await there("kern.py", 2);
    await page.focus("#source");
    await page.press("ArrowDown");
    await there("kern.py", 3);
    await page.press("n");
    await there("kern.py", 25);
    await page.press("n", "n", "n");
    await there("kern.py", 38);
    await page.press("n");
    await there(other, 25);
    await page.press("p");
    await there("kern.py", 38);
    await page.press("G");
    await there("kern.py", 38);
    await page.press("]");
    assert.equal(await file(), other);
    await page.press("[");
    assert.equal(await file(), "kern.py");
    await page.press("h");
    const shares = await page.$$eval(".row", (rows) => rows.map((row) => [row.querySelector(".sh")?.textContent ?? "", Number(row.id.slice(1))]));
    const [top] = shares.filter(([share]) => /^\d/.test(share)).sort((a, b) => parseFloat(b[0]) - parseFloat(a[0]));
    await there("kern.py", top[1]);
    await page.focus("#source");
    await page.press("Home", "PageDown");
    assert.ok((await page.line()) > 5);
    await page.press("End", "PageUp", "Home", "n", "Enter");
    assert.equal(await page.evaluate(() => document.activeElement.matches("#detail tr[data-site]")), true);
    await page.press("ArrowDown", "ArrowDown");
    assert.deepEqual(await page.pointed(), ["b.v"]);
    await page.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement.id), "source");
    assert.deepEqual(await page.pointed(), []);
    await page.press("?");
    assert.equal(await page.isVisible("#help"), true);
    await page.shot("help");
    await page.press("j", "Escape");
    assert.equal(await page.isVisible("#help"), false);
    await there("kern.py", 25);
    await page.press("/");
    await page.keyboard.type("nj");
    await there("kern.py", 25);
    assert.equal(await page.inputValue("#filter"), "nj");
    await page.press("Escape");
    assert.equal(await page.inputValue("#filter"), "");
    await done(page);
  },

  async "sites are sorted by every column, both ways"() {
    const page = await show("two");
    const column = async (index) => page.texts(`#sites-table tbody td:nth-child(${index + 1})`);
    const heads = await page.texts("#sites-table th");
    assert.equal(heads.length, 8);
    assert.equal(await page.getAttribute("#sites-table th:first-child", "aria-sort"), "descending");
    const plain = (text) => (/^[≥▲▼ ]*[\d,.]+%?$/.test(text) ? parseFloat(text.replace(/[^\d.]/g, "")) : text);
    for (let index = 1; index < heads.length; index++) {
      const head = page.locator(`#sites-table th:nth-child(${index + 1}) button`);
      const seen = [];
      for (let twice = 0; twice < 2; twice++) {
        await head.click();
        const sort = await page.getAttribute(`#sites-table th:nth-child(${index + 1})`, "aria-sort");
        const values = (await column(index)).map((text) => (index === 1 ? text.slice(2).replace(/\d+$/, (line) => line.padStart(6, "0")) : plain(text)));
        const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        assert.deepEqual(values, sort === "ascending" ? sorted : sorted.reverse(), heads[index]);
        seen.push(sort);
      }
      assert.deepEqual(seen.sort(), ["ascending", "descending"]);
    }
    assert.equal(await page.evaluate(() => document.activeElement.dataset.key), "slow");
    const row = page.locator("#sites-table tbody tr").last();
    const place = (await row.locator("a").textContent()).split(":");
    await row.locator("td").nth(3).click();
    assert.deepEqual([await page.textContent("#file-title"), String(await page.line())], place);
    assert.equal(await page.locator("#detail tr.wanted").count(), 1);
    await done(page);
  },

  async "the filter finds text, opcodes, forms, states and paths"() {
    const page = await show("two");
    const filtered = async (words) => {
      await page.fill("#filter", words);
      await page.until((words) => document.getElementById("matches").textContent.includes(words ? `“${words.toLowerCase()}”` : ""), words);
      await page.waitForTimeout(200);
      return page.$$eval(".row", (rows) => rows.map((row) => Number(row.id.slice(1))));
    };
    assert.deepEqual(await filtered("ValueError"), [29]);
    assert.equal((await page.texts("#sites-table tbody tr")).length, 0);
    assert.deepEqual(await filtered("for_iter_range".slice(9)), [23]);
    assert.deepEqual(await filtered("compare_op"), [27]);
    assert.deepEqual((await page.texts("#sites-table tbody tr")).length, 2);
    await filtered("generic");
    assert.deepEqual(await page.$$eval(".row", (rows) => rows.map((row) => row.id)), ["L26", "L27"]);
    await page.shot("filter");
    assert.deepEqual(await page.texts("#functions .name"), ["advance"]);
    assert.ok((await filtered("other.py")).length > 30);
    assert.equal(await page.textContent("#file-title"), "deep/folder/of/the/project/other.py");
    assert.deepEqual(await page.texts("#files .name"), ["deep/folder/of/the/project/other.py"]);
    assert.deepEqual(await filtered("nowhere to be found"), []);
    assert.match(await page.textContent("#matches"), /^0 lines/);
    await page.press("Escape");
    assert.equal((await page.texts("#files .name")).length, 2);
    await done(page);
  },

  async "an address opens its line"() {
    const page = await show("two", { hash: "#deep%2Ffolder%2Fof%2Fthe%2Fproject%2Fother.py:27" });
    assert.deepEqual([await page.textContent("#file-title"), await page.line()], ["deep/folder/of/the/project/other.py", 27]);
    await page.evaluate(() => (location.hash = "#kern.py:25"));
    await page.until(() => document.getElementById("detail-title").textContent === "kern.py:25");
    await page.evaluate(() => (location.hash = "#%E0%A4%A:3"));
    assert.equal(await page.line(), 25);
    await done(page);
  },

  async "hostile texts are only texts"() {
    const page = await show("hostile");
    await page.press("n", "j", "k");
    await page.mouse.move(600, 500);
    await page.waitForTimeout(500);
    assert.deepEqual(await page.evaluate(() => [window.pwned, document.images.length, document.scripts.length]), [undefined, 0, 2]);
    assert.match(await page.textContent("h1"), /^<\/script><\/title><img src=x onerror="window\.pwned=1"><!--<script>'&quot;/);
    assert.match(await page.title(), /^<\/script><\/title><img/);
    const steering = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
    assert.doesNotMatch(await page.evaluate(() => document.body.innerText), steering);
    assert.match(await page.textContent("#L2 code"), /^\treturn x % 7 \+ '<\/script>/);
    await page.shot("hostile");
    await done(page);
  },

  async "what is not known is not shown"() {
    let page = await show("stale");
    assert.deepEqual(await page.texts("#L26 code"), [""]);
    assert.equal(await page.textContent("#L26 .ex"), "20,000");
    assert.equal(await page.locator("#L22").count(), 1);
    assert.equal(await page.locator("#L3").count(), 0, "a line without instructions");
    assert.match(await page.textContent(".notes"), /not the text that was measured/);
    await done(page);
    page = await show("uncounted");
    assert.equal(await page.textContent("#L26 .ex"), "–");
    assert.equal(await page.textContent("#L26 .sh"), "");
    assert.match(await page.textContent(".facts"), /executions not counted/);
    await done(page);
    page = await show("empty");
    await page.press("j", "n", "p", "h", "g", "G", "]", "[", "?", "Escape");
    assert.match(await page.textContent(".verdict"), /no code of the workspace ran/);
    await done(page);
  },

  async "text has a contrast of 4.5 everywhere"() {
    for (const colorScheme of ["light", "dark"]) {
      for (const name of ["kern", "hostile", "two"]) {
        const page = await show(name, { colorScheme });
        await page.press("n", "k");
        await page.hover("#source .row:nth-child(3) code");
        await page.waitForTimeout(450);
        const faint = await page.evaluate(contrasts);
        assert.deepEqual(faint.slice(0, 5), [], `${name}, ${colorScheme}`);
        await page.press("?");
        assert.deepEqual(await page.evaluate(contrasts), []);
        await done(page);
      }
    }
  },

  async "everything is reached by Tab, has a name, and shows its focus"() {
    const page = await show("two");
    const stops = [];
    for (let presses = 0; presses < 80; presses++) {
      await page.press("Tab");
      const stop = await page.evaluate(() => {
        const node = document.activeElement;
        const style = getComputedStyle(node);
        return [node === document.body ? "" : node.id || node.textContent.trim().slice(0, 30), style.outlineStyle, parseFloat(style.outlineWidth)];
      });
      if (!stop[0]) break;
      stops.push(stop);
    }
    const names = stops.map(([name]) => name);
    const order = ["To the source", "filter", "theme", "help-open", "What costs · 7 sites", "#", "source", "18b.x"];
    const places = order.map((name) => names.findIndex((stop) => stop.startsWith(name)));
    assert.deepEqual(places, [...places].sort((a, b) => a - b), names.join(", "));
    assert.ok(!places.includes(-1), `${order} in ${names.join(", ")}`);
    for (const [name, style, width] of stops.filter(([name]) => name)) assert.ok(style !== "none" && width >= 1, `${name} shows no focus`);
    for (const [role, name] of [
      ["searchbox", /Filter files, lines and sites/],
      ["listbox", /^Source of kern.py/],
      ["table", /What costs/],
      ["table", /^Instructions of advance on line 26/],
      ["navigation", /Files and functions/],
      ["complementary", /kern.py:26/],
      ["columnheader", /Executions/],
    ]) {
      assert.ok((await page.getByRole(role, { name }).count()) > 0, `${role} ${name}`);
    }
    assert.equal(await page.getByRole("option", { selected: true }).count(), 1);
    assert.equal(await page.getAttribute("#source", "aria-activedescendant"), `L${await page.line()}`);
    await done(page);
  },

  async "who wants no motion gets none"() {
    const page = await show("kern", { reducedMotion: "reduce" });
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((node) => {
        const style = getComputedStyle(node);
        return style.animationName !== "none" || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0) || style.scrollBehavior === "smooth";
      }).length,
    );
    assert.equal(moving, 0);
    await done(page);
  },

  async "small windows have all of it"() {
    for (const [width, height] of [[1000, 800], [820, 1100], [390, 844]]) {
      const page = await show("kern", { viewport: { width, height } });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${wide} in ${width}`);
      for (const part of ["#filter", "#files", "#sites-table", "#source", "#detail-body"]) assert.equal(await page.isVisible(part), true, part);
      await page.shot(`kern-${width}`);
      await done(page);
    }
  },

  async "twenty thousand lines"() {
    const started = Date.now();
    const page = await show("big");
    await page.evaluate(() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))));
    const loaded = Date.now() - started;
    assert.equal(await page.locator(".row").count(), 20_000);
    const seen = await page.evaluate(async () => {
      const box = document.getElementById("source");
      box.scrollTop = 0;
      await new Promise((go) => setTimeout(go, 300));
      const frames = [];
      let last = performance.now();
      const seen = new Set();
      const lost = [];
      for (let step = 0; step <= 100; step++) {
        box.scrollTop = (box.scrollHeight * step) / 100;
        // The browser lays out what a jump lands on in the frame after it.
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
        const { left, top } = box.getBoundingClientRect();
        const row = document.elementFromPoint(left + 200, top + 60)?.closest(".row");
        if (row) seen.add(Number(row.id.slice(1)));
        else lost.push([step, document.elementFromPoint(left + 200, top + 60)?.outerHTML.slice(0, 80)]);
      }
      frames.sort((a, b) => a - b);
      return { lost, lines: [...seen], median: frames[50], worst: frames[100], heap: performance.memory.usedJSHeapSize };
    });
    // What is under one place while it goes by is what ought to be there.
    assert.deepEqual(seen.lost, [], "rows were missing while scrolling");
    assert.ok(seen.lines.length > 95);
    seen.lines.forEach((line, step) => assert.ok(step === 0 || line > seen.lines[step - 1]));
    await page.press("G");
    assert.equal(await page.line(), 20_000);
    assert.equal(await page.locator("#L20000").isVisible(), true);
    assert.equal(await page.locator("#L20000 .under.generic").count(), 1);
    await page.shot("big-end");
    const stepped = Date.now();
    for (let times = 0; times < 50; times++) await page.press("p");
    const step = (Date.now() - stepped) / 50;
    const asked = Date.now();
    await page.fill("#filter", "line 19999");
    await page.until(() => document.querySelectorAll(".row").length === 1);
    const filtered = Date.now() - asked;
    await page.press("Escape");
    await page.until(() => document.querySelectorAll(".row").length === 20_000);
    assert.equal(await page.locator("#sites-table tbody tr").count(), 200);
    await page.click("#more");
    assert.equal(await page.locator("#sites-table tbody tr").count(), 700);
    // The browser's own search finds what was never scrolled to.
    assert.equal(await page.evaluate(() => window.find("the number is 10000")), true);
    console.log(
      `20,000 lines: shown after ${loaded} ms; ${seen.median.toFixed(0)} ms a jump of two frames (at most ${seen.worst.toFixed(0)}), ` +
        `${step.toFixed(0)} ms to the next marked line, ${filtered} ms to filter, ${(seen.heap / 1e6).toFixed(0)} MB of script data`,
    );
    await done(page);
  },
};

/** Texts whose colour is too close to the ground under them, as what and how close. Runs in the page. */
function contrasts() {
  const parse = (text) => {
    const numbers = text.match(/-?[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith("color(") ? 255 : 1;
    return [...numbers.slice(0, 3).map((value) => value * scale), numbers[3] ?? 1];
  };
  const over = (top, ground) => [0, 1, 2].map((at) => top[at] * top[3] + ground[at] * (1 - top[3]));
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (node) => {
    const chain = [];
    for (let at = node; at; at = at.parentElement) chain.unshift(at);
    let found = [[255, 255, 255]];
    for (const at of chain) {
      const style = getComputedStyle(at);
      found = found.map((ground) => over(parse(style.backgroundColor), ground));
      const bar = /(?:rgba?|color)\([^)]*\)/.exec(style.backgroundImage);
      if (bar) found.push(...found.map((ground) => over(parse(bar[0]), ground)));
    }
    return found;
  };
  const wrong = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "NOSCRIPT"].includes(node.tagName)) continue;
    const { width, height, top } = node.getBoundingClientRect();
    if (width < 2 || height < 2 || top > innerHeight + 400 || !node.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) continue;
    const color = parse(getComputedStyle(node).color);
    for (const ground of grounds(node)) {
      const [high, low] = [luminance(over(color, ground)), luminance(ground)].sort((a, b) => b - a);
      const ratio = (high + 0.05) / (low + 0.05);
      if (ratio < 4.5) wrong.push(`${node.tagName}.${node.className} “${walker.currentNode.data.trim().slice(0, 30)}” ${ratio.toFixed(2)}`);
    }
  }
  return [...new Set(wrong)];
}

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const started = Date.now();
  try {
    await test();
    console.log(`ok: ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed++;
    console.log(`failed: ${name}\n${error.stack}`);
  }
}
await browser.close();
console.log(failed ? `${failed} failed` : "\nall done");
process.exit(failed ? 1 : 0);
