// The source: rows in chunks that the browser lays out only when they come into view.

const CHUNK = 100;
const ROW = 20;

/** Whether it is known what lines take with what they call. */
const hasTotals = data.files.some((file) => file.lines.total.some((total) => total !== null));
document.body.classList.toggle("totals", hasTotals);

/** Line numbers on show, in order, and the place of each in that order. */
let shown = [];
let order = new Map();
/** The token a line begins in: a string of several lines, or none. */
let openings = new Map();

const rowOf = (number) => $(`L${number}`);

function source() {
  const file = data.files[state.file];
  shown = linesLeft(file);
  order = new Map(shown.map((number, index) => [number, index]));
  $("file-title").replaceChildren(el("bdi", { dir: "ltr" }, file.path));
  const box = $("source");
  box.setAttribute("aria-label", `Source of ${file.path}: line, mark, share, ${hasTotals ? "share with what it calls, " : ""}executions, text`);
  const digits = String(shown.at(-1) ?? 1).length;
  const executions = Math.max(5, ...file.lines.executions.map((ran) => (ran === null ? 1 : count(ran).length)));
  const width = Math.max(0, ...(file.source ?? []).map(cellsOf));
  const view = $("view");
  view.style.setProperty("--digits", `${Math.max(3, digits)}ch`);
  view.style.setProperty("--executions", `${executions}ch`);
  view.style.setProperty("--text", `${width + 2}ch`);
  const columns = [el("span", { className: "no" }, "line"), el("span", { className: "mk" }), el("span", { className: "sh" }, data.measure.column)];
  if (hasTotals) columns.push(el("span", { className: "to", title: "with what the line calls" }, "total %"));
  columns.push(el("span", { className: "ex" }, "execs"));
  $("head").replaceChildren(el("span", { className: "gutter" }, ...columns));
  openings = file.openings ??= openingsOf(file.source ?? []);
  const chunks = [];
  for (let from = 0; from < shown.length; from += CHUNK) {
    const numbers = shown.slice(from, from + CHUNK);
    const chunk = el("div", { className: "chunk", role: "presentation" }, ...numbers.map((number) => row(file, number)));
    chunk.style.height = `${numbers.length * ROW}px`;
    chunks.push(chunk);
  }
  painter.disconnect();
  box.replaceChildren(...chunks);
  for (const chunk of chunks) painter.observe(chunk);
  if (shown.length === 0) box.replaceChildren(el("p", { className: "nothing" }, state.query ? "No line of this file has it." : "No line of this file has instructions."));
  if (order.has(state.line)) choose(state.line, false);
}

/** Cells that a line takes: tabs to the next stop, wide characters two. */
function cellsOf(line) {
  if (/^[\x20-\x7e]*$/.test(line)) return line.length;
  let cells = 0;
  for (const character of line) {
    if (character === "\t") cells += 4 - (cells % 4);
    else cells += character.codePointAt(0) < 0x1100 ? 1 : 2;
  }
  return cells;
}

function row(file, number) {
  const line = file.at.get(number);
  const code = el("code", {}, file.source?.[number - 1] ?? (number === 0 ? "the module's beginning" : ""));
  const node = el("div", { className: "row", id: `L${number}`, role: "option" });
  const gutter = el("span", { className: "gutter" }, el("span", { className: "no" }, String(number)));
  if (line !== undefined) {
    const { lines } = file;
    const share = lines.share[line];
    const ran = lines.instructions[line] === null ? true : lines.instructions[line] > 0;
    if (!ran) node.classList.add("idle");
    gutter.append(
      el("span", { className: "mk" }, lines.mark[line] === null ? "" : mark(lines.mark[line], lines.matters[line])),
      el("span", { className: "sh", title: ran ? bounded(share, lines.error[line]) : "" }, ran ? percent(share) : ""),
      hasTotals ? el("span", { className: "to" }, ran ? percent(lines.total[line]) : "") : "",
      el("span", { className: "ex" }, count(lines.executions[line])),
    );
    heat(node, share);
  } else {
    node.classList.add("bare");
  }
  node.append(gutter, code);
  return node;
}

// What a line is made of is painted when it comes near.

const painter = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      painter.unobserve(entry.target);
      for (const node of entry.target.children) paint(node);
    }
  },
  { root: $("source"), rootMargin: "1000px" },
);

const KEYWORDS =
  "False|None|True|and|as|assert|async|await|break|case|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|type|while|with|yield";
const TOKEN = new RegExp(
  `(?<comment>#.*$)|(?<string>\\b[rRbBfFuUtT]{0,2}(?<quote>'''|"""|'|")|(?<quote2>'''|"""|'|"))|(?<keyword>\\b(?:${KEYWORDS})\\b)|[\\p{L}_][\\p{L}\\p{N}_]*`,
  "gu",
);

/** Tokens of a line as [start, end, class], and the quote that is still open at its end. */
function tokens(line, opening) {
  const found = [];
  let at = 0;
  let quote = opening;
  while (at <= line.length) {
    let start = at;
    if (!quote) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(line);
      if (!match) return [found, ""];
      const { comment, string, keyword } = match.groups;
      start = match.index;
      at = TOKEN.lastIndex;
      if (comment !== undefined) found.push([start, line.length, "comment"]);
      if (keyword !== undefined) found.push([start, at, "keyword"]);
      if (string === undefined) continue;
      quote = match.groups.quote ?? match.groups.quote2;
    }
    const end = closing(line, at, quote);
    found.push([start, end < 0 ? line.length : end, "string"]);
    if (end < 0) return [found, quote.length === 3 || line.endsWith("\\") ? quote : ""];
    at = end;
    quote = "";
  }
  return [found, quote];
}

