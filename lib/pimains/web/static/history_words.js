// Times and numbers of the History page, in the language of the page.

import { region, word } from "./kit.js";

const DAY = 86400;
const format = (options) => new Intl.DateTimeFormat(region, options);
const minute = format({ hour: "2-digit", minute: "2-digit" });
const second = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndMonth = format({ day: "numeric", month: "short" });
const monthAndYear = format({ month: "short", year: "numeric" });
const year = format({ year: "numeric" });
const whole = format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const date = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const asDate = (seconds) => new Date(seconds * 1000);
export const moment = (seconds) => whole.format(asDate(seconds));
export const dateOf = (seconds) => date.format(asDate(seconds));

export function number(value, digits = 3) {
  if (value === null || value === undefined) return word("unknown");
  // no digit before the point is left out: 1437 W are not 1440
  const before = Math.floor(Math.log10(Math.max(1, Math.abs(value)))) + 1;
  return value.toLocaleString(region, { maximumFractionDigits: Math.max(0, digits - before) });
}

export function money(value, currency) {
  if (value === null || value === undefined) return word("unknown");
  return `${value.toLocaleString(region, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}${currency ? ` ${currency}` : ""}`;
}

// The text below a mark of the axis of time, where marks are `step` seconds apart.
export function mark(seconds, step) {
  const at = asDate(seconds);
  if (step < 60) return second.format(at);
  if (step < DAY) return at.getHours() === 0 && at.getMinutes() === 0 ? dayAndMonth.format(at) : minute.format(at);
  if (step < 28 * DAY) return dayAndMonth.format(at);
  return step < 360 * DAY ? monthAndYear.format(at) : year.format(at);
}

// What a bar is called.
export function period(row, by) {
  const at = asDate(row.from);
  if (by === "day") return dayAndMonth.format(at);
  return by === "month" ? monthAndYear.format(at) : year.format(at);
}

export function duration(seconds) {
  if (seconds < 3600 * 1.5) return word("minutes", number(seconds / 60, 2));
  if (seconds < 72 * 3600) return word("hours", number(seconds / 3600, 3));
  return word("days", number(seconds / DAY, 3));
}
