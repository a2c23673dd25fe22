// A stand-in for the Python extension: its interface, with the active interpreter read from a file.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';

/** Packages it; `file` holds the path of the interpreter that is active. */
export async function pythonExtension(file) {
  const folder = mkdtempSync(join(tmpdir(), 'bytecost-python-'));
  mkdirSync(join(folder, 'out'));
  const manifest = {
    name: 'python', publisher: 'ms-python', version: '2026.1.0', license: 'MIT', repository: 'https://example.invalid/python',
    engines: { vscode: '^1.91.0' }, main: './out/main.js', activationEvents: [],
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'README.md'), 'A stand-in.\n');
  writeFileSync(join(folder, 'out/main.js'), `
    const { readFileSync } = require('fs');
    const { Uri } = require('vscode');
    exports.activate = () => ({
      environments: {
        getActiveEnvironmentPath: () => ({ id: 'x', path: readFileSync(${JSON.stringify(file)}, 'utf8') }),
        resolveEnvironment: async ({ path }) => ({ executable: { uri: Uri.file(path) } }),
      },
    });`);
  const packagePath = join(folder, 'python.vsix');
  await createVSIX({ cwd: folder, packagePath, dependencies: false, skipLicense: true });
  return packagePath;
}
