// What changes something: the policy, drains; and the token that it may need.
import { change } from './api.js';
import { h, number, panel, tell, text, words } from './dom.js';

/** A modal dialog with a heading; it goes when it is closed. */
export function dialog(title, ...content) {
  const element = h('dialog', { 'aria-label': title, onclose: () => element.remove() },
    h('div', { class: 'head' }, h('h2', {}, title), h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: () => element.close() }, '✕')), ...content);
  document.body.append(element);
  element.showModal();
  return element;
}

/** Gives the token that somebody enters; it is kept for this tab alone. */
export function askForToken(wasRefused) {
  return new Promise((resolve) => {
    let given = false;
    const token = h('input', { type: 'password', id: 'token', required: true, autocomplete: 'off', autofocus: true });
    const form = h('form', { onsubmit: (event) => (event.preventDefault(), given = true, resolve(token.value.trim()), open.close()) },
      h('p', {}, wasRefused ? 'The ledger does not take this token any more.' : 'This ledger wants a token. It is kept until this tab is closed.'),
      h('label', { for: 'token' }, 'Token'), token, h('div', { class: 'actions' }, h('button', { type: 'submit' }, 'Go on')));
    const open = dialog('Token', form);
    // Nothing goes on without a token: who closes this with Escape is asked again.
    open.addEventListener('close', () => given || resolve(askForToken(wasRefused)));
    open.querySelector('.head button').hidden = true;
  });
}

/** What a problem means for whoever filled a form. */
function explained({ status, message, problem }) {
  if (status === 403) {
    return `Your token may not do this: ${message}`;
  }
  return problem?.field ? `${words(problem.field)} is ${problem.value}: allowed is ${problem.allowed}` : message;
}

/** A form's last words: how it went, with the ledger's audit line. */
function outcome() {
  const element = h('p', { class: 'outcome', role: 'status' });
  const say = (what, kind) => {
    element.dataset.kind = kind;
    text(element, what);
  };
  return {
    element,
    done: (what, audit) => say(audit ? `${what} Audit: ${audit}` : what, 'good'),
    failed: (problem) => say(explained(problem), 'bad'),
    clear: () => say('', ''),
  };
}

export function drainDialog(pool, pod) {
  const result = outcome();
  const slowly = h('input', { type: 'radio', name: 'pace', id: 'pace-none', checked: true });
  const paced = h('input', { type: 'radio', name: 'pace', id: 'pace-within' });
  const within = h('input', { id: 'within', value: '10m', size: '6', 'aria-label': 'Within', pattern: '\\d+(ms|s|m|h)', onfocus: () => (paced.checked = true) });
  const go = h('button', { type: 'submit', autofocus: true }, 'Drain');
  const form = h('form', { onsubmit: submit },
    h('p', {}, `${pod.pod} takes no new connections from now on. It holds ${number(pod.active)}.`),
    h('p', {}, slowly, h('label', { for: 'pace-none' }, 'They may stay until they close by themselves')),
    h('p', {}, paced, h('label', { for: 'pace-within' }, 'They are to be closed evenly within'), within),
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'quiet', onclick: () => open.close() }, 'Cancel'), go), result.element);
  const open = dialog(`Drain ${pod.pod}`, form);

  async function submit(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      const query = paced.checked ? `?within=${encodeURIComponent(within.value.trim())}` : '';
      const { audit } = await change('PUT', drainPath(pool, pod) + query);
      finish(open, `${pod.pod} is draining.`, audit);
    } catch (problem) {
      result.failed(problem);
    }
    go.disabled = false;
  }
}

export async function undrain(pool, pod) {
  try {
    const { audit } = await change('DELETE', drainPath(pool, pod));
    finish(null, `${pod.pod} takes connections again.`, audit);
  } catch (problem) {
    const result = outcome();
    dialog(`Undrain ${pod.pod}`, result.element);
    result.failed(problem);
  }
}

/** Closes the dialog and tells how it went, with the ledger's audit line where there is one. */
function finish(open, what, audit) {
  open?.close();
  tell(audit ? `${what} Audit: ${audit}` : what);
}

const drainPath = (pool, pod) => `/v1/pools/${encodeURIComponent(pool)}/pods/${encodeURIComponent(pod.address)}/drain`;

const NUMBERS = [
  ['connectionsPerSecond', 'Connections a second', 'over all Envoys; empty: any'],
  ['burstCapacity', 'Burst', 'how many may come at once'],
  ['perPodMaxConnections', 'Connections a pod', 'open and reserved together'],
];
const CHOICES = [
  ['mode', 'Mode', ['enforce', 'shadow']],
  ['onOwnerLoss', 'Without an owner', ['share', 'deny', 'allow']],
];

