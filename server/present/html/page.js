// The state of the page, words and numbers, and the lists of files, functions and sites.
// Everything shown is a text node: nothing of the data is read as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

/** An element with properties, attributes (`aria-…`, `data-…`, `role`) and children. */
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (/^(aria-|data-|role$|scope$|for$|href$|dir$)/.test(name)) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const text = (index) => data.texts[index];

/** A sentence whose code stands between the control characters 2 and 3. */
function prose(sentence) {
  const parts = sentence.split(/[\x02\x03]/);
  return parts.map((part, at) => (at % 2 ? el("code", {}, part) : document.createTextNode(part)));
}

// Numbers as the terminal's report writes them.

function count(number) {
  if (number === null || number === undefined) return "–";
  if (number > Number.MAX_SAFE_INTEGER) return `≈${number.toExponential(3)}`;
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function percent(share) {
  if (share === null || share === undefined) return "";
  return share > 0 && share < 0.0005 ? "<0.1%" : `${(share * 100).toFixed(1)}%`;
}

/** A share with half of its 95 % interval: `12.3% ± 0.4`. */
function bounded(share, error) {
  if (!share || error === null || error === undefined) return percent(share);
  return `${percent(share)} ± ${error < 0.00095 ? (error * 100).toFixed(2) : (error * 100).toFixed(1)}`;
}

function counted(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** What is seen: the chosen file, line and site, the filter, the order of the sites. */
const state = {
  file: 0,
  line: 0,
  query: "",
  every: false,
  listed: 200,
  order: { key: "weight", down: true },
};

const isMarked = (code) => data.states[code].mark !== null;

/** The mark of a state, told to those who do not see it. */
function mark(code, matters = true) {
  const words = data.states[code];
  const kind = words.word === "generic" ? "generic" : "missing";
  return el(
    "span",
    { className: `mark ${kind}${matters ? "" : " faint"}`, role: "img", "aria-label": words.word, title: words.legend },
    words.mark,
  );
}

// Largest share of a line: heat and bars are relative to it, numbers never are.
let most = 0;
for (const file of data.files) for (const share of file.lines.share) most = Math.max(most, share ?? 0);

/** A share as number, bar and heat. */
function heat(node, share, whole = most) {
  if (share > 0 && whole > 0) {
    node.style.setProperty("--bar", `${Math.min(100, (share / whole) * 100).toFixed(1)}%`);
    node.style.setProperty("--heat", Math.min(1, Math.sqrt(share / whole)).toFixed(3));
  }
  return node;
}

const byShare = data.files
  .map((file, index) => index)
  .sort((a, b) => (data.files[b].share ?? 0) - (data.files[a].share ?? 0));

for (const file of data.files) {
  file.at = new Map(file.lines.number.map((number, index) => [number, index]));
  file.bounded = new Set(file.sites.at_least);
}

const sitesOf = (file, line) => [file.lines.sites[line], file.lines.sites[line + 1] ?? file.sites.offset.length];

/** The text of a site's expression, if it is known. */
function expression(file, site) {
  const range = file.sites.range[site];
  const number = lineOf(file, site);
  const line = range && file.source && file.source[number - 1];
  if (line === null || line === undefined) return "";
  const [start, further, end] = range;
  return further ? `${line.slice(start).trim()} …` : line.slice(start, end).trim();
}

/** The line number of a site: the last line that begins at or before it. */
function lineOf(file, site) {
  const firsts = file.lines.sites;
  let [low, high] = [0, firsts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firsts[middle] <= site) low = middle;
    else high = middle - 1;
  }
  return file.lines.number[low];
}

/** The instruction in CPython's words: opcode and argument. */
function operation(file, site) {
  const argument = text(file.sites.argument[site]);
  return argument ? `${text(file.sites.opcode[site])} ${argument}` : text(file.sites.opcode[site]);
}

/** What became of it: its form, or its state where it has none that counts. */
function outcome(file, site) {
  const words = data.states[file.sites.state[site]];
  const form = file.sites.form[site];
  if (form !== null && ["specialized", "missing", "missing in several forms"].includes(words.word)) return `→ ${text(form)}`;
  return words.word === "basic" ? "" : words.word;
}

// The filter.

/** Everything of a line that a filter can name, in lower case. */
function haystack(file, number) {
  const line = file.at.get(number);
  const parts = [file.source?.[number - 1] ?? ""];
  if (line !== undefined) {
    const [from, to] = sitesOf(file, line);
    const sites = file.sites;
    for (let site = from; site < to; site++) {
      parts.push(text(sites.opcode[site]), file.functions.qualname[sites.function[site]]);
      if (sites.form[site] !== null) parts.push(text(sites.form[site]));
      if (isMarked(sites.state[site])) parts.push(data.states[sites.state[site]].word);
    }
  }
  return parts.join("\n").toLowerCase();
}

/** Whether the file's path has the words of the filter: then all of its lines do. */
const isNamed = (file) => file.path.toLowerCase().includes(state.query);

/** The line numbers of a file that the filter leaves. */
function linesLeft(file) {
  const numbers = file.source ? file.source.map((_, index) => index + 1) : file.lines.number.filter((number) => number > 0);
  // Where a module begins, for what is told of it.
  const zero = file.at.get(0);
  if (zero !== undefined && (file.lines.share[zero] ?? 0) >= 0.0005) numbers.unshift(0);
  if (!state.query || isNamed(file)) return numbers;
  file.hay ??= new Map(numbers.map((number) => [number, haystack(file, number)]));
  return numbers.filter((number) => file.hay.get(number)?.includes(state.query));
}

function filter() {
  const left = data.files.map((file) => linesLeft(file));
  const total = left.reduce((sum, lines) => sum + lines.length, 0);
  $("matches").textContent = state.query ? `${counted(total, "line", "lines")} with “${state.query}”` : "";
  if (state.query && left[state.file].length === 0) {
    const other = byShare.find((index) => left[index].length > 0);
    if (other !== undefined) return open(other, left[other][0]);
  }
  files(left);
  functions(left[state.file]);
  sites();
  source();
}

// Files and functions.

/** A path or qualified name: where room is scarce, what it is in goes first. */
function named(name, separator) {
  const cut = name.lastIndexOf(separator, name.length - 2) + 1;
  const around = cut ? el("span", { className: "around" }, name.slice(0, cut)) : null;
  return el("bdi", { className: "name", dir: "ltr", title: name }, around, el("span", {}, name.slice(cut)));
}

function place(name, share, details, isCurrent, choose) {
  const button = el(
    "button",
    { type: "button", onclick: choose, "aria-current": isCurrent ? "true" : null },
    name,
    el("span", { className: "share" }, percent(share)),
    el("span", { className: "details" }, ...details),
  );
  return el("li", {}, heat(button, share, 1));
}

function files(left = data.files.map((file) => linesLeft(file))) {
  const list = byShare.filter((index) => left[index].length > 0 || !state.query);
  $("files").replaceChildren(
    ...list.map((index) => {
      const file = data.files[index];
      const marked = file.lines.mark.filter((code) => code !== null).length;
      const details = [];
      if (state.query && !isNamed(file)) details.push(counted(left[index].length, "line", "lines"));
      else if (marked) details.push(counted(marked, "marked line", "marked lines"));
      if (file.stale) details.push(details.length ? ", text changed" : "text changed");
      return place(named(file.path, "/"), file.share, details, index === state.file, () => open(index));
    }),
  );
}

/** The functions that have one of these lines. */
function functions(left = linesLeft(data.files[state.file])) {
  const file = data.files[state.file];
  const all = file.functions;
  const wanted = new Set();
  for (const number of left) {
    const line = file.at.get(number);
    if (line === undefined) continue;
    const [from, to] = sitesOf(file, line);
    for (let site = from; site < to; site++) wanted.add(all.owner[file.sites.function[site]]);
  }
  const shares = all.owner.map(() => null);
  all.owner.forEach((owner, index) => {
    if (all.share[index] !== null) shares[owner] = (shares[owner] ?? 0) + all.share[index];
  });
  const ran = all.owner
    .map((_, index) => index)
    .filter((index) => wanted.has(index) && (shares[index] === null || shares[index] > 0))
    .sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0));
  $("functions").replaceChildren(
    ...ran.map((index) => {
      const calls = all.is_function[index] && all.calls[index] !== null ? [counted(all.calls[index], "call", "calls")] : [];
      const line = Math.max(1, all.line[index]);
      return place(named(all.qualname[index], "."), shares[index], calls, false, () => open(state.file, line, true));
    }),
  );
}

