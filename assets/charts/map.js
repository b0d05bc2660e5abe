// A map of provinces or cities: path data projected beforehand (assets/build/maps), colours changed in place.
import { keep, make, set } from "./svg.js";

const sheets = new Map(); // name -> promise of its areas and lines

function sheet(name) {
  if (!sheets.has(name)) {
    const coming = fetch(new URL(`../geo/${name}.json`, import.meta.url)).then((answer) => {
      if (answer.status === 404) return null; // no map was built of this place
      if (!answer.ok) throw new Error(`map ${name}: ${answer.status}`);
      return answer.json();
    });
    coming.catch(() => sheets.delete(name)); // the next frame asks again
    sheets.set(name, coming);
  }
  return sheets.get(name);
}

export async function map(element, figure) {
  const drawing = await sheet(figure.map);
  if (element.wanted !== figure || !element.isConnected) return; // a newer frame came meanwhile
  if (drawing === null) {
    element.textContent = element.dataset.missing ?? "";
    return;
  }
  if (element.dataset.drawn !== figure.map) {
    element.replaceChildren(ground(element, drawing), credit(element));
    element.dataset.drawn = figure.map;
  }
  const svg = element.firstChild;
  svg.style.fontSize = `${lettersInUnits(element, drawing.box)}px`;
  for (const area of svg.querySelectorAll("[data-code]")) shade(area, figure.places[area.dataset.code]);
  const named = Object.entries(figure.places).filter(([code, { label }]) => label && drawing.areas[code]);
  keep(svg.querySelector(".map-labels"), named, ([code]) => code, () => make("text", { class: "map-label" }), (text, [code, { label }]) => {
    const [x, y] = drawing.areas[code].at;
    set(text, { x, y });
    text.textContent = label;
  });
}

// The size of a letter of the page in units of the map, however large the map is drawn.
function lettersInUnits(element, [, , width, height]) {
  const drawn = element.getBoundingClientRect(); // exact, where clientWidth is rounded
  const scale = Math.min(drawn.width / width, drawn.height / height) || 1;
  return parseFloat(getComputedStyle(element).fontSize) / scale;
}

function shade(area, place) {
  const { shade: value = null, served = true, hint = "" } = place ?? {};
  const end = value < 0 ? "--map-low" : "--map-high";
  const share = Math.round(Math.min(1, Math.abs(value ?? 0)) * 100);
  const fill = value === null ? "var(--map-none)" : `color-mix(in oklab, var(${end}) ${share}%, var(--map-middle))`;
  if (area.style.fill !== fill) area.style.fill = fill;
  area.classList.toggle("unserved", !served);
  if (!served) area.parentElement.removeAttribute("href"); // drawn, but there is no page of it
  if (area.firstChild.textContent !== hint) area.firstChild.textContent = hint;
}

function ground(element, { box, inset, areas, lines }) {
  const [id, [x, y, width, height]] = [`${element.id}-ground`, box];
  const land = make("g", { id, class: "map-ground" }, [
    ...Object.entries(areas).map(([code, { d }]) => area(element, code, d)),
    ...lines.map(({ kind, d }) => make("path", { class: `map-line map-line-${kind}`, d })),
  ]);
  const clip = make("clipPath", { id: `${id}-clip` }, [make("rect", { x, y, width, height })]);
  const svg = make("svg", { class: "map", viewBox: box.join(" "), "aria-hidden": "true" }, [
    clip,
    make("g", { "clip-path": `url(#${id}-clip)` }, [land]),
  ]);
  if (inset) svg.append(farIslands(id, inset));
  svg.append(make("g", { class: "map-labels" }));
  return svg;
}

// An area opens its page; the ranking table beside the map does the same for those who use the keyboard.
function area(element, code, d) {
  const path = make("path", { class: "map-area", "data-code": code, d }, [make("title")]);
  const href = element.dataset.href;
  return href ? make("a", { href: href.replace("CODE", code), tabindex: -1 }, [path]) : path;
}

// What lies too far off to be drawn in its place, such as the islands of the South China Sea: the same drawing again, in
// a frame beside the land.
function farIslands(id, { box, frame }) {
  const at = ([x, y, width, height]) => ({ x, y, width, height });
  return make("svg", { ...at(frame), viewBox: box.join(" "), class: "map-inset" }, [
    make("use", { href: `#${id}` }),
    make("rect", { ...at(box), class: "map-inset-frame" }),
  ]);
}

function credit(element) {
  return Object.assign(document.createElement("p"), { className: "map-credit", textContent: element.dataset.credit ?? "" });
}
