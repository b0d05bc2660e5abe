// The flow of contacts: nodes where the server put them, links as bands as thick as their contacts.
import { keep, make, paint, set } from "./svg.js";

const NODE_EM = 0.8; // width of a node, in letters
const THINNEST = 0.75; // px: a link that exists is seen

export function flow(element, figure) {
  let svg = element.querySelector("svg");
  if (!svg) {
    svg = make("svg", { class: "flow" }, [make("g", { class: "flow-links" }), make("g", { class: "flow-nodes" })]);
    svg.addEventListener("pointerover", ({ target }) => light(svg, target.closest("[data-link], [data-node]")));
    svg.addEventListener("pointerleave", () => light(svg, null));
    element.replaceChildren(svg, Object.assign(document.createElement("p"), { className: "flow-empty" }));
  }
  element.querySelector(".flow-empty").textContent = figure.empty;
  const box = { width: element.clientWidth, height: element.clientHeight };
  const em = parseFloat(getComputedStyle(element).fontSize);
  set(svg, { viewBox: `0 0 ${box.width} ${box.height}` });
  const nodes = figure.nodes.map((node) => placed(node, box, em * NODE_EM));
  keep(svg.children[0], bands(figure.links, nodes), bandKey, makeBand, updateBand);
  keep(svg.children[1], nodes, ({ id }) => id, makeNode, (group, node) => updateNode(group, node, em));
  fit(svg.children[1], nodes, em);
}

function placed(node, { width, height }, thickness) {
  const left = node.x * (width - thickness);
  const tall = Math.max(node.size * height, 1);
  return { ...node, left, right: left + thickness, top: node.y * height - tall / 2, tall, out: 0, in: 0 };
}

// Where each band leaves and arrives: links are listed from top to bottom at both ends.
function bands(links, nodes) {
  const leaving = new Array(nodes.length).fill(0);
  const arriving = new Array(nodes.length).fill(0);
  for (const { from, to, contacts } of links) {
    leaving[from] += contacts;
    arriving[to] += contacts;
  }
  return links.map((link) => {
    const [from, to] = [nodes[link.from], nodes[link.to]];
    const atStart = (link.contacts / Math.max(leaving[link.from], arriving[link.from])) * from.tall;
    const atEnd = (link.contacts / Math.max(leaving[link.to], arriving[link.to])) * to.tall;
    const band = { ...link, start: from, end: to, y0: from.top + from.out, y1: to.top + to.in, atStart, atEnd };
    from.out += atStart;
    to.in += atEnd;
    return band;
  });
}

const bandKey = ({ start, end, channel }) => `${start.id}>${end.id}>${channel}`;

const makeBand = (band) => make("path", { class: "flow-link", "data-link": bandKey(band) }, [make("title")]);

function updateBand(path, { start, end, y0, y1, atStart, atEnd, channel, text, paint: name }) {
  const [x0, x1] = [start.right, end.left];
  const bend = (x0 + x1) / 2;
  const [b0, b1] = [y0 + Math.max(atStart, THINNEST), y1 + Math.max(atEnd, THINNEST)];
  const p = (value) => value.toFixed(1);
  set(path, {
    d: `M${p(x0)} ${p(y0)}C${p(bend)} ${p(y0)} ${p(bend)} ${p(y1)} ${p(x1)} ${p(y1)}V${p(b1)}C${p(bend)} ${p(b1)} ${p(bend)} ${p(b0)} ${p(x0)} ${p(b0)}Z`,
    style: `fill:${paint(name)}`,
    "data-channel": channel,
    "data-ends": `${start.id} ${end.id}`,
  });
  path.firstChild.textContent = text;
}

const makeNode = ({ id }) =>
  make("g", { class: "flow-node", "data-node": id }, [make("rect", { rx: 2 }), make("text", { dy: "0.35em" }, [make("tspan"), make("tspan", { class: "flow-value" })])]);

function updateNode(group, node, em) {
  const [rect, text] = group.children;
  const last = node.x > 0.99;
  set(rect, { x: node.left.toFixed(1), y: node.top.toFixed(1), width: (node.right - node.left).toFixed(1), height: node.tall.toFixed(1), style: `fill:${paint(node.paint)}` });
  set(text, { x: (last ? node.left - em * 0.4 : node.right + em * 0.4).toFixed(1), y: (node.top + node.tall / 2).toFixed(1), "text-anchor": last ? "end" : "start" });
  text.children[0].textContent = `${node.text} `;
  text.children[1].textContent = node.value;
}

// A label that would run into a node beside it is set closer: all are measured first, so that the page is laid out once.
function fit(group, nodes, em) {
  const texts = [...group.children].map((element) => element.lastChild);
  for (const text of texts) text.removeAttribute("textLength");
  const lengths = texts.map((text) => text.getComputedTextLength());
  texts.forEach((text, index) => {
    const { right, top, tall } = nodes[index];
    const beside = nodes.filter((other) => other.left > right && Math.abs(other.top + other.tall / 2 - top - tall / 2) < other.tall / 2 + em);
    const room = Math.min(...beside.map(({ left }) => left)) - right - em * 0.6;
    if (lengths[index] > room) set(text, { textLength: room.toFixed(1), lengthAdjust: "spacingAndGlyphs" });
  });
}

// Hovering a link lights its channel's way through; hovering a node lights what passes it.
function light(svg, target) {
  const { link, node, channel } = target?.dataset ?? {};
  for (const path of svg.children[0].children) {
    const lit = link ? path.dataset.channel === channel : node && path.dataset.ends.split(" ").includes(node);
    path.classList.toggle("lit", Boolean(lit));
  }
  svg.classList.toggle("dimmed", Boolean(link || node));
}
