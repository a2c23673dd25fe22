/** What the server offers beside the protocol. See `server/lsp/requests.rs`. */

import type { LanguageClient, Range, TextDocumentIdentifier, TextDocumentPositionParams } from 'vscode-languageclient/node';

interface DocumentParams {
  readonly textDocument: TextDocumentIdentifier;
}

/** What a line costs. */
export interface HeatLine {
  /** 0-based, of the text on screen. */
  readonly line: number;
  /** Part of the whole, 0 to 1. */
  readonly share: number;
}

export interface Heat {
  /** What the shares are parts of, to stand after a percentage: `of the run's time`. */
  readonly of: string;
  readonly lines: readonly HeatLine[];
}

/** A row of the bytecode view. */
export interface BytecodeRow {
  /** The line of the text on screen it belongs to, 0-based. */
  readonly line: number | null;
  /** The expression it was compiled from, in the text on screen. */
  readonly range: Range | null;
}

export interface Bytecode {
  readonly title: string;
  readonly text: string;
  /** One a line of `text`. */
  readonly rows: readonly BytecodeRow[];
}

/** Something that can be run. */
export interface Runnable {
  readonly kind: 'function' | 'test' | 'doctest' | 'file';
  /** As `bytecost.run` takes it. */
  readonly target: string;
  /** What a button says: `Profile advance`. */
  readonly title: string;
  readonly range: Range;
  /** Nothing says how to call it. */
  readonly needsCall: boolean;
  /** A call to begin with, `...` for what only the user knows; null where there is none to give. */
  readonly call: string | null;
}

export interface Report {
  /** What was measured. */
  readonly title: string;
  /** A document that needs nothing else. */
  readonly html: string;
}

/** What the server answers, by what it is asked, with what it is asked for. */
interface Requests {
  'bytecost/heat': [DocumentParams, Heat | null];
  'bytecost/bytecode': [TextDocumentPositionParams, Bytecode | null];
  'bytecost/runnables': [DocumentParams, Runnable[]];
  'bytecost/report': [DocumentParams, Report | null];
}

/** Asks the server. By name only: the client's own classes would have to be loaded for a type. */
export function ask<M extends keyof Requests>(client: LanguageClient, method: M, params: Requests[M][0]): Promise<Requests[M][1]> {
  return client.sendRequest<Requests[M][1]>(method, params);
}

/** Argument of the server's command `bytecost.run`. */
export interface RunArguments {
  readonly uri: string;
  readonly target?: string;
  readonly call?: string;
  /** The interpreter of the editor's active environment. */
  readonly environment?: string;
}

/** The server's commands. The client registers them under these names. */
export const RUN = 'bytecost.run';
export const SHOW_BYTECODE = 'bytecost.showBytecode';
