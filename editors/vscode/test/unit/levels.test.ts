import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byLevel, level, LEVELS } from '../../src/levels';

test('a level begins at its share', () => {
  for (const [index, least] of LEVELS.entries()) {
    assert.equal(level(least), index);
    assert.equal(level(least - 1e-9), index === 0 ? undefined : index - 1);
  }
  assert.equal(level(0), undefined);
  assert.equal(level(1), LEVELS.length - 1);
});

test('every line that is not cold is in one level', () => {
  const lines = [0.001, 0.006, 0.03, 0.07, 0.15, 0.5, 0.25].map((share, line) => ({ line, share }));
  assert.deepEqual(byLevel(lines), [[1], [2], [3], [4], [5, 6]]);
  assert.deepEqual(byLevel([]), [[], [], [], [], []]);
});
