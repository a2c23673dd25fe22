/** The bytecode view: a read-only document beside the source that follows the cursor. */

import * as vscode from 'vscode';
import type { Service } from './client';
import { debounced } from './debounce';
import { isPython } from './heat';
import * as protocol from './protocol';
import { rowAt, rowsOfLine } from './rows';

export const SCHEME = 'bytecost-bytecode';
const VIEW = vscode.Uri.from({ scheme: SCHEME, path: '/Bytecode' });
const LANGUAGE = 'bytecost-bytecode';
const NOTHING = '# Nothing was measured here.\n# Click “Profile” above a function, then put the cursor into it.\n';

/** How long the cursor must rest before the view follows, milliseconds. */
const REST = 60;

export class BytecodeView implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly settle = debounced(REST);
  private readonly line = highlight('bytecost.linkedLineBackground', true);
  private readonly expression = highlight('bytecost.linkedExpressionBackground', false);
  private readonly disposables: vscode.Disposable[];
  private shown: protocol.Bytecode | undefined;
  /** The document whose function is shown. */
  private source: vscode.TextDocument | undefined;
  private asked = 0;

  constructor(private readonly service: Service) {
    this.disposables = [
      this.changed,
      this.settle,
      this.line,
      this.expression,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        this.moved(textEditor);
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        if (editor !== undefined) {
          this.moved(editor);
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        if (this.view === undefined) {
          this.clearSource();
        }
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === SCHEME) {
          this.linkView();
        } else if (document === this.source) {
          this.followSource();
        }
      }),
      service.onDidChangeResults(() => {
        this.followSource();
      }),
    ];
  }

  provideTextDocumentContent(): string {
    return this.shown?.text ?? NOTHING;
  }

  /** Opens the view beside the editor, for the function at its cursor. */
  async open(editor: vscode.TextEditor): Promise<void> {
    await this.follow(editor);
    const document = await vscode.workspace.openTextDocument(VIEW);
    await vscode.languages.setTextDocumentLanguage(document, LANGUAGE);
    await vscode.window.showTextDocument(document, {
      viewColumn: this.view?.viewColumn ?? vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: false,
    });
    this.linkView();
  }

  private get view(): vscode.TextEditor | undefined {
    return vscode.window.visibleTextEditors.find((editor) => editor.document.uri.scheme === SCHEME);
  }

  private get sourceEditor(): vscode.TextEditor | undefined {
    return vscode.window.visibleTextEditors.find((editor) => editor.document === this.source);
  }

  private moved(editor: vscode.TextEditor): void {
    if (this.view === undefined) {
      return;
    }
    if (editor.document.uri.scheme === SCHEME) {
      this.linkSource(editor.selection.active.line);
    } else if (isPython(editor.document)) {
      this.settle.run(() => void this.follow(editor));
    }
  }

  private followSource(): void {
    const editor = this.sourceEditor ?? vscode.window.activeTextEditor;
    if (this.view !== undefined && editor !== undefined && isPython(editor.document)) {
      this.settle.run(() => void this.follow(editor));
    }
  }

  private async follow(editor: vscode.TextEditor): Promise<void> {
    const client = this.service.running;
    if (client === undefined) {
      return;
    }
    this.asked += 1;
    const asked = this.asked;
    const params = client.code2ProtocolConverter.asTextDocumentPositionParams(editor.document, editor.selection.active);
    const found = await protocol.ask(client, 'bytecost/bytecode', params).catch(() => null);
    if (asked !== this.asked) {
      return;
    }
    this.clearSource();
    this.source = editor.document;
    const before = this.provideTextDocumentContent();
    this.shown = found ?? undefined;
    if (this.provideTextDocumentContent() === before) {
      this.linkView();
    } else {
      this.changed.fire(VIEW);
    }
  }

  /** Marks in the view what belongs to the cursor's line in the source. */
  private linkView(): void {
    const [view, source] = [this.view, this.sourceEditor];
    if (view === undefined || source === undefined || view === vscode.window.activeTextEditor) {
      return;
    }
    const cursor = source.selection.active;
    const rows = this.shown?.rows ?? [];
    const lines = rowsOfLine(rows, cursor.line);
    view.setDecorations(this.line, lines.map(wholeLine));
    const at = rowAt(rows, cursor);
    view.setDecorations(this.expression, at === undefined ? [] : [rowText(view, at)]);
    const first = lines[0];
    if (first !== undefined) {
      const last = Math.min(lines.at(-1) ?? first, first + 20);
      view.revealRange(new vscode.Range(first, 0, at ?? last, 0), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  /** Marks in the source what a row of the view was compiled from. */
  private linkSource(at: number): void {
    const [view, source, row] = [this.view, this.sourceEditor, this.shown?.rows[at]];
    if (source === undefined || row?.line === undefined || row.line === null) {
      this.clearSource();
      return;
    }
    const range = row.range === null ? undefined : this.service.running?.protocol2CodeConverter.asRange(row.range);
    source.setDecorations(this.line, [wholeLine(row.line)]);
    source.setDecorations(this.expression, range === undefined ? [] : [range]);
    source.revealRange(range ?? wholeLine(row.line), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    view?.setDecorations(this.line, rowsOfLine(this.shown?.rows ?? [], row.line).map(wholeLine));
    view?.setDecorations(this.expression, []);
  }

  private clearSource(): void {
    this.sourceEditor?.setDecorations(this.line, []);
    this.sourceEditor?.setDecorations(this.expression, []);
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }
}

function highlight(color: string, isWholeLine: boolean): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine,
    backgroundColor: new vscode.ThemeColor(color),
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
}

function wholeLine(line: number): vscode.Range {
  return new vscode.Range(line, 0, line, 0);
}

function rowText(view: vscode.TextEditor, row: number): vscode.Range {
  const document = view.document;
  return row < document.lineCount ? document.lineAt(row).range : wholeLine(row);
}
