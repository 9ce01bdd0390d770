// Trying a rule out that is not saved yet: with values that somebody pretends, and over the days that were recorded.
import { language, make, post, region, word } from "./kit.js";

const CHECK_AFTER = 250; // ms without another change
const REPLAY_AFTER = 500;
const CHARGER = ["0", "3", "4", "5"];
const LASTING = [0, 1, 2, 5, 10, 20, 30, 60, 120, 240]; // min
const SINCE = ["1d", "7d", "30d"];

// least, most, step and unit of a value by the end of its name; the first that fits
const RANGES = [
  [/SOC$/, [0, 100, 1, "%"]],
  [/PPV$/, [0, 3000, 10, "W"]],
  [/(^|[/.])(P|W|power|watts)$/i, [-3000, 3000, 10, "W"]],
  [/(^|[/.])V(PV|M|S)?$/, [0, 60, 0.1, "V"]],
  [/(^|[/.])I$/, [-100, 100, 1, "A"]],
  [/(^|[/.])(T|temperature)$/i, [-20, 90, 0.5, "°C"]],
  [/TTG$/, [0, 2880, 10, "min"]],
];

function rangeOf(name, now) {
  const [least, most, step, unit] = RANGES.find(([ends]) => ends.test(name))?.[1] ?? [0, 100, 1, ""];
  if (Number.isNaN(now)) return [least, most, step, unit];
  return [Math.min(least, Math.floor(now)), Math.max(most, Math.ceil(now)), step, unit];
}

/** Asks for the newest alone: one under way is given up when another is asked for, and the server ends it. */
class Newest {
  #timer = null;
  #under = null;

  ask(after, path, body, told, failed) {
    this.stop();
    this.#timer = setTimeout(async () => {
      const mine = (this.#under = new AbortController());
      try {
        const answer = await post(path, body, { signal: mine.signal });
        if (!mine.signal.aborted) told(answer);
      } catch (error) {
        if (!mine.signal.aborted) failed(error);
      }
    }, after);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#under?.abort();
    this.#under = null;
  }
}

/** `draft` gives {number, body}, or null while there is nothing to be tried; `needs` what it names; `found` hears what is wrong. */
export class TryOut {
  #draft;
  #needs;
  #known;
  #found;
  #asked = new Newest();
  #shown = "";
  #values = new Map();
  #relays = new Map();
  #files = new Map();
  #hosts = new Map();
  #hour = null;
  #lasts = 0;
  #place = document.getElementById("pretended");
  #answer = document.getElementById("answer");
  #faults = document.getElementById("faults");

  constructor({ draft, needs, known, found }) {
    this.#draft = draft;
    this.#needs = needs;
    this.#known = known;
    this.#found = found;
  }

  /** The rule is another one now. */
  change() {
    this.#draw(this.#needs());
    this.#ask();
  }

  stop() {
    this.#asked.stop();
  }