export function policyForm(store, path) {
  const inputs = new Map();
  const result = outcome();
  const preview = h('div', { class: 'preview' });
  const look = h('button', { type: 'submit' }, 'Preview');
  const set = h('button', { type: 'button', class: 'strong', disabled: true, onclick: store_ }, 'Set policy');
  const source = h('span', { class: 'note' });
  for (const [key] of NUMBERS) {
    inputs.set(key, h('input', { id: key, inputmode: 'decimal', autocomplete: 'off', 'aria-describedby': `${key}-note`, oninput: edited }));
  }
  for (const [key, , values] of CHOICES) {
    inputs.set(key, h('select', { id: key, onchange: edited }, values.map((value) => h('option', { value }, value))));
  }
  const form = h('form', { onsubmit: (event) => (event.preventDefault(), show()) },
    NUMBERS.map(([key, label, note]) => h('div', { class: 'field' }, h('label', { for: key }, label), inputs.get(key), h('small', { id: `${key}-note` }, note))),
    CHOICES.map(([key, label]) => h('div', { class: 'field' }, h('label', { for: key }, label), inputs.get(key))),
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'quiet', onclick: () => (reset(), edited()) }, 'Undo'), look, set));
  let dirty = false;

  const read = (key) => {
    const written = inputs.get(key).value.trim();
    const isNumber = NUMBERS.some(([name]) => name === key);
    return !isNumber ? written : written === '' ? null : Number.isNaN(Number(written)) ? written : Number(written);
  };

  function changes() {
    return Object.fromEntries([...inputs.keys()].map((key) => [key, read(key)]).filter(([key, value]) => value !== (store.state.policy?.[key] ?? null)));
  }

  function reset() {
    for (const [key, input] of inputs) {
      input.value = store.state.policy?.[key] ?? '';
    }
    dirty = false;
  }

  function edited() {
    dirty = Object.keys(changes()).length > 0;
    set.disabled = true;
    preview.replaceChildren();
    result.clear();
  }

  async function show() {
    const wanted = changes();
    const limits = Object.fromEntries(Object.entries(wanted).filter(([key]) => NUMBERS.some(([name]) => name === key)));
    result.clear();
    look.disabled = true;
    try {
      const { value } = await change('POST', `${path}/simulate`, { window: '15m', ...limits });
      preview.replaceChildren(...compared(value, wanted));
      set.disabled = !dirty;
    } catch (problem) {
      result.failed(problem);
      // Where nothing can be tried, it can still be set.
      set.disabled = problem.status === 400 || !dirty;
    }
    look.disabled = false;
  }

  async function store_() {
    set.disabled = true;
    try {
      const { audit } = await change('PUT', `${path}/policy`, changes());
      dirty = false;
      preview.replaceChildren();
      result.done('The policy is set.', audit);
    } catch (problem) {
      result.failed(problem);
    }
  }

  store.on(['policy'], ({ policy }) => {
    text(source, policy.source === 'api' ? 'changed by the API' : 'as configured');
    if (!dirty) {
      reset();
    }
  });
  return panel('policy', 'Policy', source, form, preview, result.element);
}

/** What the last quarter of an hour was, and would have been. */
function compared({ repeated, simulated, assumptions }, wanted) {
  const reasons = [...new Set([...Object.keys(repeated.rejected), ...Object.keys(simulated.rejected)])];
  const rows = [['Attempts', (of) => of.attempts], ['Admitted', (of) => of.admitted],
    ...reasons.map((reason) => [`Rejected: ${words(reason)}`, (of) => of.rejected[reason] ?? 0])];
  const label = (key) => [...NUMBERS, ...CHOICES].find(([name]) => name === key)[1].toLowerCase();
  const changed = Object.entries(wanted).map(([key, value]) => `${label(key)}: ${value ?? 'any'}`).join(', ');
  return [
    h('p', {}, changed ? `With ${changed}, the last 15 minutes would have been:` : 'Nothing is changed. The last 15 minutes:'),
    h('table', {}, h('caption', { class: 'unseen' }, 'Preview'),
      h('thead', {}, h('tr', {}, ['', 'As it is', 'Then'].map((heading) => h('th', { scope: 'col' }, heading)))),
      h('tbody', {}, rows.map(([label, value]) => h('tr', {}, h('th', { scope: 'row' }, label), h('td', {}, number(value(repeated))), h('td', {}, number(value(simulated))))))),
    h('details', {}, h('summary', {}, 'What this assumes'), h('ul', {}, assumptions.map((one) => h('li', {}, one)))),
  ];
}
