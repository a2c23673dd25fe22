/** The item in the language status of Python files: what the server does. */

import * as vscode from 'vscode';

export type Situation =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly version: string; readonly trusted: boolean }
  | { readonly kind: 'running'; readonly title: string }
  | { readonly kind: 'failed'; readonly message: string };

export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem('bytecost', { language: 'python' });
  /** What it is when nothing runs. */
  private resting: Situation = { kind: 'starting' };

  constructor() {
    this.item.name = 'bytecost';
    this.show(this.resting);
  }

  set(situation: Situation): void {
    this.resting = situation;
    this.show(situation);
  }

  /** Something runs until {@link rest} is called. */
  run(title: string): void {
    this.show({ kind: 'running', title });
  }

  rest(): void {
    this.show(this.resting);
  }

  private show(situation: Situation): void {
    const item = this.item;
    item.busy = situation.kind === 'starting' || situation.kind === 'running';
    item.severity = vscode.LanguageStatusSeverity.Information;
    item.text = 'bytecost';
    item.command = { title: 'Show Log', command: 'bytecost.showLog' };
    switch (situation.kind) {
      case 'starting':
        item.detail = 'starting';
        break;
      case 'ready':
        item.detail = situation.trusted
          ? `ready, version ${situation.version}`
          : 'restricted: shows saved profiles, runs nothing';
        if (!situation.trusted) {
          item.command = { title: 'Manage Trust', command: 'workbench.trust.manage' };
        }
        break;
      case 'running':
        item.detail = situation.title;
        item.command = { title: 'Cancel', command: 'bytecost.cancelRun' };
        break;
      case 'failed':
        item.detail = situation.message;
        item.severity = vscode.LanguageStatusSeverity.Error;
        item.command = { title: 'Restart', command: 'bytecost.restart' };
        break;
    }
  }

  dispose(): void {
    this.item.dispose();
  }
}
