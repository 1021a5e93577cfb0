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
  poll(`${path}/figures`, 1_000, signal, (answer) => (store.put('figures', answer), store.put('problem', null)),
    (problem) => store.put('problem', problem));
  poll(`${path}/history`, 5_000, signal, (answer) => store.put('history', answer));
  let next = null;
  poll(() => `${path}/decisions?limit=200${next ? `&after=${next}` : ''}`, 1_000, signal, (answer) => {
    next = answer.next;
    store.put('decisions', answer);
  });

  const table = podTable(store);
  return h('div', { class: 'pool', 'data-pool': name },
    h('div', { class: 'title' }, h('h1', {}, name), figures(store)),
    incomplete(store),
    columns(store, signal, table.filter),
    h('div', { class: 'stack' }, table.element, history(store, signal), decisions(store, path), policyForm(store, path)),
    h('div', { class: 'stack' }, rejections(store), scaleDown(store), envoys(store, signal)));
}
