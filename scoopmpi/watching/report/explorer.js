// The time line under mouse and keys: what is under a place, and which part of the run is shown.
"use strict";

class Explorer extends Timeline {
  constructor(...given) {
    super(...given);
    this.last = -1e9; // when the page was scrolled elsewhere
    this.listen();
  }

  // What is under a place of the canvas, in words: a list of lines.
  said(x, y) {
    const time = this.from + ((x - this.gutter) * this.ratio * (this.until - this.from)) / this.width;
    const inside = (y - this.above) * this.ratio;
    let line = this.tops.length - 1;
    while (line > 0 && this.tops[line] > inside) line--;
    if (x < this.gutter || inside < 0 || inside >= this.height) return null;
    const near = (2 * (this.until - this.from)) / this.width;
    const stop = Math.min((line + 1) * this.each, this.data.workers.length);
    let row = line * this.each;
    let lines = this.running(row, time, near);
    while (!lines.length && row + 1 < stop) lines = this.running(++row, time, near);
    const worker = this.data.workers[row];
    const name = "worker " + worker.rank + (worker.pid ? " (pid " + worker.pid + ")" : "");
    const moment = clock(time, (this.until - this.from) / 1000);
    const head = name + " on " + this.data.hosts[worker.host] + ", at " + moment;
    if (!lines.length) lines.push(worker.lost !== null && time > worker.lost ? "lost" : "no task");
    return [head, ...lines];
  }

  // What a worker runs at a time, in words; and, within its task, of tasks of tasks.
  running(row, time, near) {
    const { spans } = this;
    const lines = [];
    for (const [from, stop] of [[spans.first[row], spans.nested[row]],
      [spans.nested[row], spans.first[row + 1]]]) {
      const i = spans.after(from, stop, time - near / 4);
      if (i < stop && spans.began[i] <= time + near / 4) lines.push(this.told(i));
    }
    return lines;
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
