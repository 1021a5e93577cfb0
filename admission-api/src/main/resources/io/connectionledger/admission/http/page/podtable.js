// All pods in a table, of which only the rows that are seen exist.
import { drainDialog, undrain } from './forms.js';
import { clock, h, number, panel, text, words } from './dom.js';
import { meter } from './overview.js';

const ROW = 44;
const SPARE = 4;
const COLUMNS = [
  ['pod', 'Pod'],
  ['active', 'Open'],
  ['reserved', 'Reserved'],
  ['lent', 'Lent'],
  ['limit', 'Limit'],
  ['state', 'State'],
];

export function podTable(store) {
  const find = h('input', { type: 'search', placeholder: 'Name or address', 'aria-label': 'Find pods', oninput: () => (only = null, update()) });
  const count = h('span', { class: 'note' });
  const all = h('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => (only = null, find.value = '', update()) }, 'Show all');
  const heads = COLUMNS.map(([key, label]) => h('div', { role: 'columnheader', 'aria-sort': 'none', class: key },
    h('button', { type: 'button', onclick: () => sortBy(key) }, label)));
  const window_ = h('div', { class: 'rows', role: 'rowgroup' });
  const table = h('div', { role: 'table', 'aria-label': 'Pods', class: 'grid' },
    h('div', { role: 'rowgroup', class: 'heads' }, h('div', { role: 'row' }, heads, h('div', { role: 'columnheader', class: 'act' }, h('span', { class: 'unseen' }, 'Drain')))),
    window_);
  const scroller = h('div', { class: 'scroller', tabindex: '0', role: 'group', 'aria-label': 'Table of pods', onscroll: draw }, table);
  const rows = [];
  let only = null;
  let sort = null;
  let up = true;
  let list = [];

  function sortBy(key) {
    up = sort === key ? !up : key === 'pod';
    sort = key;
    heads.forEach((head, i) => head.setAttribute('aria-sort', COLUMNS[i][0] === sort ? (up ? 'ascending' : 'descending') : 'none'));
    update();
  }

  function update() {
    const wanted = find.value.trim().toLowerCase();
    list = [...store.state.pods.values()];
    if (only) {
      list = list.filter((pod) => only.has(pod.address));
    } else if (wanted) {
      list = list.filter((pod) => pod.pod.toLowerCase().includes(wanted) || pod.address.includes(wanted));
    }
    if (sort) {
      const sign = up ? 1 : -1;
      list.sort((a, b) => sign * (typeof a[sort] === 'number' ? a[sort] - b[sort] : a[sort].localeCompare(b[sort], 'en', { numeric: true })));
    }
    all.hidden = !only && !wanted;
    text(count, `${number(list.length)} of ${number(store.state.pods.size)}`);
    table.setAttribute('aria-rowcount', list.length + 1);
    window_.style.height = `${list.length * ROW}px`;
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - SPARE);
    const last = Math.min(list.length, first + Math.ceil(scroller.clientHeight / ROW) + 2 * SPARE);
    while (rows.length < last - first) {
      rows.push(podRow(store));
      window_.append(rows.at(-1).element);
    }
    while (rows.length > last - first) {
      rows.pop().element.remove();
    }
    rows.forEach((row, i) => row.show(list[first + i], first + i));
  }

  store.on(['pods'], update);
  return {
    element: panel('table', 'Each pod', h('div', { class: 'tools' }, count, all, find), scroller),
    /** Shows these pods alone. */
    filter(pods, name) {
      only = new Set(pods.map((pod) => pod.address));
      find.value = pods.length === 1 ? name : '';
      scroller.scrollTop = 0;
      update();
    },
  };
}

function podRow(store) {
  let pod = null;
  const name = h('strong');
  const address = h('small', { class: 'address' });
  const now = h('small', { class: 'now' });
  const values = ['active', 'reserved', 'lent', 'limit'].map((key) => [key, h('div', { role: 'cell', class: key })]);
  const state = h('span', { class: 'state' });
  const progress = h('progress', { 'aria-label': 'Drained', hidden: true });
  const bar = meter();
  const act = h('button', { type: 'button', class: 'quiet', onclick: () => (pod.state === 'draining' ? undrain(store.state.pool, pod) : drainDialog(store.state.pool, pod)) });
  const element = h('div', { role: 'row', class: 'row' },
    h('div', { role: 'cell', class: 'pod' }, name, address, now), values.map(([, cell]) => cell),
    h('div', { role: 'cell', class: 'state' }, bar.element, state, progress),
    h('div', { role: 'cell', class: 'act' }, act));
  return {
    element,
    show(shown, index) {
      pod = shown;
      element.style.top = `${index * ROW}px`;
      element.setAttribute('aria-rowindex', index + 2);
      element.dataset.address = pod.address;
      text(name, pod.pod);
      text(address, pod.pod === pod.address ? '' : pod.address);
      values.forEach(([key, cell]) => text(cell, number(pod[key])));
      bar.show(pod.active, pod.reserved, pod.limit);
      element.dataset.state = pod.state;
      text(state, pod.state === 'draining' ? draining(pod) : words(pod.state));
      text(now, state.textContent);
      const from = pod.drainFrom ?? store.state.drainedFrom.get(pod.address) ?? 0;
      progress.hidden = pod.state !== 'draining' || from === 0;
      progress.max = Math.max(1, from);
      progress.value = Math.max(0, from - pod.active);
      act.hidden = pod.state === 'gone';
      text(act, pod.state === 'draining' ? 'Undrain' : 'Drain');
      act.setAttribute('aria-label', `${act.textContent} ${pod.pod}`);
    },
  };
}

function draining(pod) {
  if (pod.active === 0) {
    return 'drained';
  }
  return pod.drainUntil ? `draining: ${number(pod.active)} left, ${number(pod.drainTo)} allowed now, none at ${clock(pod.drainUntil)}` : `draining: ${number(pod.active)} left`;
}
