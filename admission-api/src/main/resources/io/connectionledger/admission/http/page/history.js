// The last hour: open connections, who came and left, and rejections by reason.
import { colour, h, number, panel, words } from './dom.js';
import uPlot from './uplot.js';

const HEIGHT = 170;
const SHORTEST = 30;
/** Which intervals the times on the axis may have, in seconds. */
const MINUTES = [60, 120, 300, 600, 900];

/** Without the time before anything happened, which says nothing. */
function trimmed(past) {
  const all = [past.active, past.opened, past.closed, past.failed, ...Object.values(past.rejected)];
  const first = past.active.findIndex((_, i) => all.some((counts) => counts[i] > 0));
  const from = Math.max(0, Math.min(first < 0 ? Infinity : first - 1, past.active.length - SHORTEST));
  return (counts) => counts.slice(from);
}

export function history(store, signal) {
  const charts = [
    chart('open', 'Open connections', (past) => ({ open: past.active }), true),
    chart('flow', 'Admitted and opened, closed, failed (per 10 s)', (past) => ({ opened: past.opened, closed: past.closed, failed: past.failed })),
    chart('rejected', 'Rejections by reason (per 10 s)', (past) => past.rejected),
  ];
  const element = panel('history', 'The last hour', null, h('div', { class: 'charts' }, charts.map((one) => one.element)));
  const draw = () => store.state.history && charts.forEach((one) => one.draw(store.state.history));
  const redraw = () => (charts.forEach((one) => one.clear()), draw());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw, { signal });
  const sizes = new ResizeObserver(draw);
  sizes.observe(element);
  signal.addEventListener('abort', () => (sizes.disconnect(), charts.forEach((one) => one.clear())));
  store.on(['history'], draw);
  return element;
}

function chart(id, title, series, filled) {
  const stage = h('div', { class: 'plot' });
  const sums = h('p', { class: 'sums' });
  const element = h('figure', { id: `chart-${id}` }, h('figcaption', {}, title), stage, sums);
  let plot = null;
  let names = '';

  function clear() {
    plot?.destroy();
    plot = null;
  }

  return {
    element,
    clear,
    draw(past) {
      const all = series(past);
      const start = Date.parse(past.from) / 1000;
      // Of a bucket that is not over there is only a part: it would look as if everything ended.
      const last = (counts) => trimmed(past)(counts).slice(0, filled ? undefined : -1);
      const times = past.active.map((_, i) => start + i * past.bucketSeconds);
      const data = [times, ...Object.values(all)].map(last);
      if (!plot || names !== Object.keys(all).join()) {
        clear();
        names = Object.keys(all).join();
        plot = new uPlot(options(Object.keys(all), stage.clientWidth, filled), data, stage);
        // For whoever wants to know what is drawn.
        stage.uplot = plot;
      } else {
        if (plot.width !== stage.clientWidth) {
          plot.setSize({ width: stage.clientWidth, height: HEIGHT });
        }
        plot.setData(data);
      }
      const told = Object.entries(all).map(([name, counts], i) => h('span', { class: 'sum' },
        h('span', { class: `swatch swatch-${swatch(name, i)}` }), `${words(name)} `,
        h('b', { 'data-series': name }, number(filled ? counts.at(-1) : counts.reduce((sum, count) => sum + count, 0)))));
      sums.replaceChildren(...(told.length ? told : ['Nobody was rejected.']));
    },
  };
}

/** A reason keeps its colour; those of Envoy share the rest. */
const KNOWN = ['open', 'opened', 'closed', 'failed', 'rate_limited', 'pod_limit', 'circuit_open', 'no_pods', 'no_owner'];
const COLOURS = [1, 1, 2, 3, 4, 3, 5, 6, 7];
const swatch = (name, i) => (KNOWN.includes(name) ? COLOURS[KNOWN.indexOf(name)] : 5 + (i % 3));

function options(names, width, filled) {
  const line = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('muted'), grid: line, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, size: 26, incrs: MINUTES, values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })) },
      { ...axis, size: 44, values: (_, ticks) => ticks.map((value) => (Number.isInteger(value) ? number(value) : '')) },
    ],
    series: [{}, ...names.map((name, i) => ({
      label: name,
      stroke: colour(`series-${swatch(name, i)}`),
      width: 1.5,
      points: { show: false },
      ...(filled && { fill: colour('fill') }),
    }))],
  };
}
