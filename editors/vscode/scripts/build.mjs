// Bundles the extension into one file, and prints its size.
import { build } from 'esbuild';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const outfile = 'dist/extension.js';

export async function bundle() {
  await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: ['src/extension.ts'],
    bundle: true,
    external: ['vscode'],
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'eof',
    outfile,
  });
  const size = statSync(new URL(`../${outfile}`, import.meta.url)).size;
  console.log(`${outfile}: ${Math.round(size / 1000)} kB`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle();
}
