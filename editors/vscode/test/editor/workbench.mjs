// One window of the editor: what a user does there, and what a user sees.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const artifacts = process.env.BYTECOST_ARTIFACTS ?? '/tmp/bytecost-artifacts';
const images = fileURLToPath(new URL('../../images', import.meta.url));

/** How long something may take on a busy machine, milliseconds. */
const PATIENCE = Number(process.env.BYTECOST_PATIENCE ?? 60_000);

export class Workbench {
  /** Opens a folder, and a file of it at a line. */
  static async open(browser, server, folder, file, line = 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const bench = new Workbench();
    bench.page = await context.newPage();
    bench.page.setDefaultTimeout(PATIENCE);
    const payload = [];
    if (file) {
      const uri = `vscode-remote://${new URL(server.url).host}${join(folder, file)}`;
      payload.push(['gotoLineMode', 'true'], ['openFile', `${uri}:${line}`]);
    }
    const query = `folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
    await bench.page.goto(`${server.url}/?${query}`);
    await bench.page.waitForSelector('.monaco-workbench .part.editor');
    bench.file = file;
    return bench;
  }

  async close() {
    await this.page.context().close();
  }

  /** The editor of a file, by the end of its name. */
  editor(file = this.file) {
    return this.page.locator(`.editor-instance .monaco-editor[data-uri$="${file}"]`).first();
  }

  /** A click that also waits for the code lens to come to rest. */
  async clickLens(title) {
    const lens = this.editor().locator('.codelens-decoration a', { hasText: title }).first();
    await lens.waitFor();
    await lens.click();
  }

  /** Waits until the server has answered: a lens is there. */
  async ready() {
    await this.editor().locator('.codelens-decoration a').first().waitFor({ state: 'attached' });
  }

  lenses() {
    return this.editor().locator('.codelens-decoration a').allTextContents();
  }

  /** Runs a command by its title in the palette. */
  async command(title) {
    const { page } = this;
    const input = page.locator('.quick-input-widget input').first();
    const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    const soon = { timeout: 10_000 };
    await this.until(`the command ${title}`, async () => {
      try {
        // A palette that opens while an editor takes the focus is gone at once.
        await page.keyboard.press('F1');
        await input.fill(`>${title}`, soon);
        await entry.click(soon);
        return true;
      } catch {
        await page.keyboard.press('Escape');
        return false;
      }
    });
  }

  /** The titles the palette has for a text. */
  async palette(text) {
    const { page } = this;
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input').first().fill(`>${text}`);
    await page.waitForTimeout(600);
    const titles = await page.locator('.quick-input-list .monaco-list-row .label-name').allTextContents();
    await page.keyboard.press('Escape');
    return titles;
  }

  /** Puts the cursor at a line and column, both 1-based. */
  async goTo(line, column = 1, file = this.file) {
    const { page } = this;
    await this.focus(file);
    await page.keyboard.press('Control+G');
    const input = page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`:${line}:${column}`);
    await page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  async focus(file = this.file) {
    await this.editor(file).locator('.native-edit-context, textarea.inputarea').first().focus();
  }

  /** The lines on screen by number: their text with hints. */
  lines(file = this.file) {
    return this.editor(file).evaluate((editor) => {
      const clean = (node) => node.textContent.replaceAll('\u00a0', ' ').replaceAll(/[\u200b-\u200d\u2060]/g, '');
      const tops = new Map();
      for (const row of editor.querySelectorAll('.margin-view-overlays > div')) {
        const number = row.querySelector('.line-numbers');
        if (number) {
          tops.set(row.style.top, Number(number.textContent));
        }
      }
      const found = [...editor.querySelectorAll('.view-lines > .view-line')]
        .filter((row) => tops.has(row.style.top))
        .map((row) => [tops.get(row.style.top), clean(row)]);
      return found.sort(([a], [b]) => a - b);
    });
  }

  /** All text of an editor without line numbers, in order of the screen. */
  async text(file) {
    return this.editor(file).evaluate((editor) =>
      [...editor.querySelectorAll('.view-lines > .view-line')]
        .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
        .map((row) => row.textContent.replaceAll('\u00a0', ' ')),
    );
  }

  /** What stands behind the source on each line of the screen. */
  async hints(source) {
    const texts = source.split('\n');
    const hints = new Map();
    for (const [number, text] of await this.lines()) {
      const line = texts[number - 1] ?? '';
      hints.set(number, text.startsWith(line) ? text.slice(line.length).trim() : undefined);
    }
    return hints;
  }

  /** Numbers of the lines on screen that have a bar of heat, with its width in pixels. */
  heat() {
    return this.editor().evaluate((editor) => {
      const tops = new Map();
      for (const row of editor.querySelectorAll('.margin-view-overlays > div')) {
        const number = row.querySelector('.line-numbers');
        if (number) {
          tops.set(row.style.top, Number(number.textContent));
        }
      }
      const bars = [];
      for (const row of editor.querySelectorAll('.view-overlays > div')) {
        for (const part of row.querySelectorAll('.cdr')) {
          const style = getComputedStyle(part);
          const width = parseFloat(style.borderLeftWidth);
          if (width > 0 && style.borderLeftStyle === 'solid' && tops.has(row.style.top)) {
            bars.push({ line: tops.get(row.style.top), width, color: style.borderLeftColor });
          }
        }
      }
      return bars.sort((a, b) => a.line - b.line);
    });
  }

  /** Waits until a look at the screen yields something true, and returns that. */
  async until(what, look, patience = PATIENCE) {
    const end = Date.now() + patience;
    let seen;
    while (Date.now() < end) {
      seen = await look();
      if (seen) {
        return seen;
      }
      await this.page.waitForTimeout(100);
    }
    throw new Error(`waited for ${what}`);
  }

  /** Waits for the hint of a line. */
  async hintOf(source, line) {
    return this.until(`a hint on line ${line}`, async () => (await this.hints(source)).get(line));
  }

  /** Chooses an entry of the menu of a file in the explorer. */
  async chooseInExplorer(file, entry) {
    const { page } = this;
    await this.until(`the menu of ${file}`, async () => {
      await page.keyboard.press('Escape');
      await page.locator('.explorer-viewlet .monaco-list-row', { hasText: file }).click({ button: 'right' });
      const item = page.locator('.context-view .action-item', { hasText: entry }).first();
      const soon = { timeout: 3000 };
      try {
        // A menu that opens while the explorer is drawn anew is gone before it is clicked, and one
        // that has just opened does not heed a click: it may be the end of the one that opened it.
        await item.waitFor(soon);
        await page.waitForTimeout(500);
        await item.click(soon);
        await item.waitFor({ ...soon, state: 'hidden' });
        return true;
      } catch {
        return false;
      }
    });
  }

  notifications() {
    return this.page.locator('.notification-list-item').allTextContents();
  }

  /** Waits for a notification with a text, and returns all of its text. */
  async notification(part) {
    const item = this.page.locator('.notification-list-item', { hasText: part }).first();
    await item.waitFor();
    return item;
  }

  /** Where a part of the only line with a text is on the screen. */
  box(line, part, file = this.file) {
    return this.editor(file).evaluate((editor, [line, part]) => {
      const text = (node) => node.textContent.replaceAll('\u00a0', ' ');
      const row = [...editor.querySelectorAll('.view-line')].find((row) => text(row).includes(line));
      const range = document.createRange();
      const nodes = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      const from = text(row).indexOf(line) + line.indexOf(part);
      const to = from + part.length;
      for (let at = 0; nodes.nextNode(); at += nodes.currentNode.length) {
        const { length } = nodes.currentNode;
        if (from >= at && from < at + length) {
          range.setStart(nodes.currentNode, from - at);
        }
        if (to > at && to <= at + length) {
          range.setEnd(nodes.currentNode, to - at);
        }
      }
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return { left, right, top, bottom };
    }, [line, part]);
  }

  /** Rests the pointer on a part of a line, and returns the hover's text. */
  async hover(line, part) {
    const { page } = this;
    const hover = page.locator('.monaco-hover:not(.hidden) .hover-contents', { hasText: 'CPython' }).first();
    await this.until('the hover', async () => {
      const { left, right, top, bottom } = await this.box(line, part);
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      await page.mouse.move(x + 40, y + 60);
      await page.mouse.move(x, y, { steps: 4 });
      // A line that moves away from under the pointer, as for a lens, has no hover.
      return hover.waitFor({ timeout: 10_000 }).then(() => true, () => false);
    });
    const all = await page.locator('.monaco-hover:not(.hidden) .hover-contents').allTextContents();
    return all.join('\n').replaceAll('\u00a0', ' ');
  }

  /** Keeps a screenshot; `clip` is a part of the window. Pictures are those of the documentation. */
  async keep(name, clip) {
    mkdirSync(artifacts, { recursive: true });
    const path = join(artifacts, `${name}.png`);
    await this.page.screenshot({ path, ...(clip ? { clip } : {}) });
    if (name.startsWith('picture-') && process.env.BYTECOST_BLESS !== undefined) {
      copyFileSync(path, join(images, name.replace('picture-', '') + '.png'));
    }
  }
}
