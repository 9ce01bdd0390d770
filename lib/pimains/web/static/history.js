// The History page: which sources, which time, and how both change. Where it is stands in the page's address.

import { get, make, say, word } from "./kit.js";
import { bands, bars, chart, library, swatch } from "./history_charts.js";
import { dateOf, moment, money, number, period } from "./history_words.js";

const DAY = 86400;
const RANGES = { day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY, decade: 3653 * DAY };
const COLOURS = 8;
const AT_FIRST = 3;
const ROWS_MAX = 48;
const AGAIN_MS = 60000;
const SHORTEST = 60;
const byId = (id) => document.getElementById(id);

let told = null; // what /v1/history/sources says
let clockAhead = 0; // of the server's, in seconds
let uPlot = null;
let relayNames = {}; // by number, as far as people gave them
let drawn = []; // what ends the pictures there are
let looking = 0; // the number of the newest look: an answer to an older one is dropped
const view = { range: "day", to: null, span: DAY, sources: new Set(), collector: null, by: null };

const now = () => Date.now() / 1000 + clockAhead;
const until = () => view.to ?? now();
const sourceOf = (name) => told.sources.find((each) => each.source === name);

// What is shown: each with the number of its colour, and with that of its dashes among those of its unit.
function chosen() {
  const units = {};
  const shown = told.sources.filter((each) => view.sources.has(each.source));
  return shown.map((each, index) => {
    units[each.flow_unit] = (units[each.flow_unit] ?? -1) + 1;
    return { ...each, number: index % COLOURS, dash: units[each.flow_unit] % COLOURS };
  });
}

function query(values) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined) found.set(name, value);
  if (view.collector) found.set("collector", view.collector);
  return found.toString();
}

function readAddress() {
  const asked = new URLSearchParams(location.search);
  const [to, span] = [Number(asked.get("to")), Number(asked.get("span"))];
  if (asked.get("range") in RANGES) [view.range, view.span] = [asked.get("range"), RANGES[asked.get("range")]];
  else if (span >= SHORTEST && span <= RANGES.decade) [view.range, view.span] = [null, span];
  if (to > 0 && to < 1e11) view.to = to;
  view.collector = asked.get("collector");
  if (["day", "month", "year"].includes(asked.get("by"))) view.by = asked.get("by");
  return asked.has("source") ? asked.getAll("source") : null;
}

function writeAddress() {
  const found = new URLSearchParams();
  if (view.range) found.set("range", view.range);
  else found.set("span", Math.round(view.span));
  if (view.to !== null) found.set("to", Math.round(view.to));
  if (view.by) found.set("by", view.by);
  if (view.collector) found.set("collector", view.collector);
  for (const each of view.sources) found.append("source", each);
  history.replaceState(null, "", `?${found}`);
}

function show(range, span, to) {
  const most = now();
  view.range = range;
  view.span = Math.min(Math.max(span, SHORTEST), RANGES.decade);
  view.to = to === null || to >= most - 1 ? null : Math.max(to, view.span);
  return look();
}

const zoom = (factor) => show(null, view.span * factor, view.to === null && factor < 1 ? null : until() - (view.span * (1 - factor)) / 2);
const shift = (part) => show(view.range, view.span, until() + view.span * part);

function keyed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const does = {
    ArrowLeft: () => shift(-0.25), ArrowRight: () => shift(0.25), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    0: () => show("day", DAY, null), PageUp: () => shift(-1), PageDown: () => shift(1),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  const unit = event.currentTarget.closest("section").querySelector("h2").textContent;
  does().then(() => {
    const again = [...document.querySelectorAll("#charts section")].find((each) => each.querySelector("h2").textContent === unit);
    again?.querySelector(".plot").focus({ preventScroll: true });
  });
}

function byWhat() {
  if (view.by) return view.by;
  return view.span <= 62 * DAY ? "day" : view.span <= 800 * DAY ? "month" : "year";
}

// Of a single day there would be one bar: a week of them says more.
function energyFrom(by) {
  const least = { day: 7, month: 12 * 30, year: 5 * 365 }[by] * DAY;
  const most = { day: 400, month: 4000, year: 4000 }[by] * DAY;
  return until() - Math.min(most, Math.max(view.span, least) - 1);
}

// An hour of a month, a day of a year and a week of ten years are what a person sees in them; what is shorter is as fine as the picture.
function pieces(width) {
  const every = view.span > 2000 * DAY ? 7 * DAY : view.span > 90 * DAY ? DAY : 0;
  return every ? Math.max(50, Math.round(view.span / every)) : Math.max(50, Math.min(1000, Math.round(width)));
}

