// Makes one .vsix with the extension, its server and its licences.
//
//   npm run package                                            for this machine, server built with cargo
//   npm run package -- --target linux-x64 --binary PATH        for another, with the server at PATH
//   npm run package -- --target linux-x64=A --target win32-x64=B    several at once
//   npm run package -- --target universal                      without a server: it is looked for on PATH
//   --out FOLDER                                               where it goes, dist if not said
import { createVSIX } from '@vscode/vsce';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './build.mjs';

/** Platforms that VS Code knows and the server is built for. */
const TARGETS = [
  'linux-x64', 'linux-arm64', 'linux-armhf', 'alpine-x64', 'alpine-arm64',
  'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64',
];
const UNIVERSAL = 'universal';

const here = fileURLToPath(new URL('..', import.meta.url));
const repository = resolve(here, '../..');
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const { version } = manifest;
const source = manifest.repository.url.replace(/\.git$/, '');

/** Which packages are to be made: pairs of a platform and the path of its server. */
function wanted() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      binary: { type: 'string' },
      out: { type: 'string', default: join(here, 'dist') },
    },
  });
  const targets = values.target ?? [`${process.platform}-${process.arch}`];
  if (values.binary !== undefined && targets.length > 1) {
    throw new Error('--binary is for one target; write --target NAME=PATH for each of several');
  }
  const pairs = targets.map((given) => {
    const [target, path = values.binary] = given.split('=', 2);
    if (target !== UNIVERSAL && !TARGETS.includes(target)) {
      throw new Error(`${target} is no platform of VS Code: take ${TARGETS.join(', ')} or ${UNIVERSAL}`);
    }
    return [target, path];
  });
  return { pairs, out: resolve(values.out) };
}

/** The server of this machine, newly built. */
function built(target) {
  if (target !== `${process.platform}-${process.arch}`) {
    throw new Error(`name the server for ${target} with --binary: this machine is ${process.platform}-${process.arch}`);
  }
  const output = execFileSync('cargo', ['build', '--release', '--locked', '--message-format=json-render-diagnostics'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages = output.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const artifact = messages.find(({ executable, target }) => executable && target.name === 'bytecost');
  return artifact.executable;
}

/** Puts what is made elsewhere beside the manifest. */
function stage(target, path) {
  rmSync(join(here, 'server'), { recursive: true, force: true });
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) {
    copyFileSync(join(repository, licence), join(here, licence));
  }
  if (target === UNIVERSAL) {
    return;
  }
  const binary = path ?? built(target);
  if (!existsSync(binary)) {
    throw new Error(`there is no file ${binary}`);
  }
  mkdirSync(join(here, 'server'));
  const copy = join(here, 'server', target.startsWith('win32') ? 'bytecost.exe' : 'bytecost');
  copyFileSync(binary, copy);
  chmodSync(copy, 0o755);
}

try {
  const { pairs, out } = wanted();
  mkdirSync(out, { recursive: true });
  await bundle();
  for (const [target, path] of pairs) {
    stage(target, path);
    const packagePath = join(out, `bytecost-${target}-${version}.vsix`);
    await createVSIX({
      cwd: here,
      packagePath,
      dependencies: false,
      // Pictures of the README are looked up where the source is.
      baseContentUrl: `${source}/blob/HEAD/editors/vscode`,
      baseImagesUrl: `${source}/raw/HEAD/editors/vscode`,
      // There are two, under their own names.
      skipLicense: true,
      ...(target === UNIVERSAL ? {} : { target }),
    });
    console.log(`${packagePath}: ${(statSync(packagePath).size / 1e6).toFixed(1)} MB`);
  }
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
}
