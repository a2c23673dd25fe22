/** Where the server may be, and whether what is there fits. Nothing here runs or reads anything. */

/** A program that may be the server. */
export interface Candidate {
  /** Absolute. */
  readonly path: string;
  readonly from: 'setting' | 'bundled' | 'path';
}

/** What is looked at to find the server. */
export interface Surroundings {
  /** `bytecost.path`, as the user wrote it; empty for none. */
  readonly setting: string;
  /** Where this extension carries its server, if it does. */
  readonly bundled: string;
  /** `PATH`. */
  readonly path: string;
  readonly home: string;
  readonly isWindows: boolean;
  readonly isFile: (path: string) => boolean;
}

/**
 * The server's program: the one the setting names, else the bundled one, else the first on `PATH`.
 * A setting that names nothing yields nothing: another program than the named one would mislead.
 * Relative folders of `PATH` are passed over, for they may be the workspace's.
 */
export function find(around: Surroundings): Candidate | undefined {
  const setting = expandHome(around.setting.trim(), around.home);
  if (setting !== '') {
    const path = isAbsolute(setting, around.isWindows) ? setting : onPath(setting, around);
    return path !== undefined && around.isFile(path) ? { path, from: 'setting' } : undefined;
  }
  if (around.isFile(around.bundled)) {
    return { path: around.bundled, from: 'bundled' };
  }
  const path = onPath('bytecost', around);
  return path === undefined ? undefined : { path, from: 'path' };
}

function onPath(name: string, around: Surroundings): string | undefined {
  if (/[/\\]/.test(name)) {
    return undefined;
  }
  const [separator, slash] = around.isWindows ? [';', '\\'] : [':', '/'];
  const file = around.isWindows && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  return around.path
    .split(separator)
    .filter((folder) => isAbsolute(folder, around.isWindows))
    .map((folder) => folder.replace(/[/\\]+$/, '') + slash + file)
    .find((path) => around.isFile(path));
}

function isAbsolute(path: string, isWindows: boolean): boolean {
  return isWindows ? /^([a-z]:[/\\]|\\\\)/i.test(path) : path.startsWith('/');
}

function expandHome(path: string, home: string): string {
  return /^~[/\\]/.test(path) ? home + path.slice(1) : path;
}

/** The version that `bytecost --version` prints, such as `0.1.0`. */
export function versionIn(output: string): string | undefined {
  return /^bytecost (\d+\.\d+\.\d+\S*)/.exec(output.trim())?.[1];
}

/**
 * Whether a server of one version works with an extension of another: patches may differ, and
 * before 1.0 a minor version is a promise of its own.
 */
export function fits(server: string, extension: string): boolean {
  const parts = (version: string) => version.split('.');
  const [a, b] = [parts(server), parts(extension)];
  return a[0] === b[0] && (a[0] !== '0' || a[1] === b[1]);
}
