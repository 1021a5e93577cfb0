// Starts: which pool is looked at stands in the address, #/pools/NAME.
import { forgetToken, hasToken, onTokenWanted, poll } from './api.js';
import { h, number, text } from './dom.js';
import { askForToken } from './forms.js';
import { overview } from './overview.js';
import { pool } from './pool.js';

const main = document.getElementById('main');
const select = document.getElementById('pools');
const link = document.getElementById('link');
const leave = document.getElementById('leave');
/** All pools by name, as far as one answer has them. */
const known = { names: [], more: false };
let looking = new AbortController();

/** Shows whether what is seen is live: `state` is live, connecting or lost. */
function showLink({ state, why, untilMs }) {
  link.dataset.state = state;
  document.body.classList.toggle('lost', state === 'lost');
  leave.hidden = !hasToken();
  const words = { live: 'Live', connecting: 'Connecting', lost: `Connection lost: ${why}. Trying again` };
  text(link, words[state]);
  link.title = state === 'lost' ? `again at ${new Date(untilMs).toLocaleTimeString('en-GB')}` : '';
}

function showNames({ pools, next }) {
  const names = pools.map((one) => one.pool);
  if (known.names.join('\n') !== names.join('\n')) {
    Object.assign(known, { names, more: next !== undefined });
    const chosen = select.value;
    select.replaceChildren(h('option', { value: '' }, `All pools (${number(names.length)}${known.more ? ' and more' : ''})`),
      ...names.map((name) => h('option', { value: name }, name)),
      h('option', { disabled: true, hidden: !known.more }, 'The others are in the API'));
    choose(chosen);
  }
}

/** Has the menu show this pool, though it may not be known. */
function choose(name) {
  if (![...select.options].some((option) => option.value === name)) {
    select.append(h('option', { value: name }, name));
  }
  select.value = name;
}

/** What the address asks for: `pools`, the name of one, or `after`, behind which the overview begins; nothing where it is malformed. */
function inAddress() {
  try {
    const found = /^#\/(pools|after)\/(.+)$/.exec(location.hash);
    return found ? { [found[1]]: decodeURIComponent(found[2]) } : {};
  } catch (malformed) {
    return {};
  }
}

function route() {
  looking.abort();
  looking = new AbortController();
  const { pools: name = '', after } = inAddress();
  document.title = name ? `${name} – Connection Ledger` : 'Connection Ledger';
  showLink({ state: 'connecting' });
  choose(name);
  main.replaceChildren(name ? pool(name, looking.signal, showLink) : overview(looking.signal, showLink, known, after));
}

onTokenWanted(askForToken);
select.addEventListener('change', () => (location.hash = select.value ? `#/pools/${encodeURIComponent(select.value)}` : '#/'));
leave.addEventListener('click', () => (forgetToken(), location.reload()));
document.querySelector('.skip').addEventListener('click', (event) => (event.preventDefault(), main.focus()));
addEventListener('hashchange', route);
route();
poll('/v1/pools?limit=10000', 10_000, new AbortController().signal, showNames);