// The ranking.

const number = (value) => value ?? -1;
const columns = [
  { key: "weight", head: "#", title: "executions off the fast path", value: (row) => number(row.weight), down: true },
  { key: "place", head: "Line", value: (row) => [row.path, row.number] },
  { key: "expression", head: "Expression", value: (row) => row.expression },
  { key: "operation", head: "Instruction", value: (row) => row.operation },
  { key: "outcome", head: "Became", value: (row) => row.outcome },
  { key: "share", head: data.measure.column, title: "of its line", value: (row) => number(row.share), down: true },
  { key: "executions", head: "Executions", value: (row) => number(row.executions), down: true },
  { key: "slow", head: "Off the fast path", title: "generic executions, or misses", value: (row) => number(row.weight), down: true },
];

const rows = data.ranking.map((entry) => {
  const file = data.files[entry.file];
  return {
    ...entry,
    path: file.path,
    number: file.lines.number[entry.line],
    expression: expression(file, entry.site),
    operation: operation(file, entry.site),
    outcome: outcome(file, entry.site),
    share: file.lines.share[entry.line],
    executions: file.sites.executions[entry.site],
  };
});
state.every = !rows.some((row) => row.matters);

function compare(a, b) {
  if (Array.isArray(a)) return compare(a[0], b[0]) || compare(a[1], b[1]);
  return a < b ? -1 : a > b ? 1 : 0;
}

