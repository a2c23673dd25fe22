/** From shares to colours. */

/** The share from which a line has a level, coldest first; what is below the first has none. */
export const LEVELS = [0.005, 0.02, 0.05, 0.1, 0.2] as const;

/** 0 for the coldest level, and nothing for what is too cold to have one. */
export function level(share: number): number | undefined {
  const reached = LEVELS.filter((least) => share >= least).length;
  return reached === 0 ? undefined : reached - 1;
}

/** Lines by level, coldest level first. */
export function byLevel(lines: readonly { readonly line: number; readonly share: number }[]): number[][] {
  const levels: number[][] = LEVELS.map(() => []);
  for (const { line, share } of lines) {
    const at = level(share);
    if (at !== undefined) {
      levels[at]?.push(line);
    }
  }
  return levels;
}
