const names = data.classes, shown = names.length;
const read = (z) => (z === "-inf" ? -Infinity : z === "inf" ? Infinity : z);
const started = { z: data.logits.map(read), T: read(data.temperature), w: data.weights };
/** Scores and weights of the classes that are shown, then those of the others, which count in every sum. */
const state = { ...started, z: [...started.z], w: [...started.w] };
const show = (id, text) => (document.getElementById(id).textContent = text);

/** Numbers as the program prints them: whole ones as they are, others with four decimals or as a power of ten. */
const isWhole = (x) => !Number.isFinite(x) || (x === Math.trunc(x) && Math.abs(x) < 1e5);
const isPlain = (x) => x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5);
function spell(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (isWhole(x)) return String(x);
  return isPlain(x) ? x.toFixed(4) : x.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2");
}
const spellColumn = (values) => values.map((x) => (!values.every(isWhole) && isPlain(x) ? x.toFixed(4) : spell(x)));
const sum = (values) => values.reduce((total, x) => total + x, 0);
const largest = (values) => values.reduce((top, x) => Math.max(top, x), -Infinity);

/** (z - max)/T + log w less its largest: the shift before the division keeps a tiny T from inf - inf. */
function adjusted(z, w = null) {
  const top = largest(z);
  const a = z.map((x, i) => (x === -Infinity ? x : (x - top) / state.T) + (w ? Math.log(w[i]) : 0));
  const highest = largest(a);
  return a.map((x) => x - highest);
}
function softmax(z, w = null) {
  const e = adjusted(z, w).map(Math.exp), total = sum(e);
  return e.map((x) => x / total);
}

/** Martins & Astudillo 2016: the projection onto the simplex. */
function sparsemax(a) {
  const sorted = [...a].sort((x, y) => y - x);
  let sum = 0, tau = 0;
  sorted.forEach((x, i) => {
    if (!Number.isFinite(x)) return;
    if (1 + (i + 1) * x > sum + x) tau = (sum + x - 1) / (i + 1);
    sum += x;
  });
  return a.map((x) => Math.max(0, x - tau));
}

/** Peters, Niculae & Martins 2019: p_i = max(0, a_i/2 - tau)^2, exactly by sorting; the largest a is 0. */
function entmax15(a) {
  const h = a.map((x) => x / 2);
  const sorted = h.filter(Number.isFinite).sort((x, y) => y - x);
  let sum = 0, squares = 0, tau = 0;
  for (let k = 1; k <= sorted.length; k++) {
    sum += sorted[k - 1];
    squares += sorted[k - 1] ** 2;
    const mean = sum / k, spread = squares / k - mean ** 2;
    const candidate = mean - Math.sqrt(Math.max(0, (1 / k) - spread));
    if (candidate <= sorted[k - 1]) tau = candidate;
  }
  return h.map((x) => Math.max(0, x - tau) ** 2);
}

const inputs = [];
const body = document.querySelector("#steps tbody");
names.forEach((name, i) => {
  const row = element("tr");
  row.append(element("th", { scope: "row" }, name));
  const cell = element("td");
  const range = element("input", { type: "range", min: data.low, max: data.high, step: 0.01, id: `z-${i}`, "aria-label": `score of ${name}` });
  const box = element("input", { type: "number", step: "any", "aria-label": `score of ${name}, as a number` });
  for (const [from, event] of [[range, "input"], [box, "change"]]) {
    from.addEventListener(event, () => {
      const typed = from.value === "-inf" ? -Infinity : Number(from.value);
      if (from.value !== "" && !Number.isNaN(typed)) { state.z[i] = typed; update(); }
    });
  }
  cell.append(range, " ", box);
  row.append(cell, ...["number", "number", "", "number", "", ""].map((kind) => element("td", { class: kind })));
  inputs.push({ range, box });
  body.append(row);
});

for (const id of ["true-class", "outlier-class"]) {
  names.forEach((name, i) => document.getElementById(id).append(element("option", { value: i }, name)));
  document.getElementById(id).addEventListener("change", update);
}
document.getElementById("true-class").value = data.truth;
document.getElementById("outlier").value = 8;
document.getElementById("outlier").addEventListener("input", update);
const temperature = document.getElementById("temperature");
temperature.addEventListener("input", () => { state.T = Number((10 ** Number(temperature.value)).toPrecision(3)); update(); });
document.getElementById("reset").addEventListener("click", () => {
  Object.assign(state, { z: [...started.z], T: started.T, w: [...started.w] });
  for (const box of document.querySelectorAll("#weights input.count")) box.value = "";
  update();
});

