// Starts: which pool is looked at stands in the address, #/pools/NAME.
import { forgetToken, get, hasToken, onTokenWanted } from './api.js';
import { h, text } from './dom.js';
import { askForToken } from './forms.js';
import { overview } from './overview.js';
import { pool } from './pool.js';

const main = document.getElementById('main');
const select = document.getElementById('pools');
const link = document.getElementById('link');
const leave = document.getElementById('leave');
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

function showNames(names) {
  const known = [...select.options].map((option) => option.value).filter(Boolean);
  if (known.join('\n') !== names.join('\n')) {
    const chosen = select.value;
    select.replaceChildren(h('option', { value: '' }, 'All pools'), ...names.map((name) => h('option', { value: name }, name)));
    select.value = chosen;
  }
}

/** The pool in the address; none where that is malformed. */
function poolInAddress() {
  try {
    return decodeURIComponent(/^#\/pools\/(.+)$/.exec(location.hash)?.[1] ?? '');
  } catch (malformed) {
    return '';
  }
}

function route() {
  looking.abort();
  looking = new AbortController();
  const name = poolInAddress();
  document.title = name ? `${name} – Connection Ledger` : 'Connection Ledger';
  showLink({ state: 'connecting' });
  if (name && ![...select.options].some((option) => option.value === name)) {
    select.append(h('option', { value: name }, name));
  }
  select.value = name;
  main.replaceChildren(name ? pool(name, looking.signal, showLink) : overview(looking.signal, showLink, showNames));
  if (name) {
    get('/v1/pools?limit=1000', looking.signal).then((all) => showNames(all.pools.map((one) => one.pool)), () => {});
  }
}

onTokenWanted(askForToken);
select.addEventListener('change', () => (location.hash = select.value ? `#/pools/${encodeURIComponent(select.value)}` : '#/'));
leave.addEventListener('click', () => (forgetToken(), location.reload()));
document.querySelector('.skip').addEventListener('click', (event) => (event.preventDefault(), main.focus()));
addEventListener('hashchange', route);
route();
