// The packaged extension in a real editor. tests/vscode.rs says where everything is.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compare } from './numbers.mjs';
import { Project } from './project.mjs';
import { pythonExtension } from './python-extension.mjs';
import { launch } from './rig.mjs';
import { Server } from './server.mjs';
import { Workbench } from './workbench.mjs';

const VSIX = process.env.BYTECOST_VSIX;
const WITHOUT_SERVER = process.env.BYTECOST_VSIX_UNIVERSAL;
const [FIRST, SECOND] = process.env.BYTECOST_PYTHONS.split(':');

const ENDLESS = `# bytecost: spin(10**12)
def spin(n):
    total = 0
    while n:
        n -= 1
        total += n
    return total
`;
const SPIN = new URL('../../../../tests/fixtures/dump/app/spin.py', import.meta.url);
const DIVISION = 'magnitude = dt / (square * math.sqrt(square))';

let browser;
let server;

before(async () => {
  browser = await launch();
  server = await Server.start({ extensions: [VSIX] });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Tests in one window on one project, in order: each finds what those before it left. */
function together(about, { files = ['nbody.py'], file = 'nbody.py', at = DIVISION, on, prepare }, parts) {
  describe(about, () => {
    let bench;
    let own;
    let project;
    before(async () => {
      project = new Project(...files);
      await prepare?.(project);
      own = await on?.();
      const line = typeof at === 'string' ? project.lineOf(file, at) : at;
      bench = await Workbench.open(browser, own ?? server, project.root, file, line);
    });
    after(async () => {
      await bench?.close();
      await own?.stop();
      project?.remove();
    });
    for (const [name, body] of Object.entries(parts)) {
      test(name, async () => {
        try {
          await body(bench, project);
        } catch (error) {
          await bench.command('Notifications: Show Notifications').catch(() => {});
          await bench.keep(`failed-${name.replaceAll(/\W+/g, '-')}`);
          throw error;
        }
      });
    }
  });
}

/** A test with a project and a window of its own. */
function scenario(name, options, body) {
  together(name, options, { [name]: body });
}

/** Clicks the lens of `advance` and waits for its hints. */
async function profile(bench, project) {
  await bench.clickLens('Profile advance');
  await settled(bench, project);
}

/** Waits for the hints of `advance`, and for the run to be over. */
async function settled(bench, project) {
  await bench.hintOf(project.read('nbody.py'), project.lineOf('nbody.py', DIVISION));
  await bench.until('the run to end', async () => !(await bench.notifications()).some((text) => text.includes('Profiling')));
}

together('after one click', {
  files: ['nbody.py', 'tokenizer.py'],
  // The panel of problems lists no hints, and a division is no more: nothing makes it faster.
  prepare: (project) => project.write('pyproject.toml', `${project.read('pyproject.toml')}\n[tool.bytecost.diagnostics]\nweak = "information"\n`),
}, {
  async 'one click on a lens shows the numbers of the report'(bench, project) {
    await bench.clickLens('Profile advance');
    await bench.notification('Profiling advance');
    await bench.keep('running');
    await settled(bench, project);
    const count = compare(await bench.hints(project.read('nbody.py')), project.report());
    assert.ok(count >= 15, `${count} lines have hints`);
    await bench.keep('hints');
  },

  async 'a hover tells the whole story of a line'(bench, project) {
    const line = project.lineOf('nbody.py', DIVISION);
    const text = await bench.hover(DIVISION, '/');
    const report = project.report();
    const { executions } = report.lines.get(line);
    assert.match(text, new RegExp(executions.toLocaleString('en')), text);
    assert.match(text, /BINARY_OP/);
    assert.ok(text.includes(`CPython ${report.python.version}`), text);
    assert.ok(!text.includes('```'), 'the block of instructions is not rendered');
    await bench.keep('hover');
    await bench.page.mouse.move(600, 20);
  },

  async 'heat is widest where the share is largest, and can be turned off'(bench, project) {
    const levels = [0.005, 0.02, 0.05, 0.1, 0.2];
    const report = project.report();
    const bars = await bench.until('heat', async () => {
      const bars = await bench.heat();
      return bars.length > 10 && bars;
    });
    const shown = new Map(bars.map(({ line, width }) => [line, width]));
    for (const [line] of await bench.lines()) {
      // Of the instructions where a busy machine left too few samples.
      const of = report.lines.get(line);
      const share = of?.self_share ?? of?.instruction_share ?? 0;
      const level = levels.filter((least) => share >= least).length;
      assert.equal(shown.get(line), level === 0 ? undefined : level + 1, `line ${line} with ${share}`);
    }
    const colors = new Set(bars.map(({ color }) => color));
    assert.ok(colors.size >= 2, [...colors].join());
    await bench.keep('heat');
    await bench.command('bytecost: Show or Hide Heat Colours');
    await bench.until('no heat', async () => (await bench.heat()).length === 0);
    await bench.command('bytecost: Show or Hide Heat Colours');
    await bench.until('heat again', async () => (await bench.heat()).length > 10);
  },

  async 'hints can be hidden and shown'(bench, project) {
    const source = project.read('nbody.py');
    const line = project.lineOf('nbody.py', DIVISION);
    await bench.command('bytecost: Show or Hide Hints');
    await bench.until('no hint', async () => (await bench.hints(source)).get(line) === '');
    await bench.command('bytecost: Show or Hide Hints');
    await bench.hintOf(source, line);
  },

  async 'editing a line takes its hint, and undoing brings it back'(bench, project) {
    const source = project.read('nbody.py');
    const line = project.lineOf('nbody.py', DIVISION);
    const before = await bench.hints(source);
    await bench.goTo(line);
    await bench.page.keyboard.press('End');
    await bench.page.keyboard.type('  # half');
    const edited = source.replace(DIVISION, `${DIVISION}  # half`);
    await bench.until('the line without its hint', async () => (await bench.hints(edited)).get(line) === '');
    await bench.until('the line without its heat', async () => (await bench.heat()).every((bar) => bar.line !== line));
    assert.equal((await bench.hints(edited)).get(line + 1), before.get(line + 1), 'another line lost its hint');
    await bench.keep('edited');
    await bench.until('the hint again', async () => {
      await bench.page.keyboard.press('Control+Z');
      return (await bench.hints(source)).get(line) === before.get(line);
    });
  },

  async 'a diagnostic is on the expression, and in the Problems panel'(bench, project) {
    const line = project.lineOf('nbody.py', DIVISION);
    const site = project.report().lines.get(line).sites.find(({ state }) => state === 'unspecialized');
    const source = project.read('nbody.py').split('\n')[line - 1];
    const [start, end] = [site.range.start[1], site.range.end[1]];
    assert.equal(source.slice(start, end), 'dt / (square * math.sqrt(square))');
    const squiggle = await bench.editor().locator('.squiggly-info').first().boundingBox();
    const shown = await bench.box(DIVISION, 'dt / (square * math.sqrt(square))');
    assert.ok(Math.abs(squiggle.x - shown.left) < 2, `${squiggle.x} and ${shown.left}`);
    // The editor draws it on below the blank in front of the hint.
    const beyond = squiggle.x + squiggle.width - shown.right;
    assert.ok(beyond > -2 && beyond < 12, `it ends ${beyond} pixels behind the expression`);
    assert.ok(Math.abs(squiggle.y - shown.top) < 20, 'it is on the line');
    await bench.command('View: Toggle Problems');
    const problem = bench.page.locator('.markers-panel .monaco-list-row', { hasText: 'bytecost' }).first();
    await problem.waitFor();
    const text = await problem.textContent();
    assert.ok(text.includes(`[Ln ${line}, Col ${start + 1}]`), text);
    await bench.keep('problems');
    await bench.command('View: Toggle Problems');
  },

  async 'the bytecode view follows the cursor, and the source the view'(bench, project) {
    const source = project.read('nbody.py').split('\n');
    const line = project.lineOf('nbody.py', DIVISION);
    await bench.goTo(line, source[line - 1].indexOf('/') + 1);
    await bench.command('bytecost: Show Bytecode to the Side');
    const highlighted = () => bench.editor('Bytecode').evaluate((view) => {
      const rows = new Map([...view.querySelectorAll('.view-line')].map((row) => [row.style.top, row.textContent.replaceAll('\u00a0', ' ')]));
      return [...view.querySelectorAll('.view-overlays > div')]
        .filter((row) => [...row.querySelectorAll('.cdr')].some((part) => /ced-/.test(part.className)))
        .map((row) => rows.get(row.style.top));
    });
    const division = await bench.until('the rows of the line', async () => {
      const rows = await highlighted().catch(() => []);
      return rows.some((row) => /BINARY_OP +\//.test(row)) && rows;
    });
    const sites = project.report().lines.get(line).sites;
    assert.equal(division.length, sites.length + 1, 'the line and its instructions');
    for (const site of sites) {
      const row = division.find((row) => new RegExp(`^[▲▼]? *${site.offset} `).test(row));
      assert.ok(row, `${site.opcode} at ${site.offset} is in the view`);
      assert.ok(row.includes(site.opcode) && row.includes(site.executions.toLocaleString('en')), row);
    }
    await bench.keep('bytecode');

    // The view follows: another line, then another function.
    const push = project.lineOf('nbody.py', 'push = one.mass * magnitude');
    await bench.goTo(push, 20);
    await bench.until('the rows of the next line', async () => (await highlighted()).some((row) => row?.includes('push')));
    await bench.goTo(project.lineOf('nbody.py', 'return [(one, other)'), 5);
    await bench.until('the other function', async () => (await highlighted()).some((row) => row?.includes('return [(one, other)')));

    // The source follows the view.
    await bench.goTo(line, 1);
    await bench.until('the function', async () => (await highlighted()).some((row) => /BINARY_OP +\//.test(row)));
    await bench.editor('Bytecode').locator('.view-line', { hasText: /BINARY_OP\s+\// }).first().click();
    await bench.until('the expression in the source', () =>
      bench.editor().evaluate((editor) => {
        const part = [...editor.querySelectorAll('.view-overlays .cdr')].filter((part) => /ced-/.test(part.className) && parseFloat(getComputedStyle(part).width) < 400);
        return part.some((part) => getComputedStyle(part).backgroundColor !== 'rgba(0, 0, 0, 0)');
      }),
    );
    await bench.keep('bytecode-to-source');
  },

  async 'the report opens as a page'(bench, project) {
    await bench.command('bytecost: Open HTML Report');
    const page = await bench.until('the page', async () => {
      for (const frame of bench.page.frames()) {
        const text = await frame.evaluate(() => document.body?.innerText ?? '').catch(() => '');
        if (text.includes('nbody.py::advance') && text.includes(DIVISION)) {
          return frame;
        }
      }
      return undefined;
    });
    // It is alive: the next marked line is the division's, and its instructions are shown.
    await page.locator('body').press('n');
    await bench.until('the instructions', () => page.evaluate(() => document.body.innerText.includes('BINARY_OP')));
    await bench.keep('report');
  },

  async 'the walkthrough opens'(bench) {
    await bench.page.setViewportSize({ width: 1700, height: 900 });
    await bench.command('Welcome: Open Walkthrough...');
    await bench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'See what your Python lines cost' }).click();
    for (const step of ['Open a Python file', 'Click “Profile” above a function', 'Read the lines', 'Look at the bytecode']) {
      await bench.page.locator('.gettingStartedContainer .step-title', { hasText: step }).waitFor();
    }
    const picture = bench.page.locator('.gettingStartedContainer img[alt^="A Python function"]');
    await bench.until('its picture', () => picture.evaluate((one) => one.complete && one.naturalWidth > 100));
    await bench.page.waitForTimeout(500);
    await bench.keep('walkthrough');
  },

  async 'activation is measured'(bench) {
    await bench.command('Developer: Show Running Extensions');
    const row = bench.page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'bytecost' }).first();
    await row.waitFor();
    const text = await bench.until('its time', async () => /Activation: (\d+)ms/.exec(await row.textContent()));
    console.log(`activation: ${text[1]} ms`);
  },
});

scenario('cancelling ends the run and its processes', { files: [['spin.py', ENDLESS]], file: 'spin.py', at: 'def spin' }, async (bench, project) => {
  await bench.clickLens('Profile spin');
  const item = await bench.notification('Profiling spin');
  await bench.until('the workload', () => project.processes().length > 0);
  await bench.keep('cancel');
  await item.hover();
  await item.getByRole('button', { name: 'Cancel' }).click();
  await bench.until('no process', () => project.processes().length === 0);
  await bench.until('no progress', async () => (await bench.notifications()).length === 0);
  assert.deepEqual(project.saved(), []);
});

scenario('a function that needs arguments asks for the call once', { at: 'def energy' }, async (bench, project) => {
  const source = project.read('nbody.py');
  const line = project.lineOf('nbody.py', 'total += one.kinetic()');
  await bench.clickLens('Profile energy');
  const input = bench.page.locator('.quick-input-widget input').first();
  await bench.until('the call to complete', async () => (await input.inputValue()) === 'energy(bodies=...)');
  await bench.keep('arguments');
  await input.fill('energy(make_bodies())');
  await bench.page.keyboard.press('Enter');
  await bench.hintOf(source, line);
  assert.ok(compare(await bench.hints(source), project.report()) > 5);
  await bench.command('bytecost: Clear All Results');
  await bench.until('no hint', async () => (await bench.hints(source)).get(line) === '');
  await bench.clickLens('Profile energy');
  await bench.hintOf(source, line);
  assert.ok(!(await input.isVisible()), 'it asks again');
  await bench.goTo(line);
  await bench.command('bytecost: Profile Function with Arguments…');
  await bench.until('the call it remembers', async () => (await input.inputValue()) === 'energy(make_bodies())');
});

scenario('the commands profile a file and a test', { files: [['test_sum.py', 'def add(a, b):\n    return a + b\n\n\nif __name__ == "__main__":\n    for i in range(200):\n        add(i, i)\n']], file: 'test_sum.py', at: 'return',
  // A program that has not begun within the time is stopped: a busy machine needs longer.
  prepare: (project) => project.write('pyproject.toml', project.read('pyproject.toml').replace('time = 0.1\n', '')),
}, async (bench, project) => {
  await bench.ready();
  // What is offered depends on the editor that has the focus.
  await bench.focus();
  await bench.command('bytecost: Profile File as a Program');
  assert.match(await bench.hintOf(project.read('test_sum.py'), 2), /×200$/);
  await bench.command('bytecost: Profile Test at Cursor');
  await bench.notification('The cursor is in no test');
});

scenario('a profile from elsewhere is loaded by the command and by the explorer', {
  prepare: (project) => project.measure('nbody.py::advance', join(project.root, 'elsewhere.json')),
}, async (bench, project) => {
  const source = project.read('nbody.py');
  const line = project.lineOf('nbody.py', DIVISION);
  await bench.ready();
  assert.deepEqual(project.saved(), []);
  await bench.command('bytecost: Load Profile or Dump…');
  const input = bench.page.locator('.quick-input-widget input').first();
  await input.waitFor();
  await input.fill(join(project.root, 'elsewhere.json'));
  await bench.page.waitForTimeout(500);
  await bench.page.keyboard.press('Enter');
  await bench.hintOf(source, line);
  compare(await bench.hints(source), project.report(join(project.root, 'elsewhere.json')));
  await bench.command('bytecost: Clear All Results');
  await bench.until('no hint', async () => (await bench.hints(source)).get(line) === '');
  await bench.chooseInExplorer('elsewhere.json', 'Load Profile or Dump');
  await bench.hintOf(source, line);
});

scenario('a dump of another profiler is loaded, and its numbers say whose they are', {
  files: [['spin.py', readFileSync(SPIN, 'utf8')]],
  file: 'spin.py',
  at: 1,
  prepare: (project) => {
    const stack = 'tid:7;<frozen runpy>:_run_code:87;spin.py:<module>:10;spin.py:spin';
    project.write('spin.collapsed', `${stack}:6 343\n${stack}:5 68\n`);
  },
}, async (bench, project) => {
  await bench.ready();
  await bench.chooseInExplorer('spin.collapsed', 'Load Profile or Dump');
  const source = project.read('spin.py');
  assert.match(await bench.hintOf(source, 6), /83(\.5)?\s*%/);
  assert.match(await bench.hintOf(source, 5), /1[67](\.5)?\s*%/);
  assert.match(await bench.hover('acc += data', 'data'), /imported/);
  await bench.keep('dump');
});

scenario('an untrusted workspace runs nothing, shows what is saved, and works once it is trusted', {
  on: () => Server.start({ extensions: [VSIX], trust: true }),
  prepare: (project) => {
    project.measure('nbody.py::advance', join(project.root, 'saved.json'));
    project.write('.bytecost/saved.json', project.read('saved.json'));
    project.write('evil.sh', `#!/bin/sh\ntouch '${project.root}/pwned'\n`);
    project.write('.vscode/settings.json', JSON.stringify({ 'bytecost.path': `${project.root}/evil.sh` }));
    project.makeProgram('evil.sh');
  },
}, async (bench, project) => {
  const source = project.read('nbody.py');
  await bench.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
  await bench.hintOf(source, project.lineOf('nbody.py', DIVISION));
  compare(await bench.hints(source), project.report(join(project.root, 'saved.json')));
  assert.deepEqual(await bench.lenses(), []);
  const offered = await bench.palette('bytecost: Profile');
  assert.ok(!offered.some((title) => title.startsWith('bytecost: Profile')), offered.join());
  assert.deepEqual(project.processes(), []);
  assert.ok(!existsSync(join(project.root, 'pwned')), 'a program of the workspace was run');
  await bench.keep('untrusted');

  project.write('.vscode/settings.json', '{}');
  await bench.command('Workspaces: Manage Workspace Trust');
  await bench.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust' }).first().click();
  await bench.page.keyboard.press('Control+W');
  await bench.clickLens('Profile advance');
  await bench.until('a run', () => project.saved().length > 1 || project.processes().length > 0);
});

scenario('without a server one message says what to do', { on: () => Server.start({ extensions: [WITHOUT_SERVER] }) }, async (bench) => {
  const item = await bench.notification('there is no bytecost on PATH');
  assert.match(await item.textContent(), /bytecost\.path/);
  await bench.page.waitForTimeout(1000);
  assert.equal((await bench.notifications()).length, 1, 'one message');
  await bench.keep('missing');
  await item.hover();
  await item.getByRole('button', { name: 'Open Setting' }).click();
  await bench.page.locator('.settings-editor .setting-item-label', { hasText: 'Path' }).first().waitFor();
  await bench.keep('missing-setting');
});

scenario('the server on PATH is used where none is bundled', {
  on: () => Server.start({ extensions: [WITHOUT_SERVER], path: dirname(process.env.BYTECOST_BINARY) }),
}, profile);

scenario('a setting that names no program is said, and heeded once it is right', {
  prepare: (project) => project.write('.vscode/settings.json', '{"bytecost.path": "/nowhere/bytecost"}'),
}, async (bench, project) => {
  await bench.notification('names /nowhere/bytecost, which is not a program');
  project.write('.vscode/settings.json', '{}');
  await profile(bench, project);
});

scenario('the interpreter is that of the setting', {
  prepare: (project) => {
    project.write('pyproject.toml', '[tool.bytecost]\ntime = 0.1\n');
    project.write('.vscode/settings.json', JSON.stringify({ 'bytecost.python': SECOND }));
  },
}, async (bench, project) => {
  await profile(bench, project);
  assert.equal(versionOf(project), versionIn(SECOND));
});

const active = join(mkdtempSync(join(tmpdir(), 'bytecost-active-')), 'interpreter');
scenario('the interpreter follows the Python extension where no setting names one', {
  prepare: (project) => {
    project.write('pyproject.toml', '[tool.bytecost]\ntime = 0.1\n');
    writeFileSync(active, FIRST);
  },
  on: async () => Server.start({ extensions: [VSIX, await pythonExtension(active)] }),
}, async (bench, project) => {
  await profile(bench, project);
  assert.equal(versionOf(project), versionIn(FIRST));
  writeFileSync(active, SECOND);
  await bench.clickLens('Profile advance');
  await bench.until('the other version', () => versionOf(project) === versionIn(SECOND));
});

scenario('a newcomer with only the package clicks once and sees the slowest line', {
  // Long enough for a picture of the notification.
  prepare: (project) => project.write('pyproject.toml', project.read('pyproject.toml').replace('0.1', '2')),
}, async (bench, project) => {
  const { page } = bench;
  await page.setViewportSize({ width: 980, height: 660 });
  await bench.ready();
  await bench.command('View: Toggle Primary Side Bar Visibility');
  await bench.goTo(project.lineOf('nbody.py', DIVISION));
  const area = async () => {
    const { x, y, width, height } = await page.locator('.editor-group-container').first().boundingBox();
    return { x, y, width, height };
  };
  await bench.until('the editor at rest', async () => (await area()).x < 70);
  await page.waitForTimeout(500);
  const top = await bench.editor().locator('.codelens-decoration', { hasText: 'Profile advance' }).boundingBox();
  await bench.keep('picture-lens', { x: top.x - 70, y: top.y - 30, width: 640, height: 150 });
  await bench.clickLens('Profile advance');
  await bench.notification('Profiling advance');
  await page.waitForTimeout(900);
  await bench.keep('picture-running', { x: 400, y: 480, width: 580, height: 180 });
  await profile(bench, project);
  await page.mouse.move(600, 20);
  await page.waitForTimeout(700);
  await bench.keep('picture-hints', await area());
  assert.ok(compare(await bench.hints(project.read('nbody.py')), project.report()) > 10);
  const problem = await bench.hover(DIVISION, '/');
  assert.match(problem, /generic/i);
  await page.waitForTimeout(500);
  await bench.keep('picture-hover', await area());
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1500, height: 560 });
  const line = project.lineOf('nbody.py', DIVISION);
  await bench.goTo(line, project.read('nbody.py').split('\n')[line - 1].indexOf('/') + 1);
  await bench.command('bytecost: Show Bytecode to the Side');
  await bench.editor('Bytecode').locator('.view-line', { hasText: 'magnitude' }).first().waitFor();
  await page.mouse.move(600, 20);
  await page.waitForTimeout(1200);
  await bench.keep('picture-bytecode', await page.locator('.part.editor').boundingBox());
});

function versionIn(python) {
  return /3\.\d+/.exec(basename(python))[0];
}

function versionOf(project) {
  const [saved] = project.saved();
  return saved && /^3\.\d+/.exec(JSON.parse(readFileSync(saved, 'utf8')).profile.python.version)?.[0];
}
