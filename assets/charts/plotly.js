// Figures with axes: {"data", "layout"} for plotly.js, which is fetched when the first one is to be drawn.
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false, showSendToCloud: false, showTips: false };
let bundle = null;

// Fetched behind what the page has painted by then, so that no figure in digits waits for it.
function load() {
  bundle ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      bundle = null; // the next frame asks again
      reject(new Error("plotly.min.js could not be fetched"));
    };
    requestAnimationFrame(() => setTimeout(() => document.head.append(script)));
  });
  return bundle;
}

export async function plotly(element, figure) {
  const library = await load();
  if (element.wanted !== figure || !element.isConnected) return; // a newer frame came meanwhile
  const drawing = element.firstElementChild ?? element.appendChild(document.createElement("div"));
  const { data, layout } = painted(figure, getComputedStyle(element));
  const size = { width: element.clientWidth, height: element.clientHeight };
  await library.react(drawing, data, { paper_bgcolor: "transparent", plot_bgcolor: "transparent", ...layout, ...size }, CONFIG);
}

// Names of CSS variables, wherever they stand in the object, become the colours of the theme.
function painted(value, style) {
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((item) => painted(item, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item, style)]));
}