function sites() {
  const mattering = rows.filter((row) => row.matters).length;
  const column = columns.find((one) => one.key === state.order.key);
  const ranked = rows.filter((row) => row.matters || state.every);
  ranked.forEach((row, index) => (row.rank = index + 1));
  const listed = ranked.filter((row) => {
    if (!state.query) return true;
    const words = `${row.path}\n${row.expression}\n${row.operation}\n${row.outcome}\n${data.states[data.files[row.file].sites.state[row.site]].word}`;
    return words.toLowerCase().includes(state.query);
  });
  // The sort is stable: equals stay in the order of their rank.
  listed.sort((a, b) => compare(column.value(a), column.value(b)) * (state.order.down ? -1 : 1));
  const shown = listed.slice(0, state.listed);
  $("sites-count").textContent = rows.length ? `· ${counted(mattering, "site", "sites")}` : "";
  $("every-label").hidden = mattering === rows.length || mattering === 0;
  $("every-label").querySelector("span").textContent = `also the ${counted(rows.length - mattering, "site", "sites")} that matter less`;
  $("more").hidden = shown.length === listed.length;
  $("more").textContent = `Show ${counted(Math.min(500, listed.length - shown.length), "more site", "more sites")}`;
  if (shown.length === 0) {
    const nothing = state.query && rows.length ? [el("p", { className: "nothing" }, "No site has it.")] : [];
    return $("sites-table").replaceChildren(...nothing);
  }
  const head = columns.map((one) => {
    const sorted = one.key === state.order.key ? (state.order.down ? "descending" : "ascending") : "none";
    const button = el("button", { type: "button", title: one.title ?? "", "data-key": one.key }, one.head);
    button.onclick = () => {
      const down = one.key === state.order.key ? !state.order.down : one.down === true;
      state.order = { key: one.key, down };
      sites();
      $("sites-table").querySelector(`[data-key="${one.key}"]`).focus();
    };
    return el("th", { scope: "col", "aria-sort": sorted, className: one.key }, button);
  });
  $("sites-table").replaceChildren(
    el(
      "table",
      { "aria-labelledby": "sites-title" },
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...shown.map(siteRow)),
    ),
  );
}

function siteRow(row) {
  const file = data.files[row.file];
  const link = el("a", { href: anchor(row.file, row.number) }, named(`${row.path}:${row.number}`, "/"));
  const go = (event) => {
    event.preventDefault();
    open(row.file, row.number, true, row.site);
  };
  const bound = file.bounded.has(row.site) && !["generic"].includes(row.outcome) ? "≥" : "";
  const cells = [
    el("td", { className: "rank" }, String(row.rank)),
    el("td", {}, mark(file.sites.state[row.site], row.matters), " ", link),
    el("td", {}, el("code", { title: row.expression }, row.expression)),
    el("td", {}, el("code", {}, row.operation)),
    el("td", {}, el("code", {}, row.outcome)),
    heat(el("td", { className: "share" }, percent(row.share)), row.share),
    el("td", { className: "number" }, count(row.executions)),
    el("td", { className: "number" }, row.weight === null ? "–" : bound + count(row.weight)),
  ];
  const isCurrent = row.file === state.file && row.number === state.line;
  return el("tr", { onclick: go, className: isCurrent ? "current" : "", "data-at": `${row.file}:${row.number}` }, ...cells);
}

const anchor = (file, number) => `#${encodeURIComponent(data.files[file].path)}:${number}`;
