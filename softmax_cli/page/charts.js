"use strict";
const SVG = "http://www.w3.org/2000/svg";
const data = JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, text = null, space = null) {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}
const svg = (name, attributes = {}, text = null) => element(name, attributes, text, SVG);

/** A horizontal bar for a share from 0 to 1; the number beside it says the same, so it is hidden from screen readers. */
function bar(share, kind = "first") {
  const holder = element("span", { class: "bars", "aria-hidden": "true" });
  const drawing = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" });
  drawing.append(svg("rect", { class: kind, x: 0, y: 0, width: Math.max(0, Math.min(1, share)) * 100, height: 10 }));
  holder.append(drawing);
  return holder;
}
