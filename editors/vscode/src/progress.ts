/** Progress of a run, with a button that cancels it. */

import * as vscode from 'vscode';
import type { ProgressToken, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport } from 'vscode-languageclient/node';
import type { Status } from './status';

type Step = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Shown {
  readonly report: (step: WorkDoneProgressReport) => void;
  readonly end: () => void;
}

/**
 * Shows what the server says of its runs as notifications. The language client itself would show
 * it in the status bar, where nothing can be cancelled.
 */
export class Progress {
  private readonly shown = new Map<ProgressToken, Shown>();

  constructor(
    private readonly status: Status,
    /** Tells the server that the user has cancelled. */
    private readonly cancel: (token: ProgressToken) => void,
  ) {}

  step(token: ProgressToken, step: Step): void {
    switch (step.kind) {
      case 'begin':
        this.begin(token, step);
        break;
      case 'report':
        this.shown.get(token)?.report(step);
        break;
      case 'end':
        this.shown.get(token)?.end();
        break;
    }
  }

  /** The server is gone, and with it what it did. */
  endAll(): void {
    for (const shown of [...this.shown.values()]) {
      shown.end();
    }
  }

  private begin(token: ProgressToken, first: WorkDoneProgressBegin): void {
    this.status.run(first.title);
    const options = { location: vscode.ProgressLocation.Notification, title: first.title, cancellable: true };
    void vscode.window.withProgress(options, (progress, cancelled) => {
      cancelled.onCancellationRequested(() => {
        this.cancel(token);
      });
      let done = 0;
      const report = ({ message, percentage }: { message?: string; percentage?: number }) => {
        const increment = percentage === undefined ? 0 : Math.max(0, percentage - done);
        done += increment;
        progress.report({ increment, ...(message === undefined ? {} : { message }) });
      };
      report(first);
      return new Promise<void>((resolve) => {
        this.shown.set(token, {
          report,
          end: () => {
            this.shown.delete(token);
            if (this.shown.size === 0) {
              this.status.rest();
            }
            resolve();
          },
        });
      });
    });
  }
}