/** The end of a string that is open at a place; -1 when the line has none. */
function closing(line, from, quote) {
  for (let at = from; at < line.length; at++) {
    if (line[at] === "\\") at++;
    else if (line.startsWith(quote, at)) return at + quote.length;
  }
  return -1;
}

function openingsOf(lines) {
  const found = new Map();
  let quote = "";
  lines.forEach((line, index) => {
    if (quote) found.set(index + 1, quote);
    quote = tokens(line, quote)[1];
  });
  return found;
}

/** Draws a line with its tokens, its marked expressions and one to point at. */
function paint(node, focus = null) {
  const number = Number(node.id.slice(1));
  const file = data.files[state.file];
  const line = file.source?.[number - 1];
  if (line === undefined) return;
  const layers = tokens(line, openings.get(number) ?? "")[0];
  const index = file.at.get(number);
  if (index !== undefined) {
    const [from, to] = sitesOf(file, index);
    for (let site = from; site < to; site++) {
      const range = file.sites.range[site];
      if (!isMarked(file.sites.state[site]) || !range) continue;
      const [start, further, end] = range;
      const kind = data.states[file.sites.state[site]].word === "generic" ? "generic" : "missing";
      layers.push([start, further ? line.length : end, `under ${kind}${file.lines.matters[index] ? "" : " faint"}`]);
    }
  }
  if (focus) layers.push([...focus, "focus"]);
  node.lastChild.replaceChildren(...pieces(line, layers));
}

/** A line cut where layers begin and end. */
function pieces(line, layers) {
  const cuts = [...new Set([0, line.length, ...layers.flatMap(([start, end]) => [start, Math.min(end, line.length)])])];
  cuts.sort((a, b) => a - b);
  const made = [];
  for (let at = 0; at + 1 < cuts.length; at++) {
    const [start, end] = [cuts[at], cuts[at + 1]];
    const over = layers.filter((layer) => layer[0] <= start && end <= layer[1]).map((layer) => layer[2]);
    const part = line.slice(start, end);
    made.push(over.length ? el("span", { className: over.join(" ") }, part) : part);
  }
  return made;
}

/** Points at a site's expression in the source; none takes the pointer away. */
let pointed = [];
function point(site) {
  for (const node of pointed) paint(node);
  pointed = [];
  const file = data.files[state.file];
  const range = site === null ? null : file.sites.range[site];
  if (!range) return;
  const first = lineOf(file, site);
  const [start, further, end] = range;
  // Statements with statements in them stand for their first line.
  const last = further > 30 ? first : first + further;
  for (let number = first; number <= last; number++) {
    const node = rowOf(number);
    if (!node) continue;
    const line = file.source[number - 1];
    const from = number === first ? start : line.length - line.trimStart().length;
    paint(node, [from, number === first + further ? end : line.length]);
    pointed.push(node);
  }
}

/** Shows a file, and a line of it; `reveal` brings it to the middle. */
function open(index, number, reveal = true, site = null) {
  if (index !== state.file || shown.length === 0) {
    state.file = index;
    state.line = 0;
    const wasList = $("files").contains(document.activeElement);
    files();
    functions();
    source();
    if (wasList) $("files").querySelector("[aria-current]").focus();
  }
  const file = data.files[index];
  if (number === undefined) number = costliest(file) ?? shown[0];
  if (!order.has(number) && state.query) {
    $("filter").value = state.query = "";
    filter();
  }
  if (number !== undefined && order.has(number)) choose(number, reveal, site);
}

function costliest(file) {
  let best;
  file.lines.number.forEach((number, line) => {
    const share = file.lines.share[line] ?? 0;
    if (order.has(number) && (best === undefined || share > best[1])) best = [number, share];
  });
  return best?.[0];
}

function choose(number, reveal = false, site = null) {
  const box = $("source");
  rowOf(state.line)?.setAttribute("aria-selected", "false");
  const node = rowOf(number);
  if (!node) return;
  state.line = number;
  node.setAttribute("aria-selected", "true");
  box.setAttribute("aria-activedescendant", node.id);
  // Rows have one height: their place is known before the browser lays them out.
  const top = order.get(number) * ROW;
  if (reveal) box.scrollTop = top - box.clientHeight / 2;
  else if (top < box.scrollTop + ROW) box.scrollTop = top - 2 * ROW;
  else if (top > box.scrollTop + box.clientHeight - 3 * ROW) box.scrollTop = top - box.clientHeight + 3 * ROW;
  for (const old of document.querySelectorAll("#sites-table tr.current")) old.classList.remove("current");
  for (const now of document.querySelectorAll("#sites-table tr[data-at]")) {
    if (now.dataset.at === `${state.file}:${number}`) now.classList.add("current");
  }
  detail(site);
  history.replaceState(null, "", anchor(state.file, number));
}
