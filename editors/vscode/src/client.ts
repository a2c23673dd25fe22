/** The one connection to the server: started, restarted, and told when trust is granted. */

import * as vscode from 'vscode';
import type { Executable, LanguageClient, LanguageClientOptions, Middleware } from 'vscode-languageclient/node';
import { NoServer, locate } from './server';
import type { Status } from './status';

/** What the server knows: Python in files. */
export const PYTHON = { scheme: 'file', language: 'python' } as const;

/** The server, or that there is none. */
export class Service implements vscode.Disposable {
  private client: LanguageClient | undefined;
  /** Starts and stops go one after another. */
  private queue: Promise<void> = Promise.resolve();
  private readonly started = new vscode.EventEmitter<void>();
  /** A new server has started: what was asked of the old one is void. */
  readonly onDidStart = this.started.event;
  private readonly results = new vscode.EventEmitter<void>();
  /** What the server shows of any document may have changed. */
  readonly onDidChangeResults = this.results.event;
  private refreshes: vscode.Disposable | undefined;
  private readonly opened: vscode.Disposable;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly status: Status,
    private readonly middleware: Middleware,
  ) {
    this.opened = vscode.workspace.onDidOpenTextDocument(() => {
      if (this.refreshes === undefined) {
        this.hearRefreshes();
      }
    });
  }

  /** The client while its server runs. */
  get running(): LanguageClient | undefined {
    return this.client?.isRunning() === true ? this.client : undefined;
  }

  /** The client once the starts and stops under way are over; none if there is no server. */
  async settled(): Promise<LanguageClient | undefined> {
    await this.queue;
    return this.running;
  }

  /** Starts the server, anew if it runs. What goes wrong is said to the user. */
  restart(): Promise<void> {
    this.queue = this.queue.then(async () => {
      await this.stop();
      this.status.set({ kind: 'starting' });
      try {
        await this.start();
      } catch (error) {
        await this.explain(error);
      }
    });
    return this.queue;
  }

  private async start(): Promise<void> {
    const setting = vscode.workspace.getConfiguration('bytecost').get<string>('path') ?? '';
    const server = await locate(this.context, setting);
    // The client is most of the extension: only who has a server pays for it, and not on activation.
    const { LanguageClient, RevealOutputChannelOn, State } = await import('vscode-languageclient/node');
    this.log.info(`server ${server.version}: ${server.path}`);
    const executable: Executable = {
      command: server.path,
      args: ['lsp'],
      // The workspace's own folder may hold anything.
      options: { cwd: this.context.extensionPath },
    };
    const options: LanguageClientOptions = {
      documentSelector: [PYTHON],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: { trusted: vscode.workspace.isTrusted },
      middleware: this.middleware,
    };
    const client = new LanguageClient('bytecost', 'bytecost', executable, options);
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.status.set({ kind: 'ready', version: server.version, trusted: vscode.workspace.isTrusted });
        this.started.fire();
      } else if (newState === State.Stopped && this.client === client) {
        this.status.set({ kind: 'failed', message: 'the server has stopped' });
      }
    });
    await client.start();
    this.refreshes?.dispose();
    this.hearRefreshes();
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      await client.dispose().catch((error: unknown) => {
        this.log.warn(`the server did not stop well: ${String(error)}`);
      });
    }
  }

  /** One message that says what to do, with a button that begins it. */
  private async explain(error: unknown): Promise<void> {
    const message = error instanceof NoServer ? error.message : `the server does not start: ${String(error)}`;
    this.log.error(message);
    this.status.set({ kind: 'failed', message });
    const isSetting = error instanceof NoServer;
    const button = isSetting ? 'Open Setting' : 'Show Log';
    void vscode.window.showErrorMessage(`bytecost: ${message}`, button).then((chosen) => {
      if (chosen !== undefined && isSetting) {
        void vscode.commands.executeCommand('bytecost.openSettings', 'bytecost.path');
      } else if (chosen !== undefined) {
        this.log.show(true);
      }
    });
    return Promise.resolve();
  }

  /**
   * The server says that results have changed by having the hints refreshed. The client's emitter
   * of that is the same for all documents, but is found through one.
   */
  private hearRefreshes(): void {
    const document = vscode.workspace.textDocuments.find((document) => vscode.languages.match(PYTHON, document) > 0);
    const provider = document && this.running?.getFeature('textDocument/inlayHint').getProvider(document);
    this.refreshes = provider?.onDidChangeInlayHints.event(() => {
      this.results.fire();
    });
    this.results.fire();
  }

  dispose(): Thenable<void> {
    this.opened.dispose();
    this.refreshes?.dispose();
    this.started.dispose();
    this.results.dispose();
    this.queue = this.queue.then(() => this.stop());
    return this.queue;
  }
}
