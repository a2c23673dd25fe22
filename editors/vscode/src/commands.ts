/** The commands of the palette and the menus. */

import * as vscode from 'vscode';
import type { ExecuteCommandParams, LanguageClient } from 'vscode-languageclient/node';
import type { BytecodeView } from './bytecode';
import type { Service } from './client';
import { isPython } from './heat';
import * as protocol from './protocol';
import { askCall, type Calls, innermost, runnables } from './runs';

/** What the commands work on. */
export interface Parts {
  readonly service: Service;
  readonly view: BytecodeView;
  readonly calls: Calls;
  readonly log: vscode.LogOutputChannel;
}

type Action = (...given: unknown[]) => Promise<void> | void;

/** Registers all commands. */
export function register(parts: Parts): vscode.Disposable {
  const { service, view, calls, log } = parts;
  const actions: Record<string, Action> = {
    'bytecost.profileFunction': () => profile(service, ['function', 'doctest'], 'The cursor is in no function that can be run.'),
    'bytecost.profileTest': () => profile(service, ['test'], 'The cursor is in no test.'),
    'bytecost.profileFile': async (given) => {
      const [, uri] = await subject(service, given instanceof vscode.Uri ? given : undefined);
      await vscode.commands.executeCommand(protocol.RUN, { uri, target: '' });
    },
    'bytecost.profileWithArguments': () => profileWith(service, calls),
    'bytecost.cancelRun': async () => {
      await send(service, { command: 'bytecost.cancel' });
    },
    'bytecost.loadProfile': (uri, uris) => load(service, uri, uris),
    'bytecost.clearResults': async () => {
      await send(service, { command: 'bytecost.clear' });
    },
    'bytecost.toggleHints': () => toggle('hints.enabled'),
    'bytecost.toggleHeat': () => toggle('heat.enabled'),
    'bytecost.openBytecode': async () => {
      await connected(service);
      await view.open(pythonEditor());
    },
    'bytecost.openReport': () => openReport(service),
    'bytecost.openSettings': (key) => openSettings(typeof key === 'string' ? key : '@ext:bytecost.bytecost'),
    'bytecost.restart': () => service.restart(),
    'bytecost.showLog': () => {
      log.show(true);
    },
  };
  return vscode.Disposable.from(
    ...Object.entries(actions).map(([name, action]) =>
      vscode.commands.registerCommand(name, async (...given: unknown[]) => {
        try {
          await action(...given);
        } catch (error) {
          void vscode.window.showErrorMessage(`bytecost: ${error instanceof Error ? error.message : String(error)}`);
        }
      }),
    ),
  );
}

async function connected(service: Service): Promise<LanguageClient> {
  const client = await service.settled();
  if (client === undefined) {
    throw new Error('the server does not run. “bytecost: Show Log” says why.');
  }
  return client;
}

async function send(service: Service, command: ExecuteCommandParams): Promise<void> {
  await (await connected(service)).sendRequest('workspace/executeCommand', command);
}

function pythonEditor(): vscode.TextEditor {
  const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
  const editor = editors.find((editor) => editor !== undefined && isPython(editor.document));
  if (editor === undefined) {
    throw new Error('open a Python file first.');
  }
  return editor;
}

/** The client and the file in question as the server names it. */
async function subject(service: Service, uri?: vscode.Uri): Promise<[LanguageClient, string]> {
  const client = await connected(service);
  return [client, client.code2ProtocolConverter.asUri(uri ?? pythonEditor().document.uri)];
}

async function profile(service: Service, kinds: protocol.Runnable['kind'][], otherwise: string): Promise<void> {
  const [client, uri] = await subject(service);
  const line = pythonEditor().selection.active.line;
  const runnable = innermost(await runnables(client, uri), line, kinds);
  if (runnable === undefined) {
    throw new Error(otherwise);
  }
  await vscode.commands.executeCommand(protocol.RUN, { uri, target: runnable.target });
}

async function profileWith(service: Service, calls: Calls): Promise<void> {
  const [client, uri] = await subject(service);
  const line = pythonEditor().selection.active.line;
  const runnable = innermost(await runnables(client, uri), line, ['function', 'doctest']);
  if (runnable === undefined) {
    throw new Error('The cursor is in no function that can be run.');
  }
  const call = await askCall(calls, uri, runnable);
  if (call !== undefined) {
    await vscode.commands.executeCommand(protocol.RUN, { uri, target: runnable.target, call });
  }
}

/** Shows profiles: those of the explorer's menu, or those the user picks. */
async function load(service: Service, uri: unknown, uris: unknown): Promise<void> {
  const client = await connected(service);
  let chosen = (Array.isArray(uris) ? uris : [uri]).filter((uri) => uri instanceof vscode.Uri);
  if (chosen.length === 0) {
    chosen =
      (await vscode.window.showOpenDialog({
        title: 'Load Profiles or Dumps',
        openLabel: 'Load',
        canSelectMany: true,
      })) ?? [];
  }
  if (chosen.length > 0) {
    const uris = chosen.map((uri) => client.code2ProtocolConverter.asUri(uri));
    await send(service, { command: 'bytecost.load', arguments: [{ uris }] });
  }
}

/** The report as a page of its own. It asks for nothing from outside: its own policy forbids it. */
async function openReport(service: Service): Promise<void> {
  const [client, uri] = await subject(service);
  const report = await protocol.ask(client, 'bytecost/report', { textDocument: { uri } });
  if (report === null) {
    throw new Error('nothing of this file was measured. Profile a function first.');
  }
  const panel = vscode.window.createWebviewPanel('bytecost.report', report.title, vscode.ViewColumn.Active, {
    enableScripts: true,
    localResourceRoots: [],
  });
  const { kind } = vscode.window.activeColorTheme;
  const isLight = kind === vscode.ColorThemeKind.Light || kind === vscode.ColorThemeKind.HighContrastLight;
  panel.webview.html = report.html.replace('<html', `<html data-theme="${isLight ? 'light' : 'dark'}"`);
}

/** Turns a setting around where it is set, else for the user. */
async function toggle(key: string): Promise<void> {
  const settings = vscode.workspace.getConfiguration('bytecost');
  const set = settings.inspect<boolean>(key);
  const target =
    set?.workspaceFolderValue !== undefined
      ? vscode.ConfigurationTarget.WorkspaceFolder
      : set?.workspaceValue !== undefined
        ? vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
  await settings.update(key, settings.get<boolean>(key) !== true, target);
}

/** Opens the settings where those of this extension are shown: they belong to the machine it runs on. */
async function openSettings(query: string): Promise<void> {
  const where = vscode.env.remoteName === undefined ? 'openSettings' : 'openRemoteSettings';
  await vscode.commands.executeCommand(`workbench.action.${where}`, { query });
}