async function look() {
  const mine = ++looking;
  writeAddress();
  head();
  byId("history").setAttribute("aria-busy", "true");
  const [to, from] = [until(), until() - view.span];
  const width = Math.max(260, byId("charts").clientWidth - 18);
  const shown = chosen();
  const points = pieces(width);
  const by = byWhat();
  const times = { from: from.toFixed(1), to: to.toFixed(1) };
  try {
    const curves = shown.filter((each) => each.kind !== "relay");
    const counting = shown.filter((each) => each.kind === "count");
    const found = await Promise.all(curves.map((each) => get(`/v1/history?${query({ source: each.source, ...times, points })}`)));
    if (mine !== looking) return;
    draw(found.map((each, index) => ({ ...curves[index], ...each })));
    const relays = await get(`/v1/history/relays?${query(times)}`);
    const span = { from: energyFrom(by).toFixed(1), to: to.toFixed(1), by };
    const amounts = await Promise.all(counting.map((each) => get(`/v1/history/energy?${query({ source: each.source, ...span })}`)));
    if (mine !== looking) return;
    drawRelays(relays, width);
    drawEnergy(amounts.map((each, index) => ({ ...counting[index], ...each })), by, width);
    downloads(shown, times);
    say("");
  } catch (error) {
    if (mine === looking) say(error.message, { bad: true });
  }
  if (mine === looking) byId("history").setAttribute("aria-busy", "false");
}

function head() {
  for (const button of document.querySelectorAll("#ranges button")) button.setAttribute("aria-pressed", button.dataset.range === view.range);
  byId("until-now").setAttribute("aria-pressed", view.to === null);
  byId("forward").disabled = view.to === null;
  byId("by").value = byWhat();
  const [from, to] = [until() - view.span, until()];
  byId("span").textContent = view.span > 3 * DAY ? `${dateOf(from)} – ${dateOf(to)}` : `${moment(from)} – ${moment(to)}`;
}

function draw(found) {
  for (const end of drawn.splice(0)) end();
  const place = byId("charts");
  place.replaceChildren();
  const units = new Map();
  for (const each of found) units.set(each.unit, [...(units.get(each.unit) ?? []), each]);
  if (!found.length) place.append(make("p", { class: "quiet", text: word("none_chosen") }));
  for (const [unit, curves] of units) {
    if (curves.every((each) => each.values.every((value) => value === null))) {
      place.append(make("section", { class: "card" }, make("h2", { text: unit || curves[0].source }), make("p", { class: "quiet", text: word("nothing") })));
    } else if (uPlot) {
      drawn.push(chart(uPlot, place, unit, curves, (from, to) => show(null, to - from, to), keyed));
    }
  }
  byId("notes").replaceChildren(
    ...found.filter((each) => each.is_sampled).map((each) => make("p", { class: "quiet", text: word("sampled", each.source) })),
  );
  byId("curves-table").replaceChildren(found.length ? curvesTable(found) : "");
}

// Fewer rows than the picture has points: each is the average of some.
function curvesTable(found) {
  const { from, every, values } = found[0];
  const some = Math.ceil(values.length / ROWS_MAX);
  const rows = [];
  for (let index = 0; index < values.length; index += some) {
    const cells = found.map((each) => {
      const known = each.values.slice(index, index + some).filter((value) => value !== null);
      return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    });
    rows.push([moment(from + index * every), ...cells.map((value) => number(value))]);
  }
  return table([word("time"), ...found.map((each) => (each.unit ? `${each.source} (${each.unit})` : each.source))], rows);
}

function table(heads, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((text, index) => make("th", { scope: "col", text, class: index ? "number" : null })))),
    make("tbody", {}, ...rows.map((row) =>
      make("tr", {}, ...row.map((text, index) => make(index ? "td" : "th", { text, scope: index ? null : "row", class: index ? "number" : null }))))));
}

function drawRelays(found, width) {
  const place = byId("relays");
  place.replaceChildren();
  if (found.relays.length) {
    const card = make("div", { class: "card history-chart" });
    place.append(card);
    return bands(card, found, width, relayNames);
  }
  const command = `sudo create_service --service_name=collector --instance=${told.collector} --record=relays/1.state --add-service --apply`;
  place.append(make("p", { class: "quiet", text: word("record_relays") }), make("pre", {}, make("code", { text: command })));
}

function drawEnergy(found, by, width) {
  byId("energy-part").hidden = !found.length;
  const place = byId("energy");
  place.replaceChildren();
  const units = new Map();
  for (const each of found) units.set(each.unit, [...(units.get(each.unit) ?? []), each]);
  for (const [unit, some] of units) bars(place, unit, some, by, width);
  for (const each of found) place.append(make("p", {}, swatch(each), make("strong", { text: ` ${each.source} ` }), sums(each)));
  byId("energy-table").replaceChildren(found.length ? energyTable(found, by) : "");
}

function sums(found) {
  const total = (name) => found.rows.reduce((sum, row) => (row[name] === null ? sum : (sum ?? 0) + row[name]), null);
  const cost = total("cost");
  return `${word("sum")}: ${number(total("amount"), 4)} ${found.unit}${cost === null ? "" : `, ${money(cost, found.currency)}`}`;
}

