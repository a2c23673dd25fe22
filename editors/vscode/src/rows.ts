/** Which rows of the bytecode view belong to a place in the source. */

interface Place {
  readonly line: number;
  readonly character: number;
}

interface Row {
  readonly line: number | null;
  readonly range: { readonly start: Place; readonly end: Place } | null;
}

/** The rows of a line. */
export function rowsOfLine(rows: readonly Row[], line: number): number[] {
  return rows.flatMap((row, index) => (row.line === line ? [index] : []));
}

/** The row of the smallest expression around a place; of several the last, which computes it. */
export function rowAt(rows: readonly Row[], place: Place): number | undefined {
  let best: { index: number; start: Place; end: Place } | undefined;
  for (const [index, { range }] of rows.entries()) {
    if (range === null || isBefore(place, range.start) || !isBefore(place, range.end)) {
      continue;
    }
    const isInner = best === undefined || (!isBefore(range.start, best.start) && !isBefore(best.end, range.end));
    if (isInner) {
      best = { index, start: range.start, end: range.end };
    }
  }
  return best?.index;
}

function isBefore(a: Place, b: Place): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}
