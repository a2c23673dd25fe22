/** What is run, and how it is called. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { activeInterpreter } from './interpreter';
import * as protocol from './protocol';

/** The calls the user has given, by function. */
export class Calls {
  constructor(private readonly memory: vscode.Memento) {}

  get(uri: string, target: string): string | undefined {
    return this.memory.get<Record<string, string>>('calls')?.[`${uri}#${target}`];
  }

  async set(uri: string, target: string, call: string): Promise<void> {
    const calls = { ...this.memory.get<Record<string, string>>('calls'), [`${uri}#${target}`]: call };
    await this.memory.update('calls', calls);
  }
}

/** What can be run in a document, in the order of the text. */
export async function runnables(client: LanguageClient, uri: string): Promise<protocol.Runnable[]> {
  return await protocol.ask(client, 'bytecost/runnables', { textDocument: { uri } });
}

/** The innermost of the wanted kinds around a line. */
export function innermost(
  all: readonly protocol.Runnable[],
  line: number,
  kinds: readonly protocol.Runnable['kind'][],
): protocol.Runnable | undefined {
  return all
    .filter(({ kind, range }) => kinds.includes(kind) && range.start.line <= line && line <= range.end.line)
    .at(-1);
}

/** Asks how a function is to be called; nothing if the user does not say. */
export async function askCall(calls: Calls, uri: string, runnable: protocol.Runnable): Promise<string | undefined> {
  const known = calls.get(uri, runnable.target) ?? runnable.call ?? `${runnable.target}()`;
  const gap = known.indexOf('...');
  const call = await vscode.window.showInputBox({
    title: runnable.title,
    prompt: 'The call to measure, as you would write it in this file. It is remembered for this function.',
    value: known,
    ...(gap < 0 ? {} : { valueSelection: [gap, gap + 3] as [number, number] }),
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.includes('...') ? 'Write a value instead of each …' : text.trim() === '' ? 'Write a call' : undefined,
  });
  if (call !== undefined) {
    await calls.set(uri, runnable.target, call);
  }
  return call;
}

/** The arguments of a run with everything the server needs; nothing if the user gave up. */
export async function complete(
  client: LanguageClient,
  calls: Calls,
  wanted: protocol.RunArguments,
  log: vscode.LogOutputChannel,
): Promise<protocol.RunArguments | undefined> {
  let call = wanted.call;
  if (call === undefined && wanted.target !== undefined) {
    const runnable = (await runnables(client, wanted.uri)).find(({ target }) => target === wanted.target);
    if (runnable?.needsCall === true) {
      call = calls.get(wanted.uri, runnable.target) ?? (await askCall(calls, wanted.uri, runnable));
      if (call === undefined) {
        return undefined;
      }
    }
  }
  const environment = await activeInterpreter(client.protocol2CodeConverter.asUri(wanted.uri), log);
  return { ...wanted, ...(call === undefined ? {} : { call }), ...(environment === undefined ? {} : { environment }) };
}
