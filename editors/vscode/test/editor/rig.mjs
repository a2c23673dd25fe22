// The programs of tests/rigs/install-vscode.
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const rigs = process.env.BYTECOST_RIGS ?? join(homedir(), '.cache/bytecost-rigs');
const modules = join(rigs, 'vscode/node_modules');

export const node = join(modules, 'node/bin/node');
export const codeServer = join(modules, 'code-server/out/node/entry.js');
export const { chromium } = createRequire(join(modules, 'x.js'))('playwright-core');

/** A browser without a screen. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.BYTECOST_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}