const weightBody = document.querySelector("#weights tbody");
names.forEach((name, i) => {
  const row = element("tr");
  row.append(element("th", { scope: "row" }, name));
  const box = (label, kind) => {
    const made = element("input", { type: "number", min: 0, step: "any", "aria-label": `${label} of ${name}`, class: kind });
    const cell = element("td");
    cell.append(made);
    row.append(cell);
    return made;
  };
  const [trained, now, weight] = [box("training rows", "count"), box("expected rows", "count"), box("weight", "weight")];
  for (const count of [trained, now]) {
    count.placeholder = "1";
    count.addEventListener("input", () => {
      const ratio = Number(now.value || 1) / Number(trained.value || 1);
      if (Number.isFinite(ratio)) { state.w[i] = ratio; update(); }
    });
  }
  weight.addEventListener("input", () => { if (Number(weight.value) >= 0 && weight.value !== "") { state.w[i] = Number(weight.value); update(); } });
  row.append(...["number", "number", "", "number"].map((kind) => element("td", { class: kind })));
  weightBody.append(row);
});

const others = document.getElementById("others");
function update() {
  const weighted = state.w.some((w) => w !== 1);
  const shifted = adjusted(state.z, state.w), e = shifted.map(Math.exp), total = sum(e), p = e.map((x) => x / total);
  const best = p.indexOf(largest(p));
  show("shift-head", weighted ? "z/T + log w - max" : "z/T - max");
  const cellsOf = { 2: spellColumn(shifted.slice(0, shown)), 3: spellColumn([...e.slice(0, shown), total]), 5: spellColumn([...p.slice(0, shown), 1]) };
  [...body.rows].forEach((row, i) => {
    if (document.activeElement !== inputs[i].range) inputs[i].range.value = Number.isFinite(state.z[i]) ? state.z[i] : data.low;
    if (document.activeElement !== inputs[i].box) inputs[i].box.value = Number.isFinite(state.z[i]) ? state.z[i] : "";
    inputs[i].box.placeholder = Number.isFinite(state.z[i]) ? "" : "-inf";
    const cells = row.cells;
    for (const [place, texts] of Object.entries(cellsOf)) cells[place].textContent = texts[i];
    cells[4].replaceChildren(bar(e[i], "second"));
    cells[6].replaceChildren(bar(p[i]));
    cells[7].textContent = i === best ? "← the prediction" : "";
    row.classList.toggle("best", i === best);
  });
  show("sum-exp", cellsOf[3][shown]);
  show("sum-p", cellsOf[5][shown]);
  if (others) {
    others.cells[3].textContent = spell(sum(e.slice(shown)));
    others.cells[5].textContent = spell(sum(p.slice(shown)));
  }
  show("temperature-value", Number.isFinite(state.T) ? String(state.T) : "inf");
  if (document.activeElement !== temperature) temperature.value = Math.log10(state.T);
  show("sentence", best < shown ? `The classification is ${names[best]}, with probability ${spell(p[best])}.` : `The classification is one of the classes that are not shown, with probability ${spell(p[best])}.`);

  const truth = Number(document.getElementById("true-class").value);
  show("loss", spell(Math.log(total) - shifted[truth]));
  const [head, cells] = [document.querySelector("#gradient thead tr"), document.querySelector("#gradient tbody tr")];
  const gradient = spellColumn(names.map((_, i) => (p[i] - (i === truth)) / state.T));
  head.replaceChildren(element("th", { scope: "col" }, "gradient for"), ...names.map((name) => element("th", { scope: "col", class: "number" }, name)));
  cells.replaceChildren(element("th", { scope: "row" }, "(p - y)/T"), ...gradient.map((text) => element("td", { class: "number" }, text)));

  const more = Number(document.getElementById("outlier").value);
  const which = Number(document.getElementById("outlier-class").value);
  show("outlier-value", more.toFixed(1));
  const pushed = state.z.map((z, i) => z + (i === which ? more : 0));
  const finite = (f) => (z) => (Number.isFinite(z) ? f(z) : z);
  const columns = [
    pushed,
    softmax(pushed, state.w),
    softmax(pushed.map(finite((z) => Math.max(-data.clip, Math.min(data.clip, z)))), state.w),
    softmax(pushed.map(finite((z) => data.clip * Math.tanh(z / data.clip))), state.w),
    entmax15(adjusted(pushed, state.w)),
    sparsemax(adjusted(pushed, state.w)),
  ].map((values) => spellColumn(values.slice(0, shown)));
  document.querySelector("#outliers tbody").replaceChildren(...names.map((name, i) => {
    const row = element("tr");
    row.append(element("th", { scope: "row" }, name), ...columns.map((texts) => element("td", { class: "number" }, texts[i])));
    return row;
  }));

  const plain = softmax(state.z);
  const mistake = softmax(state.z.map((z, i) => (Number.isFinite(z) ? z * state.w[i] : z)));
  const [without, withWeights, wrong] = [plain, p, mistake].map((values) => spellColumn(values.slice(0, shown)));
  [...weightBody.rows].forEach((row, i) => {
    const box = row.querySelector("input.weight");
    if (document.activeElement !== box) box.value = Number(state.w[i].toPrecision(6));
    row.cells[4].textContent = without[i];
    row.cells[5].textContent = withWeights[i];
    row.cells[6].replaceChildren(bar(p[i]));
    row.cells[7].textContent = wrong[i];
  });
}
update();
