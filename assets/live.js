// The live link of a page: owns the event stream, applies frames to elements, and says when it is lost.
//
// Dash draws a page on navigation and knows nothing of this; here every number arrives (docs/architecture.md,
// "Frames"). The element #view says by its data- attributes which stream to follow and how the page looks.
import { draw, repaint } from "./charts.js";

const SILENCE_MS = 35000; // two beats of the server (15 s) and some
const HIDDEN_MS = 30000; // a hidden tab gives its connection back: HTTP/1.1 has six for a host
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const NAVIGATION_MS = 10000; // a navigation that Dash has not answered by then loads the page instead

const html = document.documentElement;
const clockSkew = { ms: 0 }; // server minus browser

// What the current stream has told: element id -> part -> value, so that elements that come later get theirs.
const known = new Map();
const stream = { key: null, source: null, sequence: 0, lastByte: Date.now(), wait: FIRST_WAIT_MS, timer: 0 };

// ---- the stream -----------------------------------------------------------------------------------------------------

function follow(key) {
  known.clear();
  stream.key = key;
  stream.wait = FIRST_WAIT_MS;
  stream.lastByte = Date.now();
  open("opening");
}

function open(state) {
  close();
  tell(stream.key ? state : "none");
  if (!stream.key) return;
  const source = new EventSource(`/live/${stream.key}`);
  stream.source = source;
  stream.sequence = null;
  source.addEventListener("hello", (event) => onHello(JSON.parse(event.data)));
  source.addEventListener("beat", (event) => heard(JSON.parse(event.data)));
  source.addEventListener("frame", (event) => onFrame(JSON.parse(event.data)));
  source.onerror = () => lose();
}

function close() {
  clearTimeout(stream.timer);
  stream.source?.close();
  stream.source = null;
}

// Lost: say so, and try again for ever, each time later, up to LONGEST_WAIT_MS and never in step with other screens.
function lose() {
  close();
  tell("lost");
  stream.timer = setTimeout(async () => {
    if (await refused()) location.reload();
    else open("lost");
  }, stream.wait * (0.5 + Math.random()));
  stream.wait = Math.min(stream.wait * 2, LONGEST_WAIT_MS);
}

// Whether the server answers that this view is not ours (any more): the page, asked again, says why.
async function refused() {
  try {
    const answer = await fetch(`/live/${stream.key}`, { method: "HEAD", cache: "no-store" });
    return [401, 403, 404].includes(answer.status);
  } catch {
    return false;
  }
}

function heard(message) {
  stream.lastByte = Date.now();
  clockSkew.ms = Date.parse(message.now) - stream.lastByte;
}

function onHello(message) {
  heard(message);
  if (message.version !== html.dataset.version) location.reload(); // a new release: its pages go with its scripts
}

function onFrame(frame) {
  heard(frame);
  if (!frame.full && frame.seq !== stream.sequence + 1) {
    open("opening"); // something was missed: the first frame of a stream is a full one
    return;
  }
  stream.sequence = frame.seq;
  stream.wait = FIRST_WAIT_MS;
  remember(frame);
  tell("live");
  quietly(() => apply(frame.set));
  html.dataset.at = frame.at ?? "";
}

function remember(frame) {
  if (frame.full) {
    for (const [id, parts] of known) {
      for (const part of Object.keys(parts)) if (!(part in (frame.set[id] ?? {}))) (frame.set[id] ??= {})[part] = null;
    }
    known.clear();
  }
  for (const [id, parts] of Object.entries(frame.set)) known.set(id, { ...known.get(id), ...parts });
}

// ---- parts on elements ----------------------------------------------------------------------------------------------

function apply(set) {
  const charts = [];
  for (const [id, parts] of Object.entries(set)) {
    const element = document.getElementById(id);
    if (!element) continue;
    for (const [part, value] of Object.entries(parts)) {
      if (part === "chart") charts.push([element, value]);
      else applyPart(element, part, value);
    }
  }
  drawSoon(charts);
  age();
}

// Texts first: charts are drawn when the browser has painted them, each only as it was wanted last.
const undrawn = new Map(); // element -> chart object

function drawSoon(charts) {
  const asked = undrawn.size > 0;
  for (const [element, figure] of charts) undrawn.set(element, figure);
  if (undrawn.size && !asked) requestAnimationFrame(() => setTimeout(drawUndrawn));
}

function drawUndrawn() {
  const charts = [...undrawn];
  undrawn.clear();
  quietly(() => charts.forEach(([element, figure]) => draw(element, figure)));
}

