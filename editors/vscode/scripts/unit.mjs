// Runs the unit tests: bundled, for they are TypeScript.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const outdir = `${here}dist/unit`;
rmSync(outdir, { recursive: true, force: true });
const entryPoints = readdirSync(`${here}test/unit`).map((name) => `${here}test/unit/${name}`);
await build({ entryPoints, bundle: true, platform: 'node', format: 'cjs', outdir, logLevel: 'warning' });
const files = readdirSync(outdir).map((name) => `${outdir}/${name}`);
process.exitCode = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1;
