// Asks the query API, with the token that was given for this tab, and follows event streams by fetch, which can send it.

const KEY = 'ledger-token';
const SILENCE_MS = 25_000;
const SLOWEST_MS = 8_000;
const RETRY_MS = 1_000;

let askForToken = () => Promise.reject(new Error('a token is needed'));
let asking = null;

/** An answer that is none: an RFC 9457 problem, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `status ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Names who asks for a token when the ledger wants one; it gives a promise of it. */
export function onTokenWanted(ask) {
  askForToken = ask;
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

export const forgetToken = () => sessionStorage.removeItem(KEY);

/** Asks once; that a token is needed is a problem like any other. */
async function ask(path, options, token) {
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: 'same-origin' });
  } catch (failure) {
    if (options.signal?.aborted) {
      throw failure;
    }
    throw new Problem(0, { detail: 'the ledger does not answer' });
  }
  if (!response.ok) {
    throw new Problem(response.status, await response.json().catch(() => ({})));
  }
  return response;
}

/** Waits for another token than the one that was refused: one dialog, however many wait for it. */
async function tokenInPlaceOf(refused) {
  if (refused === sessionStorage.getItem(KEY)) {
    asking ??= askForToken(refused !== null).finally(() => (asking = null));
    sessionStorage.setItem(KEY, await asking);
  }
}

async function send(path, options) {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    try {
      return await ask(path, options, token);
    } catch (problem) {
      if (problem.status !== 401) {
        throw problem;
      }
      await tokenInPlaceOf(token);
    }
  }
}

/** The JSON at `path`. */
export async function get(path, signal) {
  return (await send(path, { signal })).json();
}

/** Changes something; `audit` is what the ledger says that it has written down about it. */
export async function change(method, path, body) {
  const response = await send(path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { value: await response.json(), audit: response.headers.get('x-ledger-audit') };
}

export const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
});

const seen = (signal) => new Promise((resolve) => {
  const look = () => {
    if (!document.hidden || signal.aborted) {
      document.removeEventListener('visibilitychange', look);
      resolve();
    }
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', look, { once: true });
  look();
});

/** Asks again and again while the tab is seen, and soon after a failure; `then` gets each answer, `failed` each problem. */
export async function poll(path, everyMs, signal, then, failed = () => {}) {
  while (!signal.aborted) {
    let nextMs = everyMs;
    if (!document.hidden) {
      try {
        then(await get(typeof path === 'function' ? path() : path, signal));
      } catch (problem) {
        nextMs = Math.min(everyMs, RETRY_MS);
        if (!signal.aborted) {
          failed(problem);
        }
      }
    }
    await pause(nextMs, signal);
  }
}

/** Follows a pool until the signal: `event(type, data)`, and `link(state, details)` as the connection comes and goes. */
export async function follow(pool, signal, event, link) {
  let last = null;
  let waitMs = 1_000;
  let failures = 0;
  while (!signal.aborted) {
    // A tab that nobody sees gives its connection back: a browser has six for a host.
    await seen(signal);
    const attempt = new AbortController();
    const end = () => attempt.abort();
    signal.addEventListener('abort', end);
    const hidden = () => document.hidden && end();
    document.addEventListener('visibilitychange', hidden);
    let silence = setTimeout(end, SILENCE_MS);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
    };
    const token = sessionStorage.getItem(KEY);
    let why = 'the connection was lost';
    let refused = false;
    try {
      const response = await ask(`/v1/pools/${encodeURIComponent(pool)}/stream`, {
        signal: attempt.signal,
        headers: { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) },
      }, token);
      link('live', { resumed: last !== null });
      for await (const fields of events(response.body, heard)) {
        failures = 0;
        last = fields.id ?? last;
        waitMs = fields.retry ? Number(fields.retry) : waitMs;
        if (fields.data) {
          event(fields.event, JSON.parse(fields.data));
        }
      }
    } catch (problem) {
      why = problem instanceof Problem ? problem.message : why;
      refused = problem.status === 401;
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', end);
      document.removeEventListener('visibilitychange', hidden);
    }
    if (refused) {
      // Nothing is lost while somebody looks for a token.
      await tokenInPlaceOf(token);
    } else if (!signal.aborted && !document.hidden) {
      const inMs = Math.min(SLOWEST_MS, waitMs * 1.5 ** failures++);
      link('lost', { why, untilMs: Date.now() + inMs });
      await pause(inMs, signal);
    }
  }
}

/** The events of a stream, each as its fields; comments only count as a sign of life. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pieces = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    heard();
    // The end of a large event is looked for in what is new alone.
    pieces.push(value);
    if (!value.includes('\n')) {
      continue;
    }
    const blocks = pieces.join('').split('\n\n');
    pieces = [blocks.pop()];
    for (const block of blocks) {
      const fields = {};
      for (const line of block.split('\n')) {
        const colon = line.indexOf(':');
        if (colon > 0) {
          fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
        }
      }
      yield fields;
    }
  }
}
