// The time line: a line for each worker, from spans that are packed as `timeline.py` says.
// Each redraw computes the colour of each pixel from how much of it is covered by spans, so that
// it costs the same whether spans are wider than a pixel or a thousand of them are one.
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

class Timeline {
  constructor(canvas, tip, data, spans) {
    Object.assign(this, { canvas, tip, data, spans });
    this.seconds = data.seconds;
    this.from = 0;
    this.until = this.seconds;
    this.listeners = [];
    this.shortest = Math.max(this.seconds * 1e-7, 1e-5);
    this.last = -1e9; // when the page was scrolled elsewhere
    this.lay();
    this.listen();
  }

  // Sizes: rows as high as there is room for, at least a pixel.
  lay() {
    const ratio = (this.ratio = window.devicePixelRatio || 1);
    const wide = this.canvas.parentElement.clientWidth;
    const rows = this.data.workers.length;
    this.gutter = wide < 700 ? 84 : 124;
    this.lanes = Math.min(Math.max(...this.data.jobs.map((job) => job.lane + 1), 0), 3);
    this.above = this.lanes ? this.lanes * 16 + 6 : 2;
    this.width = Math.max(Math.round((wide - this.gutter) * ratio), 50);
    this.row = Math.max(1, Math.min(Math.round(20 * ratio), Math.floor((560 * ratio) / rows)));
    const gap = this.row >= 2 && this.data.hosts.length <= 100 ? Math.round(4 * ratio) : 0;
    this.tops = [];
    let top = 0;
    for (let row = 0; row < rows; row++) {
      if (row && this.data.workers[row].host !== this.data.workers[row - 1].host) top += gap;
      this.tops.push(top);
      top += this.row;
    }
    this.height = Math.max(top, 1);
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(this.height + (this.above + 24) * ratio);
    this.canvas.style.height = this.canvas.height / ratio + "px";
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.sums = ["red", "green", "blue", "cover", "wrong"].map(() => new Float32Array(this.width));
    this.line = new Uint32Array(this.width);
    this.within = new Uint32Array(this.width);
    this.colours();
    this.draw();
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => {
      const text = style.getPropertyValue(name).trim();
      return [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16));
    };
    this.style = (name) => style.getPropertyValue(name).trim();
    this.idle = colour("--idle");
    this.gone = colour("--gone");
    this.wrong = colour("--wrong");
    this.kinds = this.data.kinds.map((at) => colour("--kind-" + Math.min(at, 8)));
  }

  view(from, until, told) {
    const length = Math.min(Math.max(until - from, this.shortest), this.seconds);
    from = Math.min(Math.max(from, 0), this.seconds - length);
    if (from === this.from && from + length === this.until) return;
    this.from = from;
    this.until = from + length;
    this.tip.hidden = true;
    if (!this.waiting) {
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.draw();
      });
    }
    if (!told) for (const listener of this.listeners) listener(this.from, this.until);
  }

  zoom(factor, at) {
    const middle = at === undefined ? (this.from + this.until) / 2 : at;
    this.view(middle - (middle - this.from) * factor, middle + (this.until - middle) * factor);
  }

  shift(share) {
    const step = (this.until - this.from) * share;
    const from = Math.min(Math.max(this.from + step, 0), this.seconds - (this.until - this.from));
    this.view(from, from + (this.until - this.from));
  }

  draw() {
    const began = performance.now();
    const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
    const none = packed(this.idle);
    const sepia = packed(this.gone);
    this.pixels.fill(0);
    for (let row = 0; row < this.tops.length; row++) {
      const spans = this.spans;
      const { lost } = this.data.workers[row];
      this.line.fill(none);
      if (lost !== null) this.line.fill(sepia, Math.max(0, Math.floor(this.x(lost))));
      this.cover(spans.first[row], spans.nested[row], this.line, this.line);
      const high = this.row >= 5 * this.ratio ? this.row - Math.round(this.ratio) : this.row;
      const top = this.tops[row];
      for (let y = 0; y < high; y++) this.pixels.set(this.line, (top + y) * this.width);
      if (spans.nested[row] < spans.first[row + 1] && high >= 9) {
        this.cover(spans.nested[row], spans.first[row + 1], this.line, this.within, 0.8);
        for (let y = Math.round(high * 0.55); y < high - 1; y++) {
          this.pixels.set(this.within, (top + y) * this.width);
        }
      }
    }
    this.surround();
    this.context.putImageData(this.image, Math.round(this.gutter * this.ratio),
      Math.round(this.above * this.ratio));
    this.losses();
    this.spent = performance.now() - began;
  }

  x(time) {
    return ((time - this.from) / (this.until - this.from)) * this.width;
  }

  // Colour the pixels of one row. shade: less than 1 makes colours darker.
  cover(from, stop, behind, into, shade = 1) {
    const [red, green, blue, cover, wrong] = this.sums;
    const { spans, width } = this;
    for (const sum of this.sums) sum.fill(0);
    const scale = width / (this.until - this.from);
    for (let i = spans.after(from, stop, this.from); i < stop; i++) {
      if (spans.began[i] >= this.until) break;
      const left = Math.max((spans.began[i] - this.from) * scale, 0);
      const right = Math.min((spans.ended[i] - this.from) * scale, width);
      const [r, g, b] = this.kinds[spans.function[i]];
      const bad = spans.failed[i] / Math.max(spans.tasks[i], 1);
      const first = Math.floor(left);
      const final = Math.min(Math.floor(right), width - 1);
      const edge = right - left >= 5 * this.ratio ? 0.55 : 1; // so that neighbours are seen apart
      for (let x = first; x <= final; x++) {
        let part = Math.min(right, x + 1) - Math.max(left, x);
        if (part <= 0 && first !== final) continue;
        part = Math.max(part, 1e-3) * spans.share[i];
        if (x === first) part *= edge;
        red[x] += r * part;
        green[x] += g * part;
        blue[x] += b * part;
        cover[x] += part;
        if (bad) wrong[x] += bad * part;
      }
    }
    for (let x = 0; x < width; x++) {
      const all = cover[x];
      if (!all) {
        into[x] = behind[x];
        continue;
      }
      const share = 0.12 + 0.88 * Math.min(all, 1); // what is short is seen still
      const bad = wrong[x] ? 0.35 + 0.65 * Math.min(wrong[x] / all, 1) : 0;
      const under = behind[x];
      const mixed = (sum, at, low) => {
        const own = (sum / all) * shade * (1 - bad) + this.wrong[at] * bad;
        return Math.round(own * share + low * (1 - share));
      };
      into[x] = (255 << 24) | (mixed(blue[x], 2, (under >>> 16) & 255) << 16) |
        (mixed(green[x], 1, (under >>> 8) & 255) << 8) | mixed(red[x], 0, under & 255);
    }
  }

  // Hosts, jobs and the axis, around the pixels of spans.
  surround() {
    const { context, ratio } = this;
    const wide = this.canvas.width / ratio;
    const low = this.above + this.height / ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.fillStyle = this.style("--muted");
    this.labels();
    context.textAlign = "center";
    for (const tick of ticks(this.from, this.until, (wide - this.gutter) / 90)) {
      const x = this.gutter + this.x(tick.at) / ratio;
      context.fillRect(x, low, 1, 5);
      const half = context.measureText(tick.text).width / 2;
      context.fillText(tick.text, Math.min(Math.max(x, half), wide - half), low + 14);
    }
    this.bands(wide);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  labels() {
    const { context, ratio } = this;
    let last = -99;
    const rows = this.data.workers;
    const each = this.row / ratio >= 13;
    context.textAlign = "right";
    for (let row = 0; row < rows.length; row++) {
      const first = !row || rows[row].host !== rows[row - 1].host;
      if (!first && !each) continue;
      let stop = row + 1;
      while (!each && stop < rows.length && rows[stop].host === rows[row].host) stop++;
      const bottom = this.tops[stop - 1] + this.row;
      const y = this.above + (this.tops[row] + bottom) / 2 / ratio;
      if (y - last < 13) continue;
      last = y;
      const name = this.data.hosts[rows[row].host];
      let text = each ? (first ? name + " " : "") + rows[row].rank : name;
      while (context.measureText(text).width > this.gutter - 8 && text.length > 3) {
        text = "…" + text.slice(2);
      }
      context.fillText(text, this.gutter - 6, y);
    }
  }

  bands(wide) {
    const { context, ratio } = this;
    context.textAlign = "left";
    for (const job of this.data.jobs) {
      if (job.lane > 2 || job.ended < this.from || job.began > this.until) continue;
      const left = Math.max(this.gutter + this.x(job.began) / ratio, this.gutter);
      const right = Math.min(this.gutter + this.x(job.ended) / ratio, wide);
      context.fillStyle = this.style("--line");
      context.fillRect(left, job.lane * 16, Math.max(right - left - 1, 1), 14);
      if (right - left < 40) continue;
      context.save();
      context.beginPath();
      context.rect(left, job.lane * 16, right - left - 4, 14);
      context.clip();
      context.fillStyle = this.style("--text");
      context.fillText(job.name, left + 4, job.lane * 16 + 7.5);
      context.restore();
    }
  }

  losses() {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.style("--wrong");
    this.data.workers.forEach((worker, row) => {
      if (worker.lost === null || worker.lost < this.from || worker.lost > this.until) return;
      const x = this.gutter + this.x(worker.lost) / ratio;
      const high = Math.max(this.row / ratio, 5);
      context.fillRect(x - 1, this.above + (this.tops[row] + this.row / 2) / ratio - high / 2, 3, high);
    });
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  // What is under a place of the canvas, in words: a list of lines.
  said(x, y) {
    const time = this.from + ((x - this.gutter) * this.ratio * (this.until - this.from)) / this.width;
    const inside = (y - this.above) * this.ratio;
    let row = this.tops.length - 1;
    while (row > 0 && this.tops[row] > inside) row--;
    if (x < this.gutter || inside < 0 || inside >= this.height) return null;
    const worker = this.data.workers[row];
    const name = "worker " + worker.rank + (worker.pid ? " (pid " + worker.pid + ")" : "");
    const head = name + " on " + this.data.hosts[worker.host] + ", at " + clock(time, (this.until - this.from) / 1000);
    const near = (2 * (this.until - this.from)) / this.width;
    const lines = [];
    for (const [from, stop] of [[this.spans.first[row], this.spans.nested[row]],
      [this.spans.nested[row], this.spans.first[row + 1]]]) {
      const i = this.spans.after(from, stop, time - near / 4);
      if (i < stop && this.spans.began[i] <= time + near / 4) lines.push(this.told(i));
    }
    if (!lines.length) lines.push(worker.lost !== null && time > worker.lost ? "lost" : "no task");
    return [head, ...lines];
  }

  told(i) {
    const spans = this.spans;
    const length = spans.ended[i] - spans.began[i];
    const name = this.data.functions[spans.function[i]];
    const many = spans.tasks[i];
    const parts = many ? [many === 1 ? "1 task" : many + " tasks"] : [];
    if (spans.batches[i] > 1) {
      parts.push(spans.batches[i] + " batches, " + spoken(length * spans.share[i]) + " of work in " + spoken(length));
    } else parts.push(spoken(length));
    if (spans.failed[i]) parts.push(spans.failed[i] + " failed");
    if (spans.attempt[i] > 1) parts.push("attempt " + spans.attempt[i]);
    const end = ENDS[spans.end[i]];
    if (end) parts.push(end);
    const job = this.data.names[spans.job[i] - (1 << 20)];
    let which = "";
    if (spans.depth[i]) which = ", inside the task";
    else if (spans.batches[i] <= 1) {
      which = " " + spans.start[i] + (many > 1 ? " to " + (spans.start[i] + many - 1) : "");
      if (job) which += " of " + job;
    }
    return name + which + ": " + parts.join(", ");
  }

  show(event) {
    const box = this.canvas.getBoundingClientRect();
    const lines = this.said(event.clientX - box.left, event.clientY - box.top);
    this.tip.hidden = !lines;
    if (!lines) return;
    this.tip.textContent = lines.join("\n");
    const left = event.clientX - box.left + 14;
    const room = box.width - this.tip.offsetWidth - 4;
    this.tip.style.left = Math.max(Math.min(left, room), 0) + "px";
    this.tip.style.top = event.clientY - box.top + 18 + "px";
  }

  time(event) {
    const x = event.clientX - this.canvas.getBoundingClientRect().left - this.gutter;
    const share = Math.min(Math.max((x * this.ratio) / this.width, 0), 1);
    return this.from + share * (this.until - this.from);
  }

  listen() {
    const { canvas } = this;
    // A turn of the wheel that has begun elsewhere goes on scrolling the page.
    addEventListener("wheel", (event) => {
      if (event.target !== canvas) this.last = performance.now();
    }, { passive: true });
    canvas.addEventListener("wheel", (event) => {
      const now = performance.now();
      const whole = this.from === 0 && this.until === this.seconds;
      if (now - this.last < 300 || (whole && event.deltaY > 0 && !event.ctrlKey)) {
        this.last = now;
        return;
      }
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.shift(event.deltaX / 1000);
      else this.zoom(Math.exp(Math.max(Math.min(event.deltaY, 200), -200) / 300), this.time(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("dblclick", () => this.view(0, this.seconds));
    canvas.addEventListener("keydown", (event) => {
      const deeds = {
        "+": () => this.zoom(0.6), "=": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6),
        ArrowUp: () => this.zoom(0.6), ArrowDown: () => this.zoom(1 / 0.6),
        ArrowLeft: () => this.shift(-0.2), ArrowRight: () => this.shift(0.2),
        Home: () => this.view(0, this.seconds), 0: () => this.view(0, this.seconds),
      };
      if (!deeds[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      deeds[event.key]();
    });
  }

  press(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.held = { at: this.time(event), x: event.clientX, pans: event.shiftKey };
    Object.assign(this.held, { from: this.from, until: this.until });
  }

  move(event) {
    if (!this.held) {
      this.show(event);
      return;
    }
    this.tip.hidden = true;
    const { held } = this;
    const moved = ((event.clientX - held.x) * this.ratio) / this.width;
    if (held.pans) {
      const length = held.until - held.from;
      const from = Math.min(Math.max(held.from - moved * length, 0), this.seconds - length);
      this.view(from, from + length);
      return;
    }
    this.draw();
    const { context } = this;
    const [left, right] = [held.at, this.time(event)].sort((one, other) => one - other).map((at) => this.x(at));
    context.fillStyle = this.style("--chosen");
    context.fillRect(this.gutter * this.ratio + left, this.above * this.ratio, Math.max(right - left, 1), this.height);
  }

  release(event) {
    const { held } = this;
    this.held = null;
    if (!held || held.pans) return;
    const [from, until] = [held.at, this.time(event)].sort((one, other) => one - other);
    if (Math.abs(event.clientX - held.x) > 4) this.view(from, until);
    else this.draw();
  }
}
