/** Puts the parts together. What is known of Python and bytecode is in the server. */

import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { BytecodeView } from './bytecode';
import { Service } from './client';
import { register } from './commands';
import { Heat } from './heat';
import { Progress } from './progress';
import * as protocol from './protocol';
import { Calls, complete } from './runs';
import { Status } from './status';

let service: Service | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('bytecost', { log: true });
  const status = new Status();
  const calls = new Calls(context.workspaceState);
  const progress = new Progress(status, (token) => {
    void service?.running?.sendNotification('window/workDoneProgress/cancel', { token });
  });

  const middleware: Middleware = {
    handleWorkDoneProgress: (token, step) => {
      progress.step(token, step);
    },
    // Lenses and actions come this way, too.
    executeCommand: async (command, given: unknown[], next) => {
      const client = service?.running;
      if (command === protocol.RUN && client !== undefined && given.length > 0) {
        const wanted = await complete(client, calls, given[0] as protocol.RunArguments, log);
        return wanted === undefined ? undefined : ((await next(command, [wanted])) as unknown);
      }
      if (command === protocol.SHOW_BYTECODE) {
        return await vscode.commands.executeCommand('bytecost.openBytecode');
      }
      return (await next(command, given)) as unknown;
    },
  };

  const connection = new Service(context, log, status, middleware);
  service = connection;
  const view = new BytecodeView(connection);
  context.subscriptions.push(
    log,
    status,
    view,
    new Heat(connection),
    register({ service: connection, view, calls, log }),
    connection.onDidStart(() => {
      progress.endAll();
    }),
    // The server is told once whether anything may run, and a new one is told anew.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void connection.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('bytecost.path')) {
        void connection.restart();
      }
    }),
  );
  // Not waited for: the editor goes on while the server starts.
  void connection.restart();
}

export async function deactivate(): Promise<void> {
  await service?.dispose();
}
