// Decisions as they happen, and why each was made.
import { get, pause } from './api.js';
import { clock, h, number, panel, text, words } from './dom.js';
import { dialog } from './forms.js';

const SHOWN = 100;

export function decisions(store, path) {
  const outcome = h('select', { 'aria-label': 'Outcome', onchange: draw },
    h('option', { value: '' }, 'All'), h('option', { value: 'allowed' }, 'Allowed'), h('option', { value: 'rejected' }, 'Rejected'));
  const reason = h('select', { 'aria-label': 'Reason', onchange: draw }, h('option', { value: '' }, 'Any reason'));
  const find = h('input', { type: 'search', placeholder: 'Pod or id', 'aria-label': 'Find decisions', oninput: draw });
  const hold = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false', onclick: () => {
    const held = hold.getAttribute('aria-pressed') === 'false';
    hold.setAttribute('aria-pressed', held);
    text(hold, held ? 'Go on' : 'Pause');
    draw();
  } }, 'Pause');
  const list = h('ol', { class: 'decisions' });
  const note = h('p', { class: 'note' }, 'None of late.');

  function draw() {
    for (const one of store.state.decisions) {
      if (one.reason && ![...reason.options].some((option) => option.value === one.reason)) {
        reason.append(h('option', { value: one.reason }, words(one.reason)));
      }
    }
    const wanted = find.value.trim();
    const found = store.state.decisions.filter((one) => (!outcome.value || one.outcome === outcome.value)
      && (!reason.value || one.reason === reason.value)
      && (!wanted || one.id.includes(wanted) || one.pod?.includes(wanted) || nameOf(one.pod).includes(wanted))).slice(0, SHOWN);
    const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
    const items = found.map((one) => known.get(one.id) ?? line(one));
    // Lines that stay are left where they are: focus stays, too.
    const staying = new Set(items);
    [...list.children].forEach((item) => staying.has(item) || item.remove());
    items.forEach((item, i) => list.children[i] === item || list.insertBefore(item, list.children[i] ?? null));
    note.hidden = found.length > 0 && !store.state.decisionsMissed;
    text(note, found.length ? 'More was decided than is shown.' : 'None of late.');
  }

  const nameOf = (address) => store.state.pods.get(address)?.pod ?? address ?? '';

  function line(one) {
    const about = one.outcome === 'allowed' ? `to ${nameOf(one.pod)}`
      : words(one.reason) + (one.pod ? ` on ${nameOf(one.pod)}` : '') + (one.count ? ` × ${number(one.count)}` : '');
    return h('li', { 'data-id': one.id, 'data-outcome': one.outcome },
      h('button', { type: 'button', onclick: () => explain(one) },
        h('time', { datetime: one.at }, clock(one.at)), h('span', { class: 'outcome' }, one.outcome), h('span', { class: 'about' }, about)));
  }

  store.on(['decisions'], () => hold.getAttribute('aria-pressed') === 'false' && draw());
  return panel('decisions', 'Decisions', h('div', { class: 'tools' }, outcome, reason, find, hold), list, note);
}

/** Why a decision was made: the rule in words, and the numbers that it was applied to. */
async function explain({ id }) {
  const facts = h('div', {}, h('p', { class: 'note' }, 'Looking for it in Kafka'));
  dialog('Why', facts);
  let why;
  for (let tries = 0; !why; tries++) {
    try {
      why = await get(`/v1/decisions/${id}`);
    } catch (problem) {
      // One search at a time: somebody else's may be under way.
      if (problem.status !== 503 || tries === 5) {
        facts.replaceChildren(h('p', { class: 'problem', role: 'alert' }, problem.message));
        return;
      }
      await pause(500);
    }
  }
  const rows = [['Decided', `${why.at}, for pool ${why.pool}`], ['Pod', why.pod], ['Reason', why.reason && words(why.reason)],
    ['Answer', why.status], ['Retry after', why.retryAfterSeconds && `${why.retryAfterSeconds} s`],
    ['Stands for', why.count && `${number(why.count)} checks since ${why.from}, of which this was the last`],
    ['Mode', why.mode === 'shadow' ? 'shadow: not enforced' : null], ...Object.entries(why.state ?? {}).map(([key, value]) => [words(key), told(value)]), ['Id', why.id]];
  facts.replaceChildren(h('p', { class: 'verdict', 'data-outcome': why.outcome }, h('b', {}, why.outcome), `: ${why.rule}.`),
    h('dl', { class: 'why' }, rows.filter(([, value]) => value !== undefined && value !== null).flatMap(([key, value]) => [h('dt', {}, key), h('dd', {}, String(value))])));
}

function told(value) {
  if (Array.isArray(value)) {
    return value.map(told).join('; ');
  }
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).map(([key, part]) => `${words(key)} ${told(part)}`).join(', ');
  }
  return typeof value === 'number' ? number(value) : value;
}