  #ask() {
    const draft = this.#draft();
    if (!draft) {
      this.#asked.stop();
      this.#tell("", []);
      return;
    }
    this.#answer.dataset.waiting = "1";
    this.#answer.textContent ||= word("try_asks");
    this.#asked.ask(
      CHECK_AFTER,
      `/v1/rules/${draft.number}/check`,
      { ...draft.body, pretended: this.#pretended() },
      answer => {
        this.#tell(this.#inWords(answer), answer.faults, answer.says);
        this.#found(answer);
      },
      error => this.#tell("", [error.message]),
    );
  }

  #inWords({ says, reason, faults }) {
    if (faults.length || says === "lost") return faults.length ? word("try_lost") : word("says_lost");
    if (says === "keep") return word("try_would_keep", reason ? `: ${reason}` : "");
    return word(says === "on" ? "try_would_turn_on" : "try_would_turn_off", reason);
  }

  #tell(text, faults, says = "") {
    delete this.#answer.dataset.waiting;
    this.#answer.textContent = text;
    this.#answer.className = faults.length ? "bad" : says === "on" ? "good" : "";
    this.#faults.replaceChildren(...faults.map(each => make("li", { class: "bad", text: each })));
  }

  #pretended() {
    const found = {};
    const values = Object.fromEntries(this.#values);
    if (Object.keys(values).length) found.values = values;
    for (const [, { number, ...told }] of this.#relays) (found.relays ??= {})[number] = told;
    if (this.#files.size) found.files = [...this.#files].filter(([, isThere]) => isThere).map(([name]) => name);
    if (this.#hosts.size) found.hosts = Object.fromEntries(this.#hosts);
    if (this.#hour !== null) found.at = clock(this.#hour);
    if (this.#lasts) found.for = this.#lasts * 60;
    return found;
  }

  // One control for each thing that the rule names; those that stay are left alone: somebody may be at one.
  #draw(needs) {
    const known = this.#known();
    const all = Object.keys(known);
    const values = [...needs.values];
    if (needs.charger) values.push(...all.filter(name => name.endsWith("/CS")));
    if (needs.house) values.push(...all.filter(name => /\/(PPV|P)$/.test(name)));
    const wanted = { ...needs, values: [...new Set(values)].slice(0, 20) };
    const key = JSON.stringify(wanted);
    if (key === this.#shown) return;
    this.#shown = key;
    keepOnly(this.#values, wanted.values);
    keepOnly(this.#relays, wanted.relays);
    keepOnly(this.#files, wanted.files);
    keepOnly(this.#hosts, wanted.hosts);
    const controls = [
      ...wanted.values.map(name => this.#value(name, known[name])),
      ...wanted.relays.map(each => this.#relay(each)),
      ...wanted.files.map(name => this.#yesOrNo(`try-file-${name}`, word("try_file", name), this.#files, name)),
      ...wanted.hosts.map(name => this.#yesOrNo(`try-host-${name}`, word("try_host", name), this.#hosts, name)),
      wanted.time ? this.#time() : null,
      wanted.lasts ? this.#lasting() : null,
    ].filter(Boolean);
    const reset = make("button", { type: "button", class: "quiet", text: word("try_reset"), onclick: () => this.#reset() });
    this.#place.replaceChildren(...controls, ...(controls.length ? [reset] : []));
  }

  #reset() {
    for (const each of [this.#values, this.#relays, this.#files, this.#hosts]) each.clear();
    this.#hour = null;
    this.#lasts = 0;
    this.#shown = "";
    this.change();
  }

  #control(id, label, field, said) {
    return make("div", { class: "pretended" }, make("label", { for: id, text: label }), field, said);
  }

  #value(name, now) {
    const id = `try-${name}`;
    if (name.endsWith("/CS")) {
      const options = [["", now === undefined ? word("try_unknown") : word("try_now")], ...CHARGER.map(each => [each, word(`charger_${each}`)])];
      return this.#choice(id, name, options, this.#values.get(name) ?? "", chosen => this.#put(this.#values, name, chosen === "" ? null : Number(chosen)));
    }
    const number = Number.parseFloat(this.#values.get(name) ?? now);
    if (now !== undefined && Number.isNaN(number)) {
      const field = make("input", { id, type: "text", value: this.#values.get(name) ?? now, maxlength: 200 });
      field.addEventListener("input", () => this.#put(this.#values, name, field.value));
      return this.#control(id, name, field, make("output", { for: id, text: word("try_now") }));
    }
    const [least, most, step, unit] = rangeOf(name, number);
    const field = make("input", { id, type: "range", min: least, max: most, step });
    field.value = Number.isNaN(number) ? (least + most) / 2 : number;
    const said = make("output", { for: id });
    const tell = () => {
      if (this.#values.has(name)) said.textContent = `${shown(field.value)} ${unit}`.trim();
      else said.textContent = now === undefined ? word("try_unknown") : `${shown(now)} ${unit} (${word("try_now")})`;
      field.setAttribute("aria-valuetext", said.textContent);
    };
    field.addEventListener("input", () => {
      this.#put(this.#values, name, Number(field.value));
      tell();
    });
    tell();
    return this.#control(id, name, field, said);
  }

  #relay(which) {
    const number = which === "this" ? String(this.#draft()?.number ?? "") : which;
    const before = this.#relays.get(which);
    const options = [["", word("try_now")], ["on", word("says_on")], ["off", word("says_off")]];
    const label = which === "this" ? word("try_this_relay") : word("try_relay", which);
    return this.#choice(`try-relay-${which}`, label, options, before ? (before.on ? "on" : "off") : "", chosen => {
      if (number) this.#put(this.#relays, which, chosen ? { on: chosen === "on", for: this.#lasts * 60 || 60, number } : null);
    });
  }

  #yesOrNo(id, label, map, name) {
    const options = [["", word("try_now")], ["yes", word("try_yes")], ["no", word("try_no")]];
    const before = map.has(name) ? (map.get(name) ? "yes" : "no") : "";
    return this.#choice(id, label, options, before, chosen => this.#put(map, name, chosen ? chosen === "yes" : null));
  }

  #choice(id, label, options, value, chosen) {
    const field = make("select", { id }, ...options.map(([each, text]) => make("option", { value: each, text })));
    field.value = value;
    field.addEventListener("change", () => chosen(field.value));
    return this.#control(id, label, field, null);
  }

  #time() {
    const id = "try-hour";
    const now = new Date();
    const field = make("input", { id, type: "range", min: 0, max: 1435, step: 5 });
    field.value = this.#hour ?? now.getHours() * 60 + now.getMinutes();
    const said = make("output", { for: id });
    const tell = () => {
      said.textContent = this.#hour === null ? word("try_now") : clock(this.#hour);
      field.setAttribute("aria-valuetext", said.textContent);
    };
    field.addEventListener("input", () => {
      this.#hour = Number(field.value);
      tell();
      this.#ask();
    });
    tell();
    return this.#control(id, word("try_hour"), field, said);
  }

  #lasting() {
    const id = "try-for";
    const field = make("input", { id, type: "range", min: 0, max: LASTING.length - 1, step: 1 });
    field.value = LASTING.indexOf(this.#lasts);
    const said = make("output", { for: id });
    const tell = () => {
      said.textContent = word("try_min", this.#lasts);
      field.setAttribute("aria-valuetext", said.textContent);
    };
    field.addEventListener("input", () => {
      this.#lasts = LASTING[Number(field.value)];
      tell();
      this.#ask();
    });
    tell();
    return this.#control(id, word("try_for"), field, said);
  }

  #put(map, name, value) {
    if (value === null) map.delete(name);
    else map.set(name, value);
    this.#ask();
  }
}

function keepOnly(map, names) {
  for (const name of map.keys()) if (!names.includes(name)) map.delete(name);
}

const clock = minutes => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const shown = number => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(Number(number));

/** What a draft would have done, beside it while it is built. */
export class Past {
  #draft;
  #asked = new Newest();
  #since = "7d";
  #sum = document.getElementById("past-sum");
  #band = document.getElementById("band");
  #runs = document.getElementById("runs");
  #missing = document.getElementById("past-missing");

  constructor({ draft }) {
    this.#draft = draft;
    const buttons = SINCE.map(since =>
      make("button", {
        type: "button",
        "aria-pressed": String(since === this.#since),
        text: word(`past_${since}`),
        onclick: event => {
          this.#since = since;
          for (const each of buttons) each.setAttribute("aria-pressed", String(each === event.currentTarget));
          this.change();
        },
      }),
    );
    document.getElementById("since").replaceChildren(...buttons);
  }

  stop() {
    this.#asked.stop();
  }

  /** The rule is another one now. */
  change() {
    const draft = this.#draft();
    if (!draft) {
      this.#asked.stop();
      this.#clear("");
      return;
    }
    this.#band.dataset.waiting = "1";
    this.#sum.textContent ||= word("past_plays");
    this.#asked.ask(
      REPLAY_AFTER,
      `/v1/rules/${draft.number}/replay`,
      { ...draft.body, since: this.#since },
      answer => (answer.fault ? this.#clear(answer.fault) : this.#tell(answer)),
      error => this.#clear(error.message),
    );
  }

  #clear(text) {
    delete this.#band.dataset.waiting;
    this.#sum.textContent = text;
    this.#sum.className = text ? "quiet" : "";
    this.#band.replaceChildren();
    this.#runs.hidden = true;
    this.#missing.replaceChildren();
  }

  #tell(found) {
    this.#clear("");
    const { times_on: times, hours, kWh } = found.would_have_been;
    if (!found.runs.length) this.#sum.textContent = word("past_never");
    else if (kWh === null) this.#sum.textContent = word("past_sum", shown(hours), times);
    else this.#sum.textContent = word("past_sum_kwh", shown(hours), times, shown(kWh));
    this.#draw(found);
    this.#runs.hidden = !found.runs.length;
    this.#runs.querySelector("ul").replaceChildren(
      ...(found.runs_left_out ? [make("li", { class: "quiet", text: word("past_left_out", found.runs_left_out) })] : []),
      ...found.runs.map(run =>
        make("li", { text: word("past_run", moment(run.begin), run.end ? moment(run.end) : word("past_still"), run.because) }),
      ),
    );
    const said = [];
    if (found.really) said.push(make("p", { text: word("past_really", shown(found.really.hours), found.really.times_on) }));
    for (const lost of found.lost.slice(0, 3)) {
      said.push(make("p", { class: "warm", text: word("past_lost", lost.steps, moment(lost.first), lost.because) }));
    }
    if (found.not_recorded.length) said.push(make("p", { class: "warm", text: word("past_not_recorded", found.not_recorded.join(", ")) }));
    this.#missing.replaceChildren(...said);
  }

  /** What has to be typed so that all of it is recorded, as a check has told. */
  record(line) {
    document.getElementById("past-record")?.remove();
    if (!line) return;
    this.#missing.after(
      make("div", { id: "past-record" }, make("p", { class: "quiet", text: word("past_record") }), make("pre", {}, make("code", { text: line }))),
    );
  }

  // A line for each day, from midnight to midnight by the clock of the server: times are taken as they are written.
  #draw({ days, runs, until }) {
    const lines = days.map(({ day, would_have_been: sum }) => {
      const track = make("div", { class: "track" });
      for (const run of runs) {
        const piece = within(day, run.begin, run.end ?? until);
        if (!piece) continue;
        const bar = make("div", { class: "on", title: word("past_run", moment(run.begin), run.end ? moment(run.end) : word("past_still"), run.because) });
        bar.style.setProperty("left", `${(100 * piece[0]) / 1440}%`);
        bar.style.setProperty("width", `${Math.max(0.35, (100 * (piece[1] - piece[0])) / 1440)}%`);
        track.append(bar);
      }
      return make(
        "div",
        { class: "day", role: "img", "aria-label": word("past_day", dayOf(day), shown(sum.hours), sum.times_on) },
        make("span", { class: "name", text: dayOf(day) }),
        track,
        make("span", { class: "hours", text: `${shown(sum.hours)} h` }),
      );
    });
    const hours = make("div", { class: "day scale", "aria-hidden": "true" }, make("span", { class: "name" }), make("div", { class: "track" }), make("span", { class: "hours" }));
    for (const hour of [0, 6, 12, 18, 24]) {
      const mark = make("span", { text: String(hour) });
      mark.style.setProperty("left", `${(100 * hour) / 24}%`);
      hours.querySelector(".track").append(mark);
    }
    this.#band.replaceChildren(...lines, ...(lines.length ? [hours] : []));
  }
}

/** The minutes of this day between two moments, or null. */
function within(day, begin, end) {
  const [beginDay, endDay] = [begin.slice(0, 10), end.slice(0, 10)];
  if (beginDay > day || endDay < day) return null;
  const found = [beginDay < day ? 0 : minutesOf(begin), endDay > day ? 1440 : minutesOf(end)];
  return found[1] > found[0] ? found : null;
}

const minutesOf = moment => Number(moment.slice(11, 13)) * 60 + Number(moment.slice(14, 16));
const weekday = new Intl.DateTimeFormat(region, { weekday: "short", day: "numeric", month: "numeric", timeZone: "UTC" });
const dayOf = day => weekday.format(new Date(`${day.slice(0, 10)}T00:00Z`));
const moment = text => `${dayOf(text)} ${text.slice(11, 16)}`;
