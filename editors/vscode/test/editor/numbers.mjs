// What a hint says against what the report says.
import assert from 'node:assert/strict';

/** Share of the executed instructions, in percent, below which a line may go without one. */
const LEAST = 0.1;
const MARKED = ['unspecialized', 'deopting', 'polymorphic'];

/** A hint's parts: `▲ 7.7% instr ×10k`, or `×3 calls` where a function begins. */
export function parse(hint) {
  const parts = /^(?:([▲▼]) ?)?(?:(<?)([\d.]+)%( instr)? ?)?(?:×([\d.]+)([kMG]?)( calls?)?)?$/.exec(hint);
  assert.ok(parts, `${hint} is no hint`);
  const [, mark, below, percent, instructions, times, unit, calls] = parts;
  const of = percent === undefined ? undefined : instructions ? 'instruction_share' : 'self_share';
  return { marked: mark !== undefined, below: below === '<', percent, of, times, unit, calls: calls !== undefined };
}

/** Whether an abbreviated count stands for a number: `20k` is 19,500 to 20,500. */
function means(times, unit, number) {
  const value = Number(times);
  const half = unit === '' ? 0 : value < 10 ? 0.05 : 0.5;
  return Math.abs(number / { '': 1, k: 1e3, M: 1e6, G: 1e9 }[unit] - value) <= half + 1e-9;
}

/** Holds every line on screen against the report; returns how many have a hint. */
export function compare(hints, report) {
  let compared = 0;
  for (const [line, hint] of hints) {
    const reported = report.lines.get(line);
    const called = report.files[0].functions.find((it) => it.line === line);
    const executions = reported?.executions ?? 0;
    assert.notEqual(hint, undefined, `line ${line} has another text`);
    if (hint === '') {
      const isDue = executions > 0 && 100 * (reported.self_share ?? reported.instruction_share) >= LEAST && called === undefined;
      assert.ok(!isDue, `line ${line} ran ${executions} times and has no hint`);
      continue;
    }
    compared += 1;
    const said = parse(hint);
    const place = `line ${line}: ${hint}`;
    assert.ok(executions > 0, `${place}, but it never ran`);
    if (said.calls) {
      assert.ok(means(said.times, said.unit, called.calls), `${place} for ${called.calls} calls`);
      continue;
    }
    if (said.percent !== undefined) {
      const percent = 100 * reported[said.of];
      const half = said.percent < 10 ? 0.0501 : 0.501;
      assert.ok(said.below ? percent < said.percent : Math.abs(percent - said.percent) <= half, `${place} for ${percent}`);
    }
    if (said.times !== undefined) {
      assert.ok(means(said.times, said.unit, executions), `${place} for ${executions}`);
    }
    assert.ok(said.percent !== undefined || said.times !== undefined, `${place} says nothing`);
    assert.equal(said.marked, reported.sites.some(({ state }) => MARKED.includes(state)), place);
  }
  return compared;
}
