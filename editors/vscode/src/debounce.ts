/** Waits until nothing has happened for a while. */

export interface Debounced {
  /** Calls `action` after the rest, and only the last one given within it. */
  readonly run: (action: () => void) => void;
  readonly dispose: () => void;
}

export function debounced(milliseconds: number): Debounced {
  let timer: NodeJS.Timeout | undefined;
  return {
    run: (action) => {
      clearTimeout(timer);
      timer = setTimeout(action, milliseconds);
    },
    dispose: () => {
      clearTimeout(timer);
    },
  };
}
