// One pool: its store, what feeds it, and its views.
import { follow, poll } from './api.js';
import { columns } from './columns.js';
import { decisions } from './decisions.js';
import { h } from './dom.js';
import { policyForm } from './forms.js';
import { history } from './history.js';
import { envoys, figures, incomplete, rejections, scaleDown } from './panels.js';
import { podTable } from './podtable.js';
import { createStore } from './store.js';

export function pool(name, signal, showLink) {
  const store = createStore(name);
  const path = `/v1/pools/${encodeURIComponent(name)}`;
  store.on(['link'], (state) => showLink(state.link));
  follow(name, signal,
    (type, data) => store.put(type, data),
    (state, details) => store.put('link', { state, ...details }));
  const ask = (part, everyMs, query = () => '') => poll(() => `${path}/${part}${query(store.state)}`, everyMs, signal,
    (answer) => (store.put(part, answer), store.put('problem', { part, problem: null })),
    (problem) => store.put('problem', { part, problem }));
  ask('figures', 1_000);
  ask('history', 5_000);
  ask('decisions', 1_000, ({ decisionsNext: next }) => `?limit=200${next ? `&after=${next}` : ''}`);

  const table = podTable(store);
  return h('div', { class: 'pool', 'data-pool': name },
    h('div', { class: 'title' }, h('h1', {}, name), figures(store)),
    incomplete(store),
    columns(store, signal, table.filter),
    h('div', { class: 'stack' }, table.element, history(store, signal), policyForm(store, path)),
    h('div', { class: 'stack' }, rejections(store), scaleDown(store), envoys(store, signal), decisions(store, path)));
}
