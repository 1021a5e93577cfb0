// The plain parts of a pool: its figures, what is incomplete, rejections, the scale-down order, Envoys.
import { ago, h, number, panel, table, text, words } from './dom.js';

const WANTED = 'Wanted are pods for what is open and for who found no room in the last minute: two such attempts count as one client, which is told to come back within 30 s. Clients that come back sooner count for more.';

const FIGURES = [
  ['active', 'open', (state) => state.active],
  ['reserved', 'reserved', (state) => state.reserved],
  ['lent', 'of them lent', (state) => state.figures?.lent, 'Other instances may admit with these while the owner of the pool is away.'],
  ['limit', 'limit', (state) => limit(state)],
  ['pods', 'pods', (state) => named(state).length],
  ['desiredPods', 'pods wanted', (state) => state.figures?.desiredPods, WANTED],
  ['rejected', 'rejected, 5 min', (state) => state.figures && sum(state.figures.windows['5m'])],
];

const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
const named = (state) => [...state.pods.values()].filter((pod) => pod.state !== 'gone');
const limit = (state) => named(state).reduce((all, pod) => all + pod.limit, 0);

export function figures(store) {
  const badge = h('span', { class: 'badge' });
  const cells = FIGURES.map(([key, label]) => [h('dd', { 'data-figure': key }, '–'), h('dt', {}, label)]);
  store.on(['pods', 'figures', 'readiness'], (state) => {
    FIGURES.forEach(([, , value], i) => text(cells[i][0], number(value(state))));
    if (state.readiness) {
      badge.dataset.kind = state.readiness.ready ? 'good' : 'warn';
      text(badge, (state.readiness.ready ? 'ready' : 'incomplete') + (state.mode === 'shadow' ? ', shadow' : ''));
    }
  });
  return [badge, h('dl', { class: 'figures' }, cells.map(([value, label], i) => h('div', { title: FIGURES[i][3] }, label, value)))];
}

const kind = (reason) => reason.split(':', 1)[0];

const PARTS = { figures: 'rejections, scale-down order and Envoys', history: 'the last hour', decisions: 'decisions' };

/** What could not be read, a sentence for each reason. */
function unread(problems, isLost) {
  const parts = new Map();
  for (const [part, problem] of Object.entries(problems)) {
    // That nobody answers is said once.
    if (problem && !(isLost && problem.status === 0)) {
      parts.set(problem.message, [...(parts.get(problem.message) ?? []), PARTS[part]]);
    }
  }
  return [...parts].map(([why, which]) => `Not up to date: ${which.join(', ')}. They cannot be read: ${why}.`);
}

/** Says when the picture is incomplete, and why. */
export function incomplete(store) {
  const reasons = h('ul');
  const title = h('strong');
  const element = h('section', { class: 'incomplete', 'aria-label': 'What is incomplete', hidden: true }, title, reasons);
  store.on(['readiness', 'figures', 'link', 'problems'], ({ readiness, figures: last, link, problems }) => {
    // Those of scaling are the same and some more, of a moment before or after.
    const why = [...(readiness?.reasons ?? [])];
    const kinds = new Set(why.map(kind));
    why.push(...(last?.scaling.reasons ?? []).filter((reason) => !kinds.has(kind(reason))));
    if (last?.staleMillis !== undefined) {
      why.unshift(`The owner of the pool cannot be asked: this is a copy, up to ${number(last.staleMillis / 1000)} s old.`);
    }
    const parts = unread(problems, link.state === 'lost');
    why.unshift(...parts);
    if (link.state === 'lost') {
      why.unshift(`The connection to this instance is lost: what you see is from ${last ? `${ago(last.asOf)} ago` : 'before'}.`);
    }
    element.hidden = why.length === 0;
    text(title, readiness && readiness.completeness < 1 ? `The picture is incomplete: ${Math.floor(readiness.completeness * 100)} % of the open connections are confirmed`
      : parts.length ? 'Part of the picture is missing' : 'The picture may be incomplete');
    if (reasons.textContent !== why.join('')) {
      reasons.replaceChildren(...why.map((reason) => h('li', {}, reason)));
    }
  });
  return element;
}

export function rejections(store) {
  const windows = table('Rejections by reason and window', ['Reason', '5 min', '15 min', '1 h']);
  const none = h('p', { class: 'note' }, 'Nobody was rejected within the hour.');
  store.on(['figures'], ({ figures: { windows: counts } }) => {
    const reasons = Object.keys(counts['1h']).sort((a, b) => counts['1h'][b] - counts['1h'][a]);
    windows.rows(reasons.map((reason) => [words(reason), ...['5m', '15m', '1h'].map((length) => number(counts[length][reason] ?? 0))]));
    windows.element.hidden = reasons.length === 0;
    none.hidden = reasons.length > 0;
  });
  return panel('rejections', 'Rejections', null, windows.element, none);
}

export function scaleDown(store) {
  const order = table('Which pod to remove first', ['', 'Pod', 'Open']);
  const advice = h('p', { class: 'note' });
  const wanted = h('p', { class: 'note' });
  store.on(['figures'], ({ figures: last }) => {
    order.rows(last.scaleDown.map((pod) => [pod.priority, pod.pod, number(pod.active)]));
    const spare = last.pods - last.desiredPods;
    text(advice, !last.scaling.ready ? 'Nothing should be scaled on these figures now.'
      : spare > 0 ? `${number(last.desiredPods)} pods are wanted: ${number(spare)} may go, in this order.`
        : `${number(last.desiredPods)} pods are wanted and ${number(last.pods)} there: none should go.`);
  });
  store.on(['policy'], ({ policy }) => text(wanted, `${WANTED} Each pod is to be used to ${number(100 * policy.targetUtilisation)} % of its limit.`));
  return panel('scaling', 'Scale-down order', null, order.element, advice, h('details', {}, h('summary', {}, 'How many pods are wanted'), wanted));
}

export function envoys(store, signal) {
  const list = table('Envoys', ['Envoy', 'Open', 'Heartbeat', 'Last report']);
  const complete = h('span', { class: 'note' });
  const none = h('p', { class: 'note' }, 'No Envoy holds connections of this pool.');
  const draw = ({ readiness }) => {
    if (readiness) {
      list.rows(readiness.envoys.map((envoy) => [envoy.node, number(envoy.connections),
        envoy.heartbeatSeconds ? `${number(envoy.heartbeatSeconds)} s` : '–', `${ago(envoy.lastSeen)} ago`]));
      list.element.hidden = readiness.envoys.length === 0;
      none.hidden = readiness.envoys.length > 0;
      text(complete, `${Math.floor(readiness.completeness * 100)} % complete`);
    }
  };
  const ageing = setInterval(() => draw(store.state), 1_000);
  signal.addEventListener('abort', () => clearInterval(ageing));
  store.on(['readiness'], draw);
  return panel('envoys', 'Envoys', complete, list.element, none);
}
