import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowAt, rowsOfLine } from '../../src/rows';

function range(from: number, to: number, line = 3) {
  return { start: { line, character: from }, end: { line, character: to } };
}

// t = a / (b * c)
const ROWS = [
  { line: null, range: null },
  { line: 3, range: null },
  { line: 3, range: range(4, 5) },
  { line: 3, range: range(9, 10) },
  { line: 3, range: range(13, 14) },
  { line: 3, range: range(9, 14) },
  { line: 3, range: range(4, 15) },
  { line: 3, range: range(0, 1) },
  { line: 4, range: range(4, 15, 4) },
];

test('the rows of a line are all of them', () => {
  assert.deepEqual(rowsOfLine(ROWS, 3), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(rowsOfLine(ROWS, 9), []);
});

test('the row of the innermost expression is found', () => {
  for (const [character, expected] of [[4, 2], [9, 3], [11, 5], [13, 4], [6, 6], [14, 6], [0, 7], [2, undefined], [15, undefined]] as const) {
    assert.equal(rowAt(ROWS, { line: 3, character }), expected, `column ${character}`);
  }
  assert.equal(rowAt(ROWS, { line: 5, character: 4 }), undefined);
});

test('of equal ranges the last computes the value', () => {
  assert.equal(rowAt([{ line: 3, range: range(1, 5) }, { line: 3, range: range(1, 5) }], { line: 3, character: 2 }), 1);
});

test('an expression over several lines is around what is between', () => {
  const rows = [{ line: 1, range: { start: { line: 1, character: 8 }, end: { line: 3, character: 1 } } }];
  assert.equal(rowAt(rows, { line: 2, character: 0 }), 0);
  assert.equal(rowAt(rows, { line: 1, character: 7 }), undefined);
});
