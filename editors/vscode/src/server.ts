/** Finds the server and asks it what it is, before it is started. */

import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type * as vscode from 'vscode';
import { find, fits, versionIn } from './locate';

/** How long the server may take to say its version, milliseconds. */
const PATIENCE = 10_000;

/** A server that can be started. */
export interface Server {
  readonly path: string;
  readonly version: string;
}

/** Why there is no server, as a sentence for the user. */
export class NoServer extends Error {}

/** The server that is to be used; throws {@link NoServer}. */
export async function locate(context: vscode.ExtensionContext, setting: string): Promise<Server> {
  const isWindows = process.platform === 'win32';
  const found = find({
    setting,
    bundled: context.asAbsolutePath(isWindows ? 'server\\bytecost.exe' : 'server/bytecost'),
    path: process.env['PATH'] ?? '',
    home: homedir(),
    isWindows,
    isFile: isProgram,
  });
  if (found === undefined) {
    throw new NoServer(
      setting.trim() === ''
        ? `this build of the extension carries no server for ${process.platform}-${process.arch}, and there is no bytecost on PATH. Install it, or name it in the setting bytecost.path.`
        : `the setting bytecost.path names ${setting}, which is not a program. Correct it, or clear it to use the server that comes with the extension.`,
    );
  }
  const output = await ask(found.path);
  const version = versionIn(output);
  if (version === undefined) {
    throw new NoServer(`${found.path} is not bytecost: it does not answer to --version. Correct the setting bytecost.path.`);
  }
  const own = (context.extension.packageJSON as { version: string }).version;
  if (!fits(version, own)) {
    throw new NoServer(
      `${found.path} is version ${version}, and this extension needs ${own}. Update it, or clear the setting bytecost.path to use the server that comes with the extension.`,
    );
  }
  return { path: found.path, version };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What `--version` prints; nothing if it cannot be run. */
function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    // Not in the workspace: Windows looks for libraries in the current folder.
    execFile(path, ['--version'], { timeout: PATIENCE, cwd: homedir() }, (error, output) => {
      resolve(error === null ? output : '');
    });
  });
}
