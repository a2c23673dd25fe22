// What is known of the chosen line, and the short form of it under the pointer.

/** Columns of an instruction table: those that have something to say. */
function instructions(file, list) {
  const { sites: all } = file;
  const columns = [
    { head: "Offset", kind: "number dim offset", cell: (site) => String(all.offset[site]), isWide: true },
    { head: "Expression", kind: "", cell: (site) => el("code", { title: expression(file, site) }, expression(file, site)) },
    { head: "Instruction", kind: "", cell: (site) => el("code", { title: operation(file, site) }, operation(file, site)) },
    { head: "Became", kind: "became", cell: (site) => became(file, site) },
    {
      head: data.measure.column,
      kind: "number",
      cell: (site) => el("span", { title: bounded(all.share[site], all.error[site]) }, percent(all.share[site])),
      isNeeded: list.some((site) => all.share[site] > 0),
    },
    {
      head: "Each",
      kind: "number",
      cell: (site) => (all.each[site] === null ? "" : text(all.each[site])),
      isNeeded: list.some((site) => all.each[site] !== null),
    },
    { head: "Executions", kind: "number", cell: (site) => count(all.executions[site]) },
    {
      head: "Misses",
      kind: "number",
      cell: (site) => (all.misses[site] ? (file.bounded.has(site) ? "≥" : "") + count(all.misses[site]) : ""),
      isNeeded: list.some((site) => all.misses[site] > 0),
    },
    {
      head: "Generic",
      kind: "number",
      cell: (site) => (all.deferred[site] ? count(all.deferred[site]) : ""),
      // A site that is generic throughout says so already, and each is generic until it is warm.
      isNeeded: list.some((site) => all.deferred[site] >= all.executions[site] / 100 && all.deferred[site] < all.executions[site]),
    },
  ];
  return columns.filter((column) => column.isNeeded !== false);
}

function became(file, site) {
  const code = file.sites.state[site];
  const words = el("code", { title: data.states[code].answer }, outcome(file, site));
  return isMarked(code) ? el("span", {}, mark(code), " ", words) : words;
}

function table(file, list, label, isBrief) {
  const columns = instructions(file, list).filter((column) => !isBrief || !column.isWide);
  const body = list.map((site) => {
    const cells = columns.map((column) => el("td", { className: column.kind }, column.cell(site)));
    const row = el("tr", { "data-site": site }, ...cells);
    if (isMarked(file.sites.state[site])) row.classList.add("marked");
    if (data.states[file.sites.state[site]].word === "not executed") row.classList.add("idle");
    if (!isBrief) row.tabIndex = 0;
    return row;
  });
  const head = columns.map((column) => el("th", { scope: "col", className: column.kind }, column.head));
  return el("table", { "aria-label": label }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
}

function headline(file, line) {
  const [strong, rest] = file.lines.headline[line];
  return el("p", { className: "headline" }, el("strong", {}, ...prose(text(strong))), ...prose(text(rest)));
}

function detail(site = null) {
  const file = data.files[state.file];
  const line = file.at.get(state.line);
  const name = file.path.split("/").at(-1);
  $("detail-title").replaceChildren(el("bdi", { dir: "ltr", title: file.path }, `${name}:${state.line}`));
  point(null);
  const body = $("detail-body");
  if (line === undefined) {
    const why = file.source ? "No instruction begins on this line." : "Nothing is known of this line.";
    body.replaceChildren(el("p", { className: "headline", "aria-live": "polite" }, why));
    return;
  }
  const [from, to] = sitesOf(file, line);
  const parts = [headline(file, line)];
  parts[0].setAttribute("aria-live", "polite");
  parts.push(...(file.lines.about[line] ?? []).map((index) => el("p", {}, ...prose(text(index)))));
  const groups = new Map();
  for (let each = from; each < to; each++) {
    const owner = file.sites.function[each];
    groups.set(owner, [...(groups.get(owner) ?? []), each]);
  }
  for (const [owner, list] of groups) {
    const qualname = file.functions.qualname[owner];
    const label = `Instructions of ${qualname} on line ${state.line}`;
    if (groups.size > 1) parts.push(el("h3", {}, "in ", el("code", {}, qualname)));
    parts.push(el("div", { className: "table" }, table(file, list, label, false)));
  }
  const marked = [];
  for (let each = from; each < to; each++) {
    const about = file.sites.about[each];
    if (about) marked.push(about.map((index, nth) => el("p", {}, ...(nth ? [] : [mark(file.sites.state[each]), " "]), ...prose(text(index)))));
  }
  if (marked.length) parts.push(el("div", { className: "why" }, ...marked.flat()));
  body.replaceChildren(...parts);
  const wanted = site === null ? null : body.querySelector(`tr[data-site="${site}"]`);
  if (wanted) {
    wanted.classList.add("wanted");
    point(site);
  }
}

const siteAt = (target) => {
  const row = target.closest?.("tr[data-site]");
  return row ? Number(row.dataset.site) : null;
};
$("detail-body").addEventListener("mouseover", (event) => point(siteAt(event.target)));
$("detail-body").addEventListener("mouseleave", () => point(null));
$("detail-body").addEventListener("focusin", (event) => point(siteAt(event.target)));
$("detail-body").addEventListener("focusout", () => point(null));

// The table under the pointer.

const TIP_ROWS = 12;
let tipTimer = 0;

function hideTip() {
  clearTimeout(tipTimer);
  $("tip").hidden = true;
}

function tip(node, x) {
  const file = data.files[state.file];
  const line = file.at.get(Number(node.id.slice(1)));
  if (line === undefined) return hideTip();
  const [from, to] = sitesOf(file, line);
  let list = [];
  for (let site = from; site < to; site++) list.push(site);
  const isTelling = (site) => !["basic", "not executed"].includes(data.states[file.sites.state[site]].word);
  if (list.length > TIP_ROWS) list = list.filter(isTelling);
  list = list.slice(0, TIP_ROWS);
  const more = to - from - list.length;
  const box = $("tip");
  box.replaceChildren(headline(file, line));
  if (list.length) box.append(table(file, list, "", true));
  if (more) box.append(el("p", { className: "dim" }, `${counted(more, "more instruction", "more instructions")}; click to see all.`));
  box.hidden = false;
  // Below the line, or above it where there is no room.
  const place = node.getBoundingClientRect();
  const left = Math.min(x + 16, innerWidth - box.offsetWidth - 8);
  const below = place.bottom + 4;
  const top = below + box.offsetHeight > innerHeight - 8 ? place.top - box.offsetHeight - 4 : below;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${Math.max(8, top)}px`;
}

$("source").addEventListener("mouseover", (event) => {
  const node = event.target.closest(".row");
  hideTip();
  // What is known of the chosen line stands beside it.
  if (node && Number(node.id.slice(1)) !== state.line) tipTimer = setTimeout(tip, 350, node, event.clientX);
});
$("source").addEventListener("mouseleave", hideTip);
$("source").addEventListener("scroll", hideTip, { passive: true });
$("source").addEventListener("click", (event) => {
  const node = event.target.closest(".row");
  hideTip();
  if (node && String(getSelection()) === "") choose(Number(node.id.slice(1)));
});
