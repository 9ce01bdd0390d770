// Pictures of the History page: curves by uPlot, bars and bands as SVG. Names and units are text alone.

import { make, word } from "./kit.js";
import { duration, mark, moment, number, period } from "./history_words.js";

const LEFT = 64;
const RIGHT = 32;
const BAR_HEIGHT = 220;
const BELOW = 28;
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [14, 4], [1, 4], [6, 2]];

// uPlot, loaded once from this machine; rejects where this checkout lacks it.
let loaded = null;
export function library() {
  loaded ??= new Promise((resolve, reject) => {
    const from = (name) => new URL(`./vendor/uplot/dist/${name}`, import.meta.url).href;
    const script = make("script", { src: from("uPlot.iife.min.js") });
    const style = make("link", { rel: "stylesheet", href: from("uPlot.min.css") });
    script.addEventListener("error", reject);
    style.addEventListener("error", reject);
    let missing = 2;
    const there = () => (missing -= 1) || resolve(window.uPlot);
    script.addEventListener("load", there);
    style.addEventListener("load", there);
    document.head.append(style, script);
  });
  return loaded;
}

// The line of a source: its colour, and its dashes, by which those of the same picture are told apart, too.
export const swatch = ({ number: colour_, dash }) =>
  make("svg", { class: "swatch", viewBox: "0 0 28 12", "aria-hidden": "true" },
    make("line", { class: `s${colour_}`, x1: 0, y1: 6, x2: 28, y2: 6, "stroke-dasharray": DASHES[dash].join(" ") || null }));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// One picture for all sources of the same unit. `move` is called with (from, to) when somebody wants another time.
export function chart(uPlot, place, unit, curves, move, tell) {
  const { from, to, every, values } = curves[0];
  const times = values.map((_, index) => from + (index + 0.5) * every);
  const size = () => ({ width: Math.max(200, plot.clientWidth), height: window.innerWidth < 640 ? 220 : 280 });
  const names = curves.map((each) => each.source).join(", ");
  const at = make("p", { class: "history-at quiet", "aria-hidden": "true" });
  const plot = make("div", { class: "plot", role: "img", tabindex: "0", "aria-label": word("chart", names, unit || "–", moment(from), moment(to)) });
  place.append(make("section", { class: "card history-chart" }, make("div", { class: "history-chart-head" }, make("h2", { text: unit || names }), at), plot));
  const ink = colour("--quiet");
  const line = colour("--line");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
  const step = (splits) => (splits.length > 1 ? splits[1] - splits[0] : to - from);
  const shown = new uPlot(
    {
      ...size(),
      padding: [8, RIGHT, 0, 0],
      legend: { show: false },
      scales: { x: { time: true, range: [from, to] }, y: { range: (_, low, high) => reach(uPlot, unit, low, high) } },
      cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: "history" }, points: { size: 7 } },
      axes: [
        { ...axis, space: 70, values: (_, splits) => splits.map((each) => mark(each, step(splits))) },
        { ...axis, size: LEFT, values: (_, splits) => splits.map((each) => number(each, 4)) },
      ],
      series: [
        {},
        ...curves.map((each) => ({
          label: each.source,
          stroke: colour(`--s${each.number}`),
          dash: DASHES[each.dash],
          width: 2,
          spanGaps: false,
          points: { show: each.values.filter((value) => value !== null).length < 3 ? true : undefined, size: 4 },
        })),
      ],
      hooks: {
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width > 8) move(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [
          (self) => {
            const index = self.cursor.idx;
            const texts = index === null || index === undefined ? [] : curves.map((each) => `${each.source}: ${number(each.values[index])} ${unit}`);
            at.replaceChildren(...(texts.length ? [moment(times[index]), ...texts].map((text) => make("span", { text })) : []));
          },
        ],
      },
    },
    [times, ...curves.map((each) => each.values)],
    plot,
  );
  plot.addEventListener("keydown", (event) => tell(event));
  const watcher = new ResizeObserver(() => shown.setSize(size()));
  watcher.observe(plot);
  return () => {
    watcher.disconnect();
    shown.destroy();
  };
}

