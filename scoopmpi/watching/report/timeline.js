// The time line: a line for each worker. Each redraw computes the colour of each pixel from how much
// of it is covered by spans, so that it costs the same whether spans are wider than a pixel or a
// thousand of them are one.
"use strict";

// Lines of the time line; where there are more workers, several of a host are one.
const MOST_LINES = 1500;

class Timeline {
  constructor(canvas, tip, data, spans) {
    Object.assign(this, { canvas, tip, data, spans });
    this.seconds = data.seconds;
    this.from = 0;
    this.until = this.seconds;
    this.listeners = [];
    this.shortest = Math.max(this.seconds * 1e-7, 1e-5);
    this.lay();
  }

  // Sizes: rows as high as there is room for, at least a pixel.
  lay() {
    const ratio = (this.ratio = window.devicePixelRatio || 1);
    const wide = this.canvas.parentElement.clientWidth;
    const rows = this.data.workers.length;
    this.each = Math.max(1, Math.ceil(rows / MOST_LINES));
    const lines = Math.ceil(rows / this.each);
    this.gutter = wide < 700 ? 84 : 124;
    this.lanes = Math.min(Math.max(...this.data.jobs.map((job) => job.lane + 1), 0), 3);
    this.above = this.lanes ? this.lanes * 16 + 6 : 2;
    this.width = Math.max(Math.round((wide - this.gutter) * ratio), 50);
    this.row = Math.max(1, Math.min(Math.round(20 * ratio), Math.floor((560 * ratio) / lines)));
    const gap = this.row >= 2 && this.data.hosts.length <= 100 ? Math.round(4 * ratio) : 0;
    this.tops = [];
    let top = 0;
    for (let line = 0; line < lines; line++) {
      if (line && this.host(line) !== this.host(line - 1)) top += gap;
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

  // The host of the workers of a line; of the first of them.
  host(line) {
    return this.data.workers[line * this.each].host;
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
    const { spans } = this;
    for (let line = 0; line < this.tops.length; line++) {
      const row = line * this.each;
      const stop = Math.min(row + this.each, this.data.workers.length);
      const { lost } = this.data.workers[row];
      this.line.fill(none);
      if (lost !== null && this.each === 1) {
        this.line.fill(sepia, Math.max(0, Math.floor(this.x(lost))));
      }
      for (let at = row; at < stop; at++) this.gather(spans.first[at], spans.nested[at]);
      this.mix(stop - row, this.line, this.line);
      const high = this.row >= 5 * this.ratio ? this.row - Math.round(this.ratio) : this.row;
      const top = this.tops[line];
      for (let y = 0; y < high; y++) this.pixels.set(this.line, (top + y) * this.width);
      if (spans.nested[row] < spans.first[row + 1] && high >= 9) {
        this.gather(spans.nested[row], spans.first[row + 1]);
        this.mix(1, this.line, this.within, 0.8);
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

  // Add how much of each pixel spans cover, and with which colours.
  gather(from, stop) {
    const [red, green, blue, cover, wrong] = this.sums;
    const { spans, width } = this;
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
  }

  // Make pixels of what was gathered of so many workers, and forget it. shade: below 1 is darker.
  mix(workers, behind, into, shade = 1) {
    const [red, green, blue, cover, wrong] = this.sums;
    for (let x = 0; x < this.width; x++) {
      const all = cover[x];
      if (!all) {
        into[x] = behind[x];
        continue;
      }
      const share = 0.12 + 0.88 * Math.min(all / workers, 1); // what is short is seen still
      const bad = wrong[x] ? 0.35 + 0.65 * Math.min(wrong[x] / all, 1) : 0;
      const under = behind[x];
      const mixed = (sum, at, low) => {
        const own = (sum / all) * shade * (1 - bad) + this.wrong[at] * bad;
        return Math.round(own * share + low * (1 - share));
      };
      into[x] = (255 << 24) | (mixed(blue[x], 2, (under >>> 16) & 255) << 16) |
        (mixed(green[x], 1, (under >>> 8) & 255) << 8) | mixed(red[x], 0, under & 255);
    }
    for (const sum of this.sums) sum.fill(0);
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
    const single = this.row / ratio >= 15;
    context.textAlign = "right";
    for (let line = 0; line < this.tops.length; line++) {
      const first = !line || this.host(line) !== this.host(line - 1);
      if (!first && !single) continue;
      let stop = line + 1;
      while (!single && stop < this.tops.length && this.host(stop) === this.host(line)) stop++;
      const bottom = this.tops[stop - 1] + this.row;
      const y = this.above + (this.tops[line] + bottom) / 2 / ratio;
      if (y - last < 13) continue;
      last = y;
      const name = this.data.hosts[this.host(line)];
      let text = single ? (first ? name + " " : "") + this.data.workers[line].rank : name;
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
      context.fillRect(x - 1, this.above + (this.tops[Math.floor(row / this.each)] + this.row / 2) / ratio - high / 2, 3, high);
    });
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
}
