// A small trend: area and line in a box of 100 x 24 stretched to the element, and the region beyond the target.
import { make, set } from "./svg.js";

export function spark(element, { line, area, band }) {
  let svg = element.querySelector("svg");
  if (!svg) {
    svg = make("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" }, [
      make("rect", { class: "spark-band", x: 0, width: 100 }),
      make("path", { class: "spark-area" }),
      make("path", { class: "spark-line", "vector-effect": "non-scaling-stroke" }),
    ]);
    element.replaceChildren(svg);
  }
  const [beyond, fill, stroke] = svg.children;
  const [top, bottom] = band ?? [0, 0];
  set(beyond, { y: Math.min(top, bottom), height: Math.abs(bottom - top) });
  set(fill, { d: area ?? "" });
  set(stroke, { d: line ?? "" });
}