function energyTable(found, by) {
  const rows = new Map();
  for (const each of found) for (const row of each.rows) rows.set(row.label, row);
  const heads = [word("period")];
  for (const each of found) {
    heads.push(`${each.source} (${each.unit})`);
    if (each.has_price) heads.push(`${each.source}: ${word("cost")}`);
  }
  const ordered = [...rows.values()].sort((a, b) => a.from - b.from);
  return table(heads, ordered.map((row) => [
    row.is_whole ? period(row, by) : word("still_going", period(row, by)),
    ...found.flatMap((each) => {
      const mine = each.rows.find((one) => one.label === row.label);
      return [number(mine?.amount ?? null, 4), ...(each.has_price ? [money(mine?.cost ?? null, each.currency)] : [])];
    }),
  ]));
}

function downloads(shown, times) {
  const link = (text, more) => make("li", {}, make("a", { href: `/v1/export?${query(more)}`, text, download: true }));
  byId("downloads").replaceChildren(...shown.flatMap(({ source }) => [
    link(word("download_readings", source), { source, ...times }), link(word("download_days", source), { source, ...times, every: "day" }),
  ]));
}

function chooseFrom() {
  byId("sources").replaceChildren(...told.sources.filter((each) => each.kind !== "relay").map((each) => {
    const box = make("input", { type: "checkbox", checked: view.sources.has(each.source) });
    box.addEventListener("change", () => {
      view.sources[box.checked ? "add" : "delete"](each.source);
      swatches();
      look();
    });
    return make("label", { "data-source": each.source }, box, make("span", { text: each.source }), make("span", { class: "place" }));
  }));
  swatches();
}

function swatches() {
  const shown = chosen();
  for (const label of document.querySelectorAll("#sources label")) {
    const mine = shown.find((each) => each.source === label.dataset.source);
    label.querySelector(".place").replaceChildren(...(mine ? [swatch(mine)] : []));
  }
}

// The collector's page where this browser gets to it: at the same machine, or at an address that is not the machine's alone.
function ownPage(address) {
  const [url, isHere] = [address && new URL(address), ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname)];
  const isLocal = url && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (!url || (isLocal && !isHere)) return;
  if (["0.0.0.0", "[::]"].includes(url.hostname)) url.hostname = location.hostname;
  byId("own-page").hidden = false;
  byId("own-page").firstElementChild.href = url.href;
}

function without(text, command) {
  byId("history-trouble").replaceChildren(make("p", { text }), ...(command ? [make("pre", {}, make("code", { text: command }))] : []));
}

async function begin() {
  const wanted = readAddress();
  told = await get(`/v1/history/sources?${query({})}`);
  relayNames = (await get("/v1/now").catch(() => ({}))).relays ?? {};
  clockAhead = (told.now ?? Date.now() / 1000) - Date.now() / 1000;
  if (told.trouble) return without(told.trouble);
  if (!told.sources.length) {
    const command = `sudo create_service --service_name=collector --instance=${told.collector} --record=ups/battery.charge=% --add-service --apply`;
    return without(word("no_sources"), command);
  }
  const curves = told.sources.filter((each) => each.kind !== "relay");
  const first = [...curves].sort((a, b) => (a.kind < b.kind ? -1 : 1)).slice(0, AT_FIRST);
  view.sources = new Set(wanted ? wanted.filter(sourceOf) : first.map((each) => each.source));
  uPlot = await library().catch(() => null);
  if (!uPlot) without(word("no_vendor"), "debian/npm/fetch");
  byId("history").hidden = false;
  chooseFrom();
  ownPage(told.page);
  if (told.collectors.length > 1) {
    byId("which-collector").hidden = false;
    byId("collector").append(...told.collectors.map((name) => make("option", { value: name, text: name, selected: name === told.collector })));
    byId("collector").addEventListener("change", () => location.assign(`?collector=${encodeURIComponent(byId("collector").value)}`));
  }
  for (const button of document.querySelectorAll("#ranges button")) {
    button.addEventListener("click", () => show(button.dataset.range, RANGES[button.dataset.range], view.to));
  }
  byId("back").addEventListener("click", () => shift(-1));
  byId("forward").addEventListener("click", () => shift(1));
  byId("zoom-in").addEventListener("click", () => zoom(0.5));
  byId("zoom-out").addEventListener("click", () => zoom(2));
  byId("until-now").addEventListener("click", () => show(view.range, view.span, null));
  byId("by").addEventListener("change", () => {
    view.by = byId("by").value;
    look();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (width !== window.innerWidth) requestAnimationFrame(look);
    width = window.innerWidth;
  });
  setInterval(() => view.to === null && view.span <= RANGES.week && !document.hidden && !byId("charts").contains(document.activeElement) && look(), AGAIN_MS);
  await look();
}

begin().catch((error) => say(error.message, { bad: true }));
