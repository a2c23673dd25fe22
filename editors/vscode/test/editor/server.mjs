// A code-server with a profile of its own.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeServer, node } from './rig.mjs';

const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.colorTheme': 'Default Dark Modern',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'security.workspace.trust.banner': 'always',
  'window.commandCenter': false,
  'editor.minimap.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

/** A fresh profile with extensions installed, served until it is stopped. */
export class Server {
  /** `trust`: folders are not trusted until the user says so; else all are. `path`: a folder to be first on PATH. */
  static async start({ extensions, trust = false, path }) {
    const server = new Server();
    server.home = mkdtempSync(join(tmpdir(), 'bytecost-vscode-'));
    const dirs = ['--user-data-dir', join(server.home, 'data'), '--extensions-dir', join(server.home, 'extensions')];
    mkdirSync(join(server.home, 'data/User'), { recursive: true });
    mkdirSync(join(server.home, 'extensions'));
    writeFileSync(join(server.home, 'data/User/settings.json'), JSON.stringify(SETTINGS));
    const environment = { ...process.env, HOME: server.home, XDG_CONFIG_HOME: join(server.home, 'config') };
    if (path) {
      // The extension host has the PATH of a login shell.
      writeFileSync(join(server.home, '.profile'), `PATH='${path}':$PATH\n`);
      environment.SHELL = '/bin/bash';
    }
    delete environment.VSCODE_IPC_HOOK_CLI;
    for (const extension of extensions) {
      await promisify(execFile)(node, [codeServer, ...dirs, '--install-extension', extension], { env: environment });
    }
    const options = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--bind-addr', '127.0.0.1:0'];
    if (!trust) {
      options.push('--disable-workspace-trust');
    }
    server.process = spawn(node, [codeServer, ...options, ...dirs], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    server.url = await new Promise((resolve, reject) => {
      let output = '';
      const read = (bytes) => {
        output += bytes;
        const found = /HTTP server listening on (http:\S+?)\/?\s/.exec(output);
        if (found) {
          resolve(found[1]);
        }
      };
      server.process.stdout.on('data', read);
      server.process.stderr.on('data', read);
      server.process.on('exit', (code) => reject(new Error(`code-server ended with ${code}: ${output}`)));
    });
    return server;
  }

  async stop() {
    this.process.removeAllListeners('exit');
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
