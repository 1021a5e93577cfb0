// What is known of a pool: events and answers folded into one state. Views are told once a frame what has changed.

export const DECISIONS = 300;

/** Nothing yet. */
export const empty = (pool) => ({
  pool,
  /** By address, in the order of the ledger. */
  pods: new Map(),
  active: 0,
  reserved: 0,
  mode: null,
  asOf: null,
  policy: null,
  readiness: null,
  figures: null,
  history: null,
  /** Newest first. */
  decisions: [],
  decisionsMissed: false,
  /** What to ask for those that follow. */
  decisionsNext: null,
  /** How many connections a pod had when it was first seen draining, by address: of those without a pace nobody knows more. */
  drainedFrom: new Map(),
  link: { state: 'connecting' },
  /** Why a part could not be read when it was last asked for; null since it could. */
  problems: { figures: null, history: null, decisions: null },
});

/** Folds an event of the stream, or an answer under the name of its question; says what has changed. */
export function fold(state, type, data) {
  switch (type) {
    case 'snapshot':
      state.pods = new Map();
      connections(state, data.connections);
      state.policy = data.policy;
      state.readiness = data.readiness;
      return ['pods', 'policy', 'readiness'];
    case 'connections':
      connections(state, data);
      return ['pods'];
    case 'policy':
    case 'readiness':
    case 'history':
    case 'link':
      state[type] = data;
      return [type];
    case 'problem': {
      const isNews = state.problems[data.part] !== data.problem;
      state.problems[data.part] = data.problem;
      return isNews ? ['problems'] : [];
    }
    case 'figures':
      state.figures = data;
      // An answer has the Envoys' last reports, which are not worth an event.
      state.readiness = data.readiness;
      return ['figures', 'readiness'];
    case 'decisions':
      state.decisions = data.decisions.slice(-DECISIONS).reverse().concat(state.decisions).slice(0, DECISIONS);
      state.decisionsMissed = data.more;
      state.decisionsNext = data.next;
      return data.decisions.length ? ['decisions'] : [];
    default:
      // Fields and events may be added.
      return [];
  }
}

function connections(state, data) {
  Object.assign(state, { active: data.active, reserved: data.reserved, mode: data.mode, asOf: data.asOf });
  for (const pod of data.pods) {
    pod.lent ??= 0;
    if (pod.state === 'gone' && pod.active + pod.reserved === 0) {
      state.pods.delete(pod.address);
    } else {
      state.pods.set(pod.address, pod);
    }
    if (pod.state !== 'draining') {
      state.drainedFrom.delete(pod.address);
    } else if (!(state.drainedFrom.get(pod.address) >= pod.active)) {
      state.drainedFrom.set(pod.address, pod.active);
    }
  }
}

/** A state, and those who look at it. */
export function createStore(pool) {
  const state = empty(pool);
  const views = [];
  let changed = new Set();
  let drawing = false;
  const draw = () => {
    drawing = false;
    const news = changed;
    changed = new Set();
    for (const [keys, view] of views) {
      if (keys.some((key) => news.has(key))) {
        view(state);
      }
    }
  };
  return {
    state,
    /** Has `view(state)` called in the frame after one of these has changed. */
    on: (keys, view) => views.push([keys, view]),
    put(type, data) {
      fold(state, type, data).forEach((key) => changed.add(key));
      if (!drawing && changed.size) {
        drawing = true;
        requestAnimationFrame(draw);
      }
    },
  };
}
