const WIDTH = 520, HEIGHT = 360, LEFT = 68, BOTTOM = 46, TOP = 12, RIGHT = 12;

/** Axes with titles; returns the drawing and functions from values to pixels. */
function axes({ x, y, xTitle, yTitle, label }) {
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "group", "aria-label": label });
  const px = (value) => LEFT + ((value - x[0]) / (x[1] - x[0] || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (value) => HEIGHT - BOTTOM - ((value - y[0]) / (y[1] - y[0] || 1)) * (HEIGHT - BOTTOM - TOP);
  for (const value of ticks(x)) {
    drawing.append(svg("line", { class: "grid", x1: px(value), x2: px(value), y1: py(y[0]), y2: py(y[1]) }));
    drawing.append(svg("text", { x: px(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, tick(value)));
  }
  for (const value of ticks(y)) {
    drawing.append(svg("line", { class: "grid", x1: px(x[0]), x2: px(x[1]), y1: py(value), y2: py(value) }));
    drawing.append(svg("text", { x: LEFT - 6, y: py(value) + 4, "text-anchor": "end" }, tick(value)));
  }
  drawing.append(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, xTitle));
  drawing.append(svg("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(13 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)` }, yTitle));
  return { drawing, px, py };
}

function ticks([low, high]) {
  const step = 10 ** Math.floor(Math.log10((high - low) / 2 || 1));
  const fitting = [step, step * 2, step * 5].find((s) => (high - low) / s <= 6) || step * 10;
  const found = [];
  for (let value = Math.ceil(low / fitting - 1e-9) * fitting; value <= high + fitting * 1e-9; value += fitting) found.push(Number(value.toPrecision(12)));
  return found;
}
const tick = (value) => (Math.abs(value) >= 1000 ? value.toLocaleString("en") : String(Number(value.toPrecision(6))));

/** Numbers of a part of a drawing, on hover and on keyboard focus. */
function speaks(part, text, note) {
  part.setAttribute("tabindex", "0");
  part.setAttribute("role", "img");
  part.setAttribute("aria-label", text);
  part.append(svg("title", {}, text));
  for (const event of ["mouseenter", "focus"]) part.addEventListener(event, () => (note.textContent = text));
}

/** One stop of the Tab key a drawing, and the arrow keys from part to part: there may be hundreds. */
function walk(drawing) {
  const parts = [...drawing.querySelectorAll("[tabindex]")];
  parts.forEach((part, i) => {
    part.setAttribute("tabindex", i ? "-1" : "0");
    part.addEventListener("keydown", (event) => {
      const places = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: parts.length - 1 };
      const next = parts[places[event.key]];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    part.addEventListener("focus", () => parts.forEach((other) => other.setAttribute("tabindex", other === part ? "0" : "-1")));
  });
}

const CHARTS = {
  reliability(chart, note) {
    const { drawing, px, py } = axes({ x: [0, 1], y: [0, 1], xTitle: "confidence", yTitle: "accuracy", label: "Reliability diagram" });
    drawing.append(svg("line", { class: "ideal", x1: px(0), y1: py(0), x2: px(1), y2: py(1) }));
    const most = Math.max(...chart.bins.map((bin) => bin.rows), 1);
    for (const bin of chart.bins.filter((one) => one.rows)) {
      drawing.append(svg("line", { class: "gap", x1: px(bin.confidence), x2: px(bin.confidence), y1: py(bin.confidence), y2: py(bin.accuracy) }));
      const mark = svg("circle", { class: "mark", cx: px(bin.confidence), cy: py(bin.accuracy), r: 4 + 8 * Math.sqrt(bin.rows / most) });
      speaks(mark, `confidence ${bin.lower.toFixed(3)} to ${bin.upper.toFixed(3)}: ${bin.rows.toLocaleString("en")} rows, mean confidence ${bin.confidence.toFixed(4)}, accuracy ${bin.accuracy.toFixed(4)}`, note);
      drawing.append(mark);
    }
    return drawing;
  },
  histogram(chart, note) {
    const most = Math.max(...chart.bins.map((bin) => bin.right + bin.wrong), 1);
    const { drawing, px, py } = axes({ x: chart.range, y: [0, most], xTitle: chart.x, yTitle: "rows", label: chart.label });
    const width = (chart.range[1] - chart.range[0]) / chart.bins.length;
    chart.bins.forEach((bin, i) => {
      const low = chart.range[0] + i * width;
      const part = svg("g");
      part.append(svg("rect", { class: "first", x: px(low) + 1, width: Math.max(1, px(low + width) - px(low) - 2), y: py(bin.right), height: py(0) - py(bin.right) }));
      part.append(svg("rect", { class: "second", x: px(low) + 1, width: Math.max(1, px(low + width) - px(low) - 2), y: py(bin.right + bin.wrong), height: py(bin.right) - py(bin.right + bin.wrong) }));
      speaks(part, `${chart.x} ${low.toFixed(2)} to ${(low + width).toFixed(2)}: ${chart.parts.filter(Boolean).map((name, k) => `${[bin.right, bin.wrong][k].toLocaleString("en")} ${name}`).join(", ")}`, note);
      drawing.append(part);
    });
    return drawing;
  },
  curve(chart, note) {
    const highest = Math.max(...chart.line.map(([, y]) => y), 0) || 1;
    const { drawing, px, py } = axes({ x: chart.range, y: [chart.low, highest], xTitle: chart.x, yTitle: chart.y, label: chart.label });
    drawing.append(svg("polyline", { class: "curve", points: chart.line.map(([x, y]) => `${px(x)},${py(y)}`).join(" ") }));
    for (const point of chart.points) {
      const mark = svg("circle", { class: "mark", cx: px(point.x), cy: py(point.y), r: 5 });
      speaks(mark, point.text, note);
      drawing.append(mark);
    }
    return drawing;
  },
  scatter(chart, note) {
    const { drawing, px, py } = axes({ x: [0, 1], y: [0, 1], xTitle: chart.x, yTitle: chart.y, label: chart.label });
    drawing.append(svg("line", { class: "ideal", x1: px(0), y1: py(0), x2: px(1), y2: py(1) }));
    const most = Math.max(...chart.marks.map((mark) => mark.rows), 1), cell = 1 / chart.cells;
    for (const { kind, x, y, rows } of chart.marks) {
      const r = 3 + (5 * Math.log1p(rows)) / Math.log1p(most);
      const part = svg("path", { class: `kind-${kind}`, d: SHAPES[kind](r), transform: `translate(${px((x + 0.5) * cell)} ${py((y + 0.5) * cell)})` });
      speaks(part, `${chart.x} ${(x * cell).toFixed(2)} to ${((x + 1) * cell).toFixed(2)}, ${chart.y} ${(y * cell).toFixed(2)} to ${((y + 1) * cell).toFixed(2)}: ${rows.toLocaleString("en")} rows, ${chart.kinds[kind]}`, note);
      drawing.append(part);
    }
    return drawing;
  },
};
/** Shapes tell the kinds apart where colours do not: a circle, a diamond, triangles that point down and up. */
const SHAPES = [
  (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  (r) => `M0 ${-r}L${r} 0L0 ${r}L${-r} 0z`,
  (r) => `M${-r} ${-0.8 * r}H${r}L0 ${r}z`,
  (r) => `M${-r} ${0.8 * r}H${r}L0 ${-r}z`,
];
function legend(chart) {
  const list = element("ul", { class: "legend" });
  chart.kinds.forEach((name, kind) => {
    if (!name) return;
    const mark = svg("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" });
    mark.append(svg("path", { class: `kind-${kind}`, d: SHAPES[kind](6) }));
    const rows = chart.marks.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.rows, 0);
    const item = element("li");
    item.append(mark, ` ${name}: ${rows.toLocaleString("en")} rows`);
    list.append(item);
  });
  return list;
}
for (const chart of data.charts) {
  const drawing = CHARTS[chart.kind](chart, document.getElementById(`${chart.id}-note`));
  walk(drawing);
  document.getElementById(chart.id).append(drawing, ...(chart.kinds ? [legend(chart)] : []));
}

/** Numbers by value, text by the alphabet; a cell without a number stands last. */
const sortKey = (cell) => {
  const value = Number(cell.replaceAll(",", "").replace("%", "").replace(/^[<>]/, ""));
  return cell === "" || Number.isNaN(value) ? null : value;
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows], sign = falling ? -1 : 1;
      rows.sort((a, b) => {
        const [left, right] = [a.cells[column].textContent, b.cells[column].textContent];
        const [x, y] = [sortKey(left), sortKey(right)];
        if (x !== null && y !== null) return sign * (x - y);
        if (x !== null || y !== null) return x === null ? 1 : -1;
        return sign * left.localeCompare(right);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
for (const filter of document.querySelectorAll("input[data-table]")) {
  const rows = [...document.getElementById(filter.dataset.table).tBodies[0].rows];
  const count = document.getElementById(`${filter.dataset.table}-count`);
  const apply = () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  filter.addEventListener("input", apply);
  apply();
}
