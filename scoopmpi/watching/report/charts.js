// Curves and histograms by plotly, and what joins them to the time line; at last the page begins.
"use strict";

const element = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const CONFIG = { displayModeBar: false, responsive: true, showTips: false };

function themed(layout) {
  return Object.assign({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: "system-ui, sans-serif", size: 12, color: css("--muted") },
    hoverlabel: { bgcolor: css("--panel"), bordercolor: css("--line"), font: { color: css("--text") } },
  }, layout);
}

function axis(more) {
  return Object.assign({
    gridcolor: css("--line"), linecolor: css("--line"), zerolinecolor: css("--line"),
    automargin: false, fixedrange: true,
  }, more);
}

function timeAxis(from, until) {
  const found = ticks(from, until, Math.max(innerWidth / 120, 4));
  return {
    range: [from, until], tickvals: found.map((tick) => tick.at),
    ticktext: found.map((tick) => tick.text),
  };
}

function curves(data, line) {
  const shown = data.curves.filter((curve) => curve.values);
  const share = 1 / shown.length;
  const traces = shown.map((curve, at) => ({
    type: "scatter", mode: "lines", x: data.at, y: curve.values, name: curve.name,
    yaxis: "y" + (at ? at + 1 : ""), line: { width: 1.5, color: css(curve.colour), shape: "hvh" },
    fill: "tozeroy", fillcolor: css(curve.colour) + "40",
    text: data.at.map((at) => clock(at, data.seconds / 1000)),
    hovertemplate: "%{text}: %{y:,.4~g} " + curve.unit + "<extra></extra>",
  }));
  const layout = themed({
    height: 60 + 120 * shown.length, margin: { l: line.gutter, r: 1, t: 18, b: 26 },
    hovermode: "x", dragmode: "zoom", annotations: [],
    xaxis: axis(Object.assign({ fixedrange: false, anchor: "y" + (shown.length > 1 ? shown.length : "") },
      timeAxis(line.from, line.until))),
  });
  shown.forEach((curve, at) => {
    const top = 1 - at * share;
    layout["yaxis" + (at ? at + 1 : "")] = axis({
      domain: [top - share + 0.02, top - 0.1 * share - 0.03], rangemode: "tozero", nticks: 4,
      range: curve.most ? [0, curve.most] : undefined, tickformat: ",~s",
    });
    layout.annotations.push({
      text: curve.title, xref: "paper", yref: "paper", x: 0, y: top - 0.1 * share - 0.03,
      xanchor: "left", yanchor: "bottom", showarrow: false, font: { color: css("--text") },
    });
  });
  return [traces, layout];
}

function durations(data) {
  const traces = data.durations.map((each, at) => ({
    type: "scatter", mode: "lines", name: each.name, x: each.edges, y: each.shares,
    line: { shape: "hv", width: 1.5, color: css("--kind-" + Math.min(each.kind, 8)) },
    fill: "tozeroy", fillcolor: css("--kind-" + Math.min(each.kind, 8)) + "38", text: each.counts,
    hovertemplate: "%{text}<extra></extra>",
  }));
  const edges = data.durations.flatMap((each) => [each.edges[0], each.edges[each.edges.length - 1]]);
  const powers = [];
  const [low, high] = [Math.min(...edges), Math.max(...edges)].map(Math.log10);
  const parts = high - low < 2 ? [1, 2, 5] : [1];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const part of parts) powers.push(part * 10 ** power);
  }
  return [traces, themed({
    height: 260, margin: { l: 56, r: 1, t: 8, b: 30 }, showlegend: data.durations.length > 1,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "closest",
    xaxis: axis({
      type: "log", tickvals: powers, ticktext: powers.map(spoken), range: [low - 0.1, high + 0.1],
    }),
    yaxis: axis({ rangemode: "tozero", ticksuffix: " %", nticks: 5 }),
  })];
}

async function plotly() {
  const source = element("plotly");
  if (!source) return null;
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await inflated(source.textContent));
  document.head.append(script);
  return window.Plotly;
}

class Page {
  constructor(data, line, library) {
    Object.assign(this, { data, line, library });
    this.charts();
    this.link();
    const again = () => {
      this.line.colours();
      this.line.draw();
      this.charts();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    addEventListener("resize", () => {
      clearTimeout(this.sizing);
      this.sizing = setTimeout(() => { this.line.lay(); this.charts(); }, 100);
    });
    const paper = document.documentElement.classList;
    addEventListener("beforeprint", () => { paper.add("paper"); again(); });
    addEventListener("afterprint", () => { paper.remove("paper"); again(); });
    element("reset").addEventListener("click", () => line.view(0, line.seconds));
    element("closer").addEventListener("click", () => line.zoom(0.5));
    element("wider").addEventListener("click", () => line.zoom(2));
  }

  charts() {
    if (!this.library) return;
    if (this.data.curves.length) this.library.react("curves", ...curves(this.data, this.line), CONFIG);
    if (this.data.durations.length) this.library.react("durations", ...durations(this.data), CONFIG);
  }

  // Zooming in one place zooms in the other.
  link() {
    if (!this.library || !this.data.curves.length) return;
    const chart = element("curves");
    this.line.listeners.push(() => {
      clearTimeout(this.follows);
      this.follows = setTimeout(() => this.follow(chart), 60);
    });
    chart.on("plotly_relayout", (change) => {
      if (this.following) return;
      if (change["xaxis.autorange"]) this.line.view(0, this.line.seconds);
      else if ("xaxis.range[0]" in change) this.line.view(change["xaxis.range[0]"], change["xaxis.range[1]"]);
    });
    chart.on("plotly_doubleclick", () => { this.line.view(0, this.line.seconds); return false; });
  }

  async follow(chart) {
    const change = {};
    const found = timeAxis(this.line.from, this.line.until);
    for (const name of Object.keys(found)) change["xaxis." + name] = found[name];
    this.following = true;
    await this.library.relayout(chart, change);
    this.following = false;
  }
}

async function begin() {
  const data = JSON.parse(element("data").textContent);
  const canvas = element("timeline");
  if (typeof DecompressionStream === "undefined") {
    element("trouble").textContent =
      "This browser is too old for the time line and the curves; all numbers are in the tables.";
    return;
  }
  const spans = new Spans(data.timeline, await inflated(element("spans").textContent));
  const line = new Explorer(canvas, element("tip"), data, spans);
  canvas.timeline = line;
  const library = await plotly();
  canvas.page = new Page(data, line, library);
  performance.mark("ready");
  document.body.dataset.ready = "yes";
}

begin().catch((fault) => {
  element("trouble").textContent = "The time line cannot be drawn: " + fault;
});
