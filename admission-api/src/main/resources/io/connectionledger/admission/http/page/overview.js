// All pools at a glance.
import { poll } from './api.js';
import { h, number, text } from './dom.js';

const SHOWN = 200;

/**
 * The pools that follow the one named `after`, or the first.
 *
 * @param known all of them by name
 */
export function overview(signal, showLink, known, after = '') {
  const list = h('ul', { class: 'pools' });
  const note = h('p', { class: 'note' }, 'Reading the pools');
  const cards = new Map();
  const earlier = h('a', { hidden: true }, 'Earlier pools');
  const later = h('a', { hidden: true }, 'Later pools');
  poll(`/v1/figures?limit=${SHOWN}${after && `&after=${encodeURIComponent(after)}`}`, 1_000, signal, show, (problem) => {
    showLink({ state: 'lost', why: problem.message, untilMs: Date.now() + 1_000 });
  });

  function show({ pools, unknown, next }) {
    showLink({ state: 'live' });
    const names = new Set(pools.map((one) => one.pool).concat(unknown));
    for (const [name, card] of cards) {
      if (!names.has(name)) {
        card.element.remove();
        cards.delete(name);
      }
    }
    [...names].sort().forEach((name, i) => {
      if (!cards.has(name)) {
        cards.set(name, poolCard(name));
      }
      if (list.children[i] !== cards.get(name).element) {
        list.insertBefore(cards.get(name).element, list.children[i] ?? null);
      }
    });
    pools.forEach((one) => cards.get(one.pool).show(one));
    unknown.forEach((name) => cards.get(name).show(null));
    const before = known.names.filter((name) => name <= after);
    const all = known.names.length ? ` of ${known.more ? 'more than ' : ''}${number(known.names.length)}, by name` : '';
    note.hidden = names.size > 0 && !next && !after;
    text(note, names.size ? `${number(before.length + 1)} to ${number(before.length + names.size)}${all}`
      : after ? 'There are no later pools.' : 'There are no pools yet: the configuration, the API or a ConnectionPool makes one.');
    lead(earlier, after ? before.at(-SHOWN - 1) ?? '' : undefined);
    lead(later, next);
  }

  return h('div', { class: 'overview' }, h('div', { class: 'title' }, h('h1', {}, 'Pools'), note, h('nav', { 'aria-label': 'More pools', class: 'tools' }, earlier, later)), list);
}

/** Has a link lead to the pools that follow one, to the first for '', and hides it where there are none. */
function lead(link, after) {
  link.hidden = after === undefined;
  link.setAttribute('href', after ? `#/after/${encodeURIComponent(after)}` : '#/');
}

function poolCard(name) {
  const badge = h('span', { class: 'badge' });
  const open = h('strong', { 'data-figure': 'active' });
  const of = h('span', { class: 'of' });
  const bar = meter();
  const facts = h('dl', { class: 'facts' });
  const cells = ['Reserved', 'Pods', 'Rejected, 5 min', 'Complete'].map((label) => {
    const value = h('dd');
    facts.append(h('div', {}, h('dt', {}, label), value));
    return value;
  });
  const why = h('p', { class: 'why' });
  const element = h('li', { class: 'panel', 'data-pool': name },
    h('div', { class: 'head' }, h('h2', {}, h('a', { href: `#/pools/${encodeURIComponent(name)}` }, name)), badge),
    h('p', { class: 'big' }, open, of), bar.element, facts, why);
  return {
    element,
    show(figures) {
      const ready = figures?.readiness.ready;
      badge.dataset.kind = ready ? 'good' : 'warn';
      text(badge, !figures ? 'unknown' : figures.staleMillis !== undefined ? 'from a copy' : ready ? 'ready' : 'incomplete');
      text(why, figures ? (figures.readiness.reasons[0] ?? '') : 'nobody who has this pool answers');
      if (figures) {
        text(open, number(figures.active));
        text(of, ` of ${number(figures.limit)} open${figures.mode === 'shadow' ? ', shadow' : ''}`);
        bar.show(figures.active, figures.reserved, figures.limit);
        const rejected = Object.values(figures.windows['5m']).reduce((sum, count) => sum + count, 0);
        [number(figures.reserved), number(figures.pods), number(rejected), `${Math.floor(figures.readiness.completeness * 100)} %`]
          .forEach((value, i) => text(cells[i], value));
      }
    },
  };
}

/** How much of a limit is open and reserved. */
export function meter() {
  const open = h('span', { class: 'open' });
  const reserved = h('span', { class: 'reserved' });
  const element = h('div', { class: 'meter', 'aria-hidden': 'true' }, open, reserved);
  return {
    element,
    show(active, held, limit) {
      const whole = Math.max(limit, active + held, 1);
      open.style.width = `${(100 * active) / whole}%`;
      reserved.style.width = `${(100 * held) / whole}%`;
    },
  };
}
