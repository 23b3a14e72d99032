const names = data.classes;
const started = data.logits.map((z) => (z === "-inf" ? -Infinity : z));
const state = { z: [...started], T: data.temperature, w: [...data.weights] };
const four = (x) => (Number.isFinite(x) ? x.toFixed(4) : String(x).replace("-Infinity", "-inf"));
const show = (id, text) => (document.getElementById(id).textContent = text);

/** Softmax of scores that are divided by T already. The largest is subtracted first: exp overflows above 709. */
function softmax(a, w = null) {
  const b = w ? a.map((x, i) => x + Math.log(w[i])) : a;
  const top = Math.max(...b);
  const e = b.map((x) => Math.exp(x - top));
  const sum = e.reduce((s, x) => s + x, 0);
  return e.map((x) => x / sum);
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

/** Peters, Niculae & Martins 2019: p_i = max(0, a_i/2 - tau)^2, exactly by sorting. */
function entmax15(a) {
  const top = Math.max(...a);
  const h = a.map((x) => (x - top) / 2);
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
  state.z = [...started]; state.T = data.temperature; state.w = [...data.weights];
  update();
});

const weightBody = document.querySelector("#weights tbody");
names.forEach((name, i) => {
  const row = element("tr");
  const box = element("input", { type: "number", min: 0, step: "any", "aria-label": `weight of ${name}` });
  box.addEventListener("input", () => { if (Number(box.value) >= 0 && box.value !== "") { state.w[i] = Number(box.value); update(); } });
  const cell = element("td");
  cell.append(box);
  row.append(element("th", { scope: "row" }, name), cell, ...["number", "number", "", "number"].map((kind) => element("td", { class: kind })));
  weightBody.append(row);
});

function update() {
  const scaled = state.z.map((z) => z / state.T);
  const top = Math.max(...scaled), shifted = scaled.map((a) => a - top);
  const e = shifted.map(Math.exp), sum = e.reduce((s, x) => s + x, 0), p = e.map((x) => x / sum);
  const best = p.indexOf(Math.max(...p));
  [...body.rows].forEach((row, i) => {
    if (document.activeElement !== inputs[i].range) inputs[i].range.value = Number.isFinite(state.z[i]) ? state.z[i] : data.low;
    if (document.activeElement !== inputs[i].box) inputs[i].box.value = Number.isFinite(state.z[i]) ? state.z[i] : "";
    inputs[i].box.placeholder = Number.isFinite(state.z[i]) ? "" : "-inf";
    const cells = row.cells;
    cells[2].textContent = four(shifted[i]);
    cells[3].textContent = four(e[i]);
    cells[4].replaceChildren(bar(e[i], "second"));
    cells[5].textContent = four(p[i]);
    cells[6].replaceChildren(bar(p[i]));
    cells[7].textContent = i === best ? "← the prediction" : "";
    row.classList.toggle("best", i === best);
  });
  show("sum-exp", four(sum));
  show("temperature-value", String(state.T));
  if (document.activeElement !== temperature) temperature.value = Math.log10(state.T);
  show("sentence", `The classification is ${names[best]}, with probability ${four(p[best])}.`);

  const truth = Number(document.getElementById("true-class").value);
  show("loss", four(Math.log(sum) - shifted[truth]));
  const [head, cells] = [document.querySelector("#gradient thead tr"), document.querySelector("#gradient tbody tr")];
  head.replaceChildren(element("th", { scope: "col" }, "gradient for"), ...names.map((name) => element("th", { scope: "col", class: "number" }, name)));
  cells.replaceChildren(element("th", { scope: "row" }, "(p - y)/T"), ...p.map((x, i) => element("td", { class: "number" }, four((x - (i === truth)) / state.T))));

  const more = Number(document.getElementById("outlier").value);
  const which = Number(document.getElementById("outlier-class").value);
  show("outlier-value", more.toFixed(1));
  const pushed = state.z.map((z, i) => z + (i === which ? more : 0));
  const finite = (f) => (z) => (Number.isFinite(z) ? f(z) : z);
  const columns = [
    softmax(pushed.map((z) => z / state.T)),
    softmax(pushed.map(finite((z) => Math.max(-data.clip, Math.min(data.clip, z)))).map((z) => z / state.T)),
    softmax(pushed.map(finite((z) => data.clip * Math.tanh(z / data.clip))).map((z) => z / state.T)),
    entmax15(pushed.map((z) => z / state.T)),
    sparsemax(pushed.map((z) => z / state.T)),
  ];
  document.querySelector("#outliers tbody").replaceChildren(...names.map((name, i) => {
    const row = element("tr");
    row.append(element("th", { scope: "row" }, name), element("td", { class: "number" }, four(pushed[i])));
    row.append(...columns.map((values) => element("td", { class: "number" }, four(values[i]))));
    return row;
  }));

  const weighted = softmax(scaled, state.w), mistake = softmax(scaled.map((a, i) => (Number.isFinite(a) ? a * state.w[i] : a)));
  [...weightBody.rows].forEach((row, i) => {
    const box = row.querySelector("input");
    if (document.activeElement !== box) box.value = state.w[i];
    row.cells[2].textContent = four(p[i]);
    row.cells[3].textContent = four(weighted[i]);
    row.cells[4].replaceChildren(bar(weighted[i]));
    row.cells[5].textContent = four(mistake[i]);
  });
}
update();
