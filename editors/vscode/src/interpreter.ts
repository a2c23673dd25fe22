/** The interpreter of the environment that is active in the editor, where something knows one. */

import * as vscode from 'vscode';

/** How long the Python extension may take, milliseconds. */
const PATIENCE = 5_000;

/** The part of the Python extension's interface that is used here. */
interface PythonExtension {
  readonly environments: {
    readonly getActiveEnvironmentPath: (resource?: vscode.Uri) => { readonly path: string };
    readonly resolveEnvironment: (
      path: { readonly path: string } | string,
    ) => Promise<{ readonly executable: { readonly uri: vscode.Uri | undefined } } | undefined>;
  };
}

/**
 * The interpreter that the Python extension has active for a file; none without that extension.
 * It is asked before every run, so that a change is followed.
 */
export async function activeInterpreter(resource: vscode.Uri, log: vscode.LogOutputChannel): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension | undefined>('ms-python.python');
  if (extension === undefined) {
    return undefined;
  }
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => {
      reject(new Error('it did not answer in time'));
    }, PATIENCE);
  });
  try {
    return await Promise.race([executable(extension, resource), late]);
  } catch (error) {
    log.warn(`the Python extension does not say which interpreter is active: ${String(error)}`);
    return undefined;
  }
}

async function executable(
  extension: vscode.Extension<PythonExtension | undefined>,
  resource: vscode.Uri,
): Promise<string | undefined> {
  const api = await extension.activate();
  const active = api?.environments.getActiveEnvironmentPath(resource);
  if (api === undefined || active === undefined) {
    return undefined;
  }
  // The active path may be that of a folder.
  const environment = await api.environments.resolveEnvironment(active);
  return environment?.executable.uri?.fsPath;
}
