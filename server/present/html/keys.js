// Keys, theme, and the beginning.

/** Moves by rows of those shown. */
function step(rows) {
  const at = order.get(state.line) ?? 0;
  const to = Math.min(shown.length - 1, Math.max(0, at + rows));
  if (shown.length) choose(shown[to]);
}

/** The next marked line in a direction, on into the next file. */
function stepMarked(direction) {
  const marked = (index) => {
    const { number, mark: marks, matters } = data.files[index].lines;
    const all = number.filter((_, line) => marks[line] !== null);
    const mattering = number.filter((_, line) => matters[line]);
    return state.every || mattering.length === 0 ? all : mattering;
  };
  const visible = (index) => (index === state.file ? marked(index).filter((number) => order.has(number)) : marked(index));
  const here = visible(state.file);
  const next = direction > 0 ? here.find((number) => number > state.line) : here.findLast((number) => number < state.line);
  if (next !== undefined) return choose(next, false);
  const from = byShare.indexOf(state.file);
  for (let away = 1; away <= byShare.length; away++) {
    const index = byShare.at((from + direction * away) % byShare.length);
    const there = visible(index);
    if (there.length) return open(index, direction > 0 ? there[0] : there.at(-1));
  }
}

function stepFile(direction) {
  open(byShare.at((byShare.indexOf(state.file) + direction) % byShare.length));
}

const themes = ["auto", "light", "dark"];
function theme(wanted) {
  if (wanted === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  $("theme").querySelector("span").textContent = wanted;
  try {
    localStorage.setItem("bytecost-theme", wanted);
  } catch {
    // A page without storage forgets its theme.
  }
}
function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "auto";
  theme(themes[(themes.indexOf(now) + 1) % themes.length]);
}

const page = () => Math.max(1, Math.floor($("source").clientHeight / ROW) - 2);
const keys = {
  j: () => step(1),
  k: () => step(-1),
  n: () => stepMarked(1),
  p: () => stepMarked(-1),
  h: () => open(state.file),
  g: () => step(-shown.length),
  G: () => step(shown.length),
  "]": () => stepFile(1),
  "[": () => stepFile(-1),
  "/": () => $("filter").select() ?? $("filter").focus(),
  t: nextTheme,
  "?": () => $("help").showModal(),
};
const sourceKeys = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  PageDown: () => step(page()),
  PageUp: () => step(-page()),
  Home: () => step(-shown.length),
  End: () => step(shown.length),
  Enter: () => ($("detail-body").querySelector("tr[data-site]") ?? $("detail")).focus(),
};

document.addEventListener("keydown", (event) => {
  if (data.files.length === 0 && !["t", "?"].includes(event.key)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const target = event.target;
  if (event.key === "Escape") {
    hideTip();
    if (target === $("filter")) {
      target.value = state.query = "";
      filter();
    }
    if (target === $("filter") || $("detail").contains(target)) $("source").focus();
    return;
  }
  const row = target.closest?.("tr[data-site]");
  if (row && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const rows = [...$("detail-body").querySelectorAll("tr[data-site]")];
    rows[rows.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    return event.preventDefault();
  }
  if (target.matches?.("input[type=search]")) {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      $("source").focus();
      event.preventDefault();
    }
    return;
  }
  const atRest = target === document.body || target === $("source");
  const action = keys[event.key] ?? (atRest ? sourceKeys[event.key] : undefined);
  if (!action) return;
  hideTip();
  event.preventDefault();
  action();
});

let filterTimer = 0;
$("filter").addEventListener("input", () => {
  clearTimeout(filterTimer);
  filterTimer = setTimeout(() => {
    state.query = $("filter").value.trim().toLowerCase();
    filter();
  }, 120);
});
$("every").addEventListener("change", () => {
  state.every = $("every").checked;
  sites();
});
$("more").addEventListener("click", () => {
  state.listed += 500;
  sites();
});
$("theme").addEventListener("click", nextTheme);
$("help-open").addEventListener("click", () => $("help").showModal());
$("help").addEventListener("click", (event) => {
  if (event.target === $("help")) $("help").close();
});

/** The place an address names, if it is one of the report's. */
function addressed() {
  const found = /^#(.+):(\d+)$/.exec(location.hash);
  if (!found) return null;
  let path;
  try {
    path = decodeURIComponent(found[1]);
  } catch {
    return null;
  }
  const index = data.files.findIndex((file) => file.path === path);
  return index < 0 ? null : [index, Number(found[2])];
}
addEventListener("hashchange", () => {
  const place = addressed();
  if (place && (place[0] !== state.file || place[1] !== state.line)) open(...place);
});

let kept = document.documentElement.dataset.theme ?? "auto";
try {
  kept = localStorage.getItem("bytecost-theme") ?? kept;
} catch {
  // As above.
}
if (themes.includes(kept)) theme(kept);

const legends = new Map(data.states.filter((one) => one.mark).map((one) => [one.mark, one]));
for (const one of legends.values()) {
  const code = data.states.indexOf(one);
  $("legend").append(el("li", {}, mark(code), ` ${one.legend}`));
}
$("legend").append(el("li", {}, data.measure.sentence));
if (data.files.length === 0) {
  for (const id of ["view", "detail"]) $(id).classList.add("empty");
} else {
  sites();
  const place = addressed() ?? data.start ?? [byShare[0], undefined];
  state.file = -1;
  open(...place);
}