// What the axis of values reaches: 0 is in it unless all is far from there, as a voltage is; of percents, all of them.
function reach(uPlot, unit, low, high) {
  if (low === null || high === null) return [0, 1];
  if (unit === "%" && low >= 0 && high <= 100) return [0, 100];
  const isFar = low > 0 && high - low < low;
  const [from, to] = isFar ? uPlot.rangeNum(low, high, 0.1, true) : uPlot.rangeNum(Math.min(0, low), Math.max(0, high), 0.1, true);
  return [low >= 0 && !isFar ? 0 : from, to === from ? from + 1 : to];
}

// 1, 2 or 5 times a power of ten, the next above `value`.
function roundStep(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 5, 10].find((each) => each * power >= value * 0.999) * power;
}

// How much it was, a group of bars for each period.
export function bars(place, unit, found, by, width) {
  const labels = new Map();
  for (const each of found) for (const row of each.rows) if (!labels.has(row.label)) labels.set(row.label, row);
  const rows = [...labels.values()].sort((a, b) => a.from - b.from);
  if (!rows.length) return;
  const amounts = found.flatMap((each) => each.rows.map((row) => row.amount ?? 0));
  const step = roundStep((Math.max(0, ...amounts) - Math.min(0, ...amounts)) / 4);
  const [low, high] = [Math.floor(Math.min(0, ...amounts) / step) * step, Math.max(step, Math.ceil(Math.max(0, ...amounts) / step) * step)];
  const span = high - low;
  const [inner, tall] = [width - LEFT - RIGHT, BAR_HEIGHT - BELOW];
  const y = (value) => 8 + ((high - value) / span) * (tall - 8);
  const slot = inner / rows.length;
  const bar = Math.max(1, Math.min(48, (slot * 0.8) / found.length));
  const svg = make("svg", {
    class: "history-bands", viewBox: `0 0 ${width} ${BAR_HEIGHT}`, role: "img",
    "aria-label": word("bars", found.map((each) => each.source).join(", "), unit, period(rows[0], by), period(rows.at(-1), by)),
  });
  for (let value = low; value <= high + step / 2; value += step) {
    svg.append(make("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(make("text", { class: "axis", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end", text: number(value) }));
  }
  const every = Math.ceil((rows.length * 76) / inner);
  rows.forEach((row, index) => {
    const middle = LEFT + (index + 0.5) * slot;
    found.forEach((each, which) => {
      const mine = each.rows.find((one) => one.label === row.label);
      if (!mine || mine.amount === null) return;
      const top = Math.min(y(mine.amount), y(0));
      svg.append(
        make("rect", {
          class: `s${each.number}${mine.is_whole ? "" : " going"}`, x: middle + (which - found.length / 2) * bar, y: top,
          width: bar, height: Math.max(0, Math.abs(y(mine.amount) - y(0))),
        }, make("title", { text: `${each.source}, ${period(row, by)}: ${number(mine.amount)} ${unit}` })),
      );
    });
    if (index % every === 0) svg.append(make("text", { class: "axis", x: middle, y: BAR_HEIGHT - 8, "text-anchor": "middle", text: period(row, by) }));
  });
  place.append(make("div", { class: "card history-chart" }, make("h2", { text: unit }), svg));
}

// When each relay was on: a band from the left end of the curves to their right end.
export function bands(place, found, width, names) {
  const { from, to, relays } = found;
  const x = (time) => LEFT + ((time - from) / (to - from)) * (width - LEFT - RIGHT);
  for (const relay of relays) {
    const name = relay.source.startsWith("relays/") ? names[relay.source.slice("relays/".length).replace(".state", "")] : "";
    const called = name ? `${name} (${relay.source})` : relay.source;
    const text = relay.known_seconds > 0 ? word("relay_on", duration(relay.on_seconds), duration(relay.known_seconds)) : word("relay_unknown");
    const svg = make("svg", { class: "history-bands", viewBox: `0 0 ${width} 30`, role: "img", "aria-label": `${called}: ${text}` });
    for (const [start, end, share] of relay.bands) {
      const size = { x: x(start), y: 1, width: Math.max(0.5, x(end) - x(start)), height: 28 };
      svg.append(make("rect", { class: "known", ...size }));
      if (share > 0) svg.append(make("rect", { class: "on", ...size, "fill-opacity": share }));
    }
    svg.append(make("rect", { class: "outline", x: LEFT, y: 1, width: width - LEFT - RIGHT, height: 28 }));
    place.append(make("div", { class: "history-relay" }, make("p", {}, make("strong", { text: called }), ` ${text}`), svg));
  }
}
