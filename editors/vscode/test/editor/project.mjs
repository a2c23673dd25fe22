// A folder with programs to measure, and what there is to be said about them.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url));
const bytecost = process.env.BYTECOST_BINARY;
const python = process.env.BYTECOST_PYTHON;

export class Project {
  /** `files` by name; a name alone is a copy of an example. */
  constructor(...files) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'bytecost-project-')));
    // A project that names its interpreter and is quick.
    this.write('pyproject.toml', `[tool.bytecost]\npython = '${python}'\ntime = 0.1\n`);
    for (const file of files) {
      if (typeof file === 'string') {
        copyFileSync(join(examples, file), join(this.root, file));
      } else {
        this.write(...file);
      }
    }
  }

  write(name, text) {
    mkdirSync(dirname(join(this.root, name)), { recursive: true });
    writeFileSync(join(this.root, name), text);
  }

  /** Lets a file be run. */
  makeProgram(name) {
    chmodSync(join(this.root, name), 0o755);
  }

  read(name) {
    return readFileSync(join(this.root, name), 'utf8');
  }

  /** The 1-based line that a text is on. */
  lineOf(name, text) {
    const index = this.read(name).split('\n').findIndex((line) => line.includes(text));
    if (index < 0) {
      throw new Error(`${text} is not in ${name}`);
    }
    return index + 1;
  }

  /** The saved profiles, newest first. */
  saved() {
    const folder = join(this.root, '.bytecost');
    try {
      const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
      const time = (path) => statSync(path).mtimeMs;
      return names.map((name) => join(folder, name)).sort((a, b) => time(b) - time(a));
    } catch {
      return [];
    }
  }

  /** The report of a profile, by line. */
  report(profile = this.saved()[0]) {
    const text = execFileSync(bytecost, ['show', '--format', 'json', '--source', this.root, profile], { encoding: 'utf8' });
    const report = JSON.parse(text);
    return { ...report, lines: new Map(report.files[0].lines.map((line) => [line.line, line])) };
  }

  /** Measures on the command line, into a file. */
  measure(target, output) {
    execFileSync(bytecost, ['run', '--quiet', '--save', target], { cwd: this.root, stdio: 'ignore' });
    const [saved] = this.saved();
    copyFileSync(saved, output);
    rmSync(join(this.root, '.bytecost'), { recursive: true });
  }

  /** Command lines of the Python processes that work here. */
  processes() {
    const found = [];
    for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const command = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
        if (readlinkSync(`/proc/${id}/cwd`).startsWith(this.root) && command[0].includes('python')) {
          found.push(command.join(' '));
        }
      } catch {
        // It has ended meanwhile.
      }
    }
    return found;
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}
