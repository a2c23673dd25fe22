/** A bar before each line and a mark in the overview ruler: the wider and brighter, the hotter. */

import * as vscode from 'vscode';
import { PYTHON, type Service } from './client';
import { debounced } from './debounce';
import { byLevel, LEVELS } from './levels';
import * as protocol from './protocol';

/** How long the text must rest before the server is asked anew, milliseconds. */
const REST = 150;

export class Heat implements vscode.Disposable {
  private readonly levels = LEVELS.map((_, level) => decoration(level));
  private readonly disposables: vscode.Disposable[] = [...this.levels];
  private readonly settle = debounced(REST);

  constructor(private readonly service: Service) {
    const all = () => {
      this.all();
    };
    this.disposables.push(
      this.settle,
      vscode.window.onDidChangeVisibleTextEditors(all),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (isPython(document)) {
          this.settle.run(all);
        }
      }),
      service.onDidChangeResults(all),
    );
  }

  private all(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (isPython(editor.document)) {
        void this.show(editor);
      }
    }
  }

  private async show(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    const client = this.service.running;
    const textDocument = client?.code2ProtocolConverter.asTextDocumentIdentifier(document);
    const heat = client && textDocument && (await protocol.ask(client, 'bytecost/heat', { textDocument }).catch(() => null));
    if (document.version !== version) {
      return; // The change has asked again.
    }
    for (const [level, lines] of byLevel(heat?.lines ?? []).entries()) {
      const type = this.levels[level];
      if (type !== undefined) {
        editor.setDecorations(type, lines.map((line) => new vscode.Range(line, 0, line, 0)));
      }
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }
}

export function isPython(document: vscode.TextDocument): boolean {
  return vscode.languages.match(PYTHON, document) > 0;
}

/** Width and colour say the same: neither needs the other. */
function decoration(level: number): vscode.TextEditorDecorationType {
  const color = new vscode.ThemeColor(`bytecost.heat${level + 1}`);
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    borderStyle: 'solid',
    borderWidth: `0 0 0 ${level + 2}px`,
    borderColor: color,
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    ...(level > 0 ? { overviewRulerColor: color } : {}),
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
}
