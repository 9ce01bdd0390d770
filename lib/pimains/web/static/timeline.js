// A rehearsed outage as a drawing: a lane for each who, a dot for each entry, a bar for the time that it is given. The table beside it says it
// in words.
import { make, word } from "./kit.js";

const top = 22;
const bottom = 26;

// Seconds as 9 s, 3:20 min, 2:05 h; the sign stands before it.
export function span(seconds) {
  const whole = Math.abs(Math.round(seconds));
  const sign = seconds < 0 && whole > 0 ? "−" : "";
  if (whole < 60) return `${sign}${whole} s`;
  if (whole < 3600) return `${sign}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
  return `${sign}${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} h`;
}

export function draw(timeline, width) {
  const lanes = [...new Set(timeline.map((each) => each.who))];
  const isNarrow = width < 560;
  const laneHeight = isNarrow ? 42 : 34;
  const left = isNarrow ? 8 : Math.min(190, 16 + 8 * Math.max(...lanes.map((name) => Math.min(name.length, 22))));
  const right = width - 14;
  const times = places(timeline, left, right);
  const height = top + lanes.length * laneHeight + bottom;
  const svg = make("svg", { class: "timeline", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": word("drawing") });
  const back = timeline.find((each) => each.act === "back");
  const fail = timeline.find((each) => each.act === "fail");
  if (fail) {
    const end = back ? times(back.at) : right;
    svg.append(make("rect", { class: "away", x: times(fail.at), y: 0, width: Math.max(0, end - times(fail.at)), height: height - bottom }));
    svg.append(make("text", { x: times(fail.at) + 4, y: 14, class: "label", text: word("mains_away") }));
  }
  lanes.forEach((name, index) => {
    const y = top + index * laneHeight + laneHeight / 2;
    svg.append(make("line", { class: "lane", x1: left, x2: right, y1: y, y2: y }));
    svg.append(make("text", { class: "who", x: isNarrow ? left + 2 : 4, y: isNarrow ? y - 10 : y + 4, text: name.length > 22 ? `${name.slice(0, 21)}…` : name }));
    for (const each of timeline.filter((entry) => entry.who === name)) {
      const x = times(each.at);
      const kind = each.margin !== null && each.margin < 0 ? "bad" : each.act;
      if (each.budget !== null) svg.append(make("rect", { class: `budget ${kind}`, x, y: y - 4, width: Math.max(2, times(each.at + each.budget) - x), height: 8 }));
      svg.append(make("circle", { class: `dot ${kind}`, cx: x, cy: y, r: 5 }, make("title", { text: `${span(each.at)} ${each.who} ${each.what}` })));
    }
  });
  const marks = new Set();
  let free = -Infinity;
  for (const each of timeline) {
    const x = times(each.at);
    if (marks.has(span(each.at)) || x < free || x > right - 16) continue;
    marks.add(span(each.at));
    free = x + 70;
    svg.append(make("line", { class: "mark", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 5 }));
    svg.append(make("text", { class: "label", x, y: height - 6, text: span(each.at) }));
  }
  return svg;
}

// Where a time stands: hours in which nothing happens take little more room than minutes in which much does.
function places(timeline, left, right) {
  const moments = [...new Set(timeline.flatMap((each) => (each.budget === null ? [each.at] : [each.at, each.at + each.budget])))].sort((a, b) => a - b);
  const sums = [0];
  for (let index = 1; index < moments.length; index += 1) sums.push(sums[index - 1] + Math.log1p((moments[index] - moments[index - 1]) / 10));
  const whole = sums[sums.length - 1] || 1;
  return (at) => left + 6 + ((right - left - 12) * sums[Math.max(0, moments.indexOf(at))]) / whole;
}
