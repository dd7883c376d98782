// Spans as the page has them: columns of numbers that are packed as `timeline.py` says; and moments
// and durations in words.
"use strict";

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function columns(bytes, rows, spans) {
  let place = 0;
  const next = (many) => {
    const column = new Uint32Array(many);
    for (let i = 0; i < many; i++) {
      column[i] =
        bytes[place + i] | (bytes[place + many + i] << 8) |
        (bytes[place + 2 * many + i] << 16) | (bytes[place + 3 * many + i] << 24);
    }
    place += 4 * many;
    return column;
  };
  const found = { counts: next(rows) };
  const names = ["began", "length", "busy", "function", "tasks", "failed", "job", "start",
    "batches", "attempt", "depth", "end"];
  for (const name of names) found[name] = next(spans);
  return found;
}

class Spans {
  constructor(packed, bytes) {
    const raw = columns(bytes, packed.rows, packed.spans);
    const many = packed.spans;
    Object.assign(this, raw);
    this.first = new Uint32Array(packed.rows + 1); // where the spans of each row begin
    this.nested = new Uint32Array(packed.rows); // and, of these, the nested ones
    this.began = new Float64Array(many);
    this.ended = new Float64Array(many);
    this.share = new Float32Array(many);
    this.start = new Int32Array(many);
    for (let row = 0, i = 0; row < packed.rows; row++) {
      const stop = i + raw.counts[row];
      this.nested[row] = stop;
      for (let began = 0, start = 0; i < stop; i++) {
        began = (began + raw.began[i]) >>> 0;
        const step = raw.start[i];
        start += step & 1 ? -((step >>> 1) + 1) : step >>> 1;
        this.start[i] = start;
        this.began[i] = began * packed.unit;
        this.ended[i] = (began + raw.length[i]) * packed.unit;
        this.share[i] = raw.length[i] ? Math.min(raw.busy[i] / raw.length[i], 1) : 1;
        if (raw.depth[i] && this.nested[row] === stop) this.nested[row] = i;
      }
      this.first[row + 1] = i;
    }
  }

  // The first of some spans, in the order of time, that ends behind a time.
  after(from, stop, time) {
    while (from < stop) {
      const middle = (from + stop) >>> 1;
      if (this.ended[middle] > time) stop = middle;
      else from = middle + 1;
    }
    return from;
  }
}

function spoken(seconds) {
  const digits = (value) => Number(value.toPrecision(3)).toString();
  if (seconds <= 0) return "0 s";
  if (seconds < 1e-3) return digits(seconds * 1e6) + " µs";
  if (seconds < 1) return digits(seconds * 1e3) + " ms";
  if (seconds < 100) return digits(seconds) + " s";
  return clock(seconds, 1);
}

// A moment as hours, minutes and seconds. step: of the ticks, which says how many digits there are.
function clock(seconds, step) {
  const digits = step >= 1 ? 0 : Math.min(Math.ceil(-Math.log10(step)), 6);
  const two = (value) => String(value).padStart(2, "0");
  const rounded = Number(seconds.toFixed(digits));
  const whole = Math.floor(rounded);
  const rest = digits ? (rounded - whole).toFixed(digits).slice(1) : "";
  if (whole < 60) return whole + rest + " s";
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  const text = (hours || days ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60) + rest;
  return days ? days + " d " + text : text;
}

// What is said of how a span ends, by its number in `run.py`.
const ENDS = ["", "", "", "then it waited for tasks of its own", "lost with its worker", "it still ran"];
const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200,
  86400];

// Moments for an axis, about so many, with their texts.
function ticks(from, until, wanted) {
  const least = (until - from) / Math.max(wanted, 1);
  let step = STEPS.find((each) => each >= least);
  if (least < 1) {
    const power = 10 ** Math.floor(Math.log10(least));
    step = [1, 2, 5, 10].find((each) => each * power >= least * 0.999) * power;
  } else if (step === undefined) {
    step = Math.ceil(least / 86400) * 86400;
  }
  const found = [];
  for (let number = Math.ceil(from / step); number * step <= until; number++) {
    found.push({ at: number * step, text: clock(number * step, step) });
  }
  return found;
}
