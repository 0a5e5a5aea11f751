// Rows of a table as numbers: what pellucid's own reader makes of their cells.

const TRUTHS = { true: 1, false: 0, yes: 1, no: 0, y: 1, n: 0, t: 1, f: 0, 1: 1, 0: 0, "1.0": 1, "0.0": 0 };
const MONTHS = "january february march april may june july august september october november december".split(" ");
const DAY = 864e5; // milliseconds
const TIME = String.raw`(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?([AaPp][Mm])?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?$`;
const month = (name) => MONTHS.findIndex((one) => one.startsWith(name.toLowerCase().replace(/^sept$/, "sep"))) + 1;
const FORMS = [ // each with the places of year, month and day
  [String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})`, (m) => [m[1], m[3], m[4]], ["date", "dmy", "mdy"]],
  [String.raw`^(\d{4})()(\d\d)(\d\d)`, (m) => [m[1], m[3], m[4]], ["date", "dmy", "mdy"]],
  [String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)`, (m) => [m[4], m[3], m[1]], ["dmy"]],
  [String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)`, (m) => [m[4], m[1], m[3]], ["mdy"]],
  [String.raw`^(\d{1,2})[ .-]+([A-Za-z]{3,9})[ .,-]+(\d{4}|\d\d)`, (m) => [m[3], month(m[2]), m[1]], ["date", "dmy", "mdy"]],
  [String.raw`^([A-Za-z]{3,9})[ .]+(\d{1,2})(?:st|nd|rd|th)?[ ,]+(\d{4})`, (m) => [m[3], month(m[1]), m[2]], ["date", "dmy", "mdy"]],
].map(([form, places, kinds]) => ({ form: new RegExp(form + TIME), places, kinds }));

function daysOf(cell, kind) { // since 1970; undefined where it is no date
  for (const { form, places, kinds } of FORMS) {
    const found = kinds.includes(kind) && form.exec(cell);
    if (!found) continue;
    let [year, months, day] = places(found).map(Number);
    const [hour, minute, second, half] = found.slice(-4);
    if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return undefined;
    if (year < 100) year += year >= 69 ? 1900 : 2000;
    const noon = half && half.toLowerCase() === "pm" ? 12 : 0, hours = half ? (Number(hour) % 12) + noon : Number(hour ?? 0);
    const date = new Date(Date.UTC(year, months - 1, day));
    if (date.getUTCMonth() !== months - 1 || date.getUTCDate() !== day) return undefined;
    return date / DAY + (hours + Number(minute ?? 0) / 60 + Number(second ?? 0) / 3600) / 24;
  }
  return undefined;
}

function dateParts(days, parts) {
  const whole = Math.floor(days), date = new Date(whole * DAY), year = date.getUTCFullYear();
  const angle = (2 * Math.PI * (whole - Date.UTC(year, 0, 1) / DAY)) / 365.25;
  const found = {
    year, month: date.getUTCMonth() + 1, weekday: (date.getUTCDay() + 6) % 7, hour: Math.round(24e6 * (days - whole)) / 1e6,
    season_sin: Math.sin(angle), season_cos: Math.cos(angle), days,
  };
  return parts.map((part) => found[part]);
}

const GROUPED = /^[+-]?[1-9]\d{0,2}([ '’\u00a0\u2009\u202f,.])\d{3}(?:\1\d{3})*([.,]\d*)?$/;
function numberOf(cell) { // typed with either decimal sign; 1,234 only where the training part tells what it means
  const [point, thousands] = network.decimal, found = GROUPED.exec(cell);
  if (!found || found[1] === point || (found[2] ?? point)[0] !== point) return Number(cell.replace(",", "."));
  const isSure = found[2] || !",.".includes(found[1]) || cell.split(found[1]).length > 2 || found[1] === thousands;
  return isSure ? Number(cell.replaceAll(found[1], "").replace(",", ".")) : NaN;
}

function valueOf(cell, kind) { // undefined where it cannot be read
  if (kind === "boolean") return TRUTHS[cell.toLowerCase()];
  if (kind !== "numeric") return daysOf(cell, kind);
  const number = numberOf(cell);
  return Number.isFinite(number) ? number : undefined;
}

function encodeCell({ name, kind, words, fill, marks, parts }, typed) {
  if (words.length) {
    const own = words.includes(typed) ? typed : "(rare)";
    return words.map((word) => Number(word === own));
  }
  const cell = String(typed).trim(), isGap = cell === "", read = isGap ? fill ?? undefined : valueOf(cell, kind);
  if (read === undefined) {
    const what = { numeric: "a number", boolean: "yes or no" }[kind] ?? "a date such as 2024-05-31";
    throw new Error(`${name}: ${what} is ${isGap ? "missing" : `expected, not ${cell}`}.`);
  }
  const columns = parts.length ? dateParts(read, parts) : [read];
  return marks ? [...columns, Number(isGap)] : columns;
}

const encode = (typed) => network.columns.flatMap((column) => encodeCell(column, typed[column.name]));