function applyPart(element, part, value) {
  if (part.startsWith("--")) {
    if (value === null) element.style.removeProperty(part);
    else element.style.setProperty(part, value);
    return;
  }
  const [, name, attribute] = /^(?:\.([^@]+))?(?:@(.+))?$/.exec(part === "text" ? "" : part) ?? [];
  const target = name ? element.querySelector(`[data-part="${CSS.escape(name)}"]`) : element;
  if (!target) return;
  if (!attribute) {
    if (target.textContent !== (value ?? "")) target.textContent = value ?? "";
  } else if (value === null) target.removeAttribute(attribute);
  else if (target.getAttribute(attribute) !== String(value)) target.setAttribute(attribute, value);
}

// Ages: an element with data-at shows how old its figure is, once that is later than data-late-after seconds.
function age() {
  const words = document.getElementById("link")?.dataset;
  if (!words) return;
  const now = Date.now() + clockSkew.ms;
  for (const element of document.querySelectorAll("[data-at][data-late-after]")) {
    const seconds = (now - Date.parse(element.dataset.at)) / 1000;
    const late = seconds > Number(element.dataset.lateAfter);
    const text = late ? inWords(seconds, words) : "";
    if (element.textContent !== text) element.textContent = text;
    element.toggleAttribute("data-late", late);
  }
}

function inWords(seconds, words) {
  const [unit, size] = [["D", 86400], ["H", 3600], ["Min", 60], ["S", 1]].find(([, least]) => seconds >= least) ?? ["S", 1];
  return words[`age${unit}`].replace("{n}", Math.floor(seconds / size));
}

// ---- what the page says about its link ------------------------------------------------------------------------------

function tell(state) {
  html.dataset.link = state;
  const link = document.getElementById("link");
  if (!link || state === "none") return;
  const text = link.dataset[state].replace("{since}", clock(new Date(stream.lastByte + clockSkew.ms)));
  quietly(() => {
    link.dataset.state = state;
    if (link.textContent !== text) link.textContent = text;
  });
}

const clocks = {}; // by zone; making one takes milliseconds, which every frame would wait for

function clock(moment) {
  const timeZone = document.getElementById("clock")?.dataset.zone;
  clocks[timeZone] ??= new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "medium", hourCycle: "h23" });
  return clocks[timeZone].format(moment);
}

function tick() {
  const element = document.getElementById("clock");
  quietly(() => {
    if (element) element.textContent = clock(new Date(Date.now() + clockSkew.ms));
    age();
  });
  if (stream.source && Date.now() - stream.lastByte > SILENCE_MS) lose();
}

// ---- following the page ---------------------------------------------------------------------------------------------

const observer = new MutationObserver(() => settle());

// Changes made here are not the page's: forget them, so that only Dash's wake `settle`.
function quietly(change) {
  change();
  observer.takeRecords();
}

// Dash has drawn something: look like it, follow its stream, and give its elements what is known.
function settle() {
  const view = document.getElementById("view");
  if (!view) return;
  const { lang, theme, mode, title, viewKey } = view.dataset;
  document.title = title;
  html.lang = lang === "zh" ? "zh-CN" : lang;
  html.dataset.mode = mode;
  if (html.dataset.theme !== theme) {
    html.dataset.theme = theme;
    quietly(repaint);
  }
  if (viewKey !== stream.key) follow(viewKey);
  else tell(html.dataset.link);
  for (const select of view.querySelectorAll("select[data-go]")) chooseHere(select, view.dataset.url);
  quietly(() => apply(Object.fromEntries(known)));
}

function chooseHere(select, here) {
  const option = [...select.options].find(({ value }) => value === here) ?? select.querySelector('option[value=""]');
  if (option) option.selected = true;
}

// Go to another view without loading the page again; Dash's address hears of it by this event.
function go(address) {
  history.pushState({}, "", address);
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
  expect(address);
}

// A server that does not answer Dash must not leave an old page under a new address.
function expect(address) {
  setTimeout(() => {
    const here = location.pathname + location.search;
    if (here === address && document.getElementById("view")?.dataset.address !== address) location.reload();
  }, NAVIGATION_MS);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.getAttribute("href"), location);
  if (url.origin !== location.origin || link.hasAttribute("target") || link.hasAttribute("download")) return;
  event.preventDefault();
  go(url.pathname + url.search);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-go]") && event.target.value) go(event.target.value);
});

let hiddenTimer = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_MS);
  else if (stream.key && !stream.source) open("opening");
});

addEventListener("popstate", () => expect(location.pathname + location.search));
addEventListener("online", () => stream.key && !stream.source && open("opening"));
observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-view-key", "data-theme", "data-lang", "data-mode"] });
setInterval(tick, 1000);
follow(html.dataset.viewKey); // before Dash has drawn: the first frame and the page meet in the middle
