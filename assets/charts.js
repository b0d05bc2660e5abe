// The chart drawers: each takes an element and its chart object (docs/architecture.md, "Chart objects") and
// brings the drawing in the element up to it. Colours are CSS variables, so a change of theme draws nothing.
import { flow } from "./charts/flow.js";
import { map } from "./charts/map.js";
import { plotly } from "./charts/plotly.js";
import { spark } from "./charts/spark.js";

const DRAWERS = { flow, map, plotly, spark };
const drawn = new WeakMap(); // element -> the object that it shows

export function draw(element, figure) {
  if (drawn.get(element) === figure) return;
  if (!drawn.has(element)) sizes.observe(element);
  drawn.set(element, figure);
  render(element, figure);
}

// plotly.js alone copies colours into its drawing.
export function repaint() {
  for (const element of document.querySelectorAll('[data-chart="plotly"]')) {
    if (drawn.has(element)) render(element, drawn.get(element));
  }
}

// What is wanted last stands on the element, for drawers that have to fetch something first.
function render(element, figure) {
  element.wanted = figure;
  if (figure === null || figure === undefined) element.replaceChildren();
  else DRAWERS[element.dataset.chart](element, figure);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.isConnected) render(target, drawn.get(target));
    else sizes.unobserve(target);
  }
});
