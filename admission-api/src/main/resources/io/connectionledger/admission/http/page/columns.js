// The pods as columns against their limit lines, on a canvas: neighbours share a column when there are more than fit.
import { announce, colour, h, number, panel, text, words } from './dom.js';

const HEIGHT = 220;
const TOP = 14;
const BOTTOM = 20;
const LEFT = 44;
const NARROWEST = 7;
const WIDEST = 64;
/** From this on there is room for a name below a column. */
const NAMED = 84;
const STATES = ['draining', 'circuitOpen', 'notReady', 'overLimit', 'gone'];
const SHADES = [...STATES, 'open', 'reserved', 'lent', 'limit', 'ink', 'line', 'muted'];

/** Pods side by side that are drawn as one: their means, and the fullest of them. */
export function group(pods, most) {
  const size = Math.max(1, Math.ceil(pods.length / Math.max(1, most)));
  const groups = [];
  for (let from = 0; from < pods.length; from += size) {
    const members = pods.slice(from, from + size);
    let active = 0;
    let reserved = 0;
    let lent = 0;
    let limit = 0;
    let fullest = members[0];
    let state = null;
    for (const pod of members) {
      active += pod.active;
      reserved += pod.reserved;
      lent += pod.lent;
      limit += pod.limit;
      if (pod.active + pod.reserved > fullest.active + fullest.reserved) {
        fullest = pod;
      }
      if (STATES.includes(pod.state)) {
        state = pod.state;
      }
    }
    const n = members.length;
    groups.push({ members, active: active / n, reserved: reserved / n, lent: lent / n, limit: limit / n, fullest, state });
  }
  return groups;
}

export function columns(store, signal, filter) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const tip = h('p', { class: 'tip', hidden: true });
  const how = h('p', { class: 'note' });
  const stage = h('div', { class: 'stage', tabindex: '0', role: 'group', 'aria-label': 'Pods as columns: arrow keys go from one to the next, Enter shows it in the table' }, canvas, tip);
  const legend = h('ul', { class: 'legend' }, ['open', 'reserved', 'limit'].map((name) => h('li', { 'data-key': name }, name)),
    ['lent', ...STATES].map((name) => h('li', { 'data-key': name, 'data-now': true, hidden: true }, words(name))));
  let groups = [];
  let shown = [];
  let chosen = -1;
  let width = 0;
  let moving = false;
  let paints = 0;

  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const step = () => (width - LEFT) / Math.max(1, groups.length);

  function update(state) {
    const pods = [...state.pods.values()];
    groups = group(pods, Math.floor((width - LEFT) / NARROWEST));
    const size = groups[0]?.members.length ?? 1;
    text(how, size > 1 ? `${number(pods.length)} pods, ${number(size)} to a column: their mean, and a tick at the fullest.` : '');
    const present = new Set(pods.map((pod) => pod.state));
    if (pods.some((pod) => pod.lent > 0)) {
      present.add('lent');
    }
    for (const item of legend.querySelectorAll('[data-now]')) {
      item.hidden = !present.has(item.dataset.key);
    }
    chosen = Math.min(chosen, groups.length - 1);
    showTip();
    move();
  }

  /** Columns glide to their heights, so that the eye can follow. */
  function move() {
    if (!moving) {
      moving = true;
      requestAnimationFrame(frame);
    }
  }

  function frame() {
    moving = false;
    if (shown.length !== groups.length || still.matches) {
      shown = groups.map(({ active, reserved, lent }) => [active, reserved, lent]);
    }
    let far = false;
    groups.forEach((to, i) => {
      for (const [part, goal] of [to.active, to.reserved, to.lent].entries()) {
        const gap = goal - shown[i][part];
        shown[i][part] = Math.abs(gap) < 0.02 ? goal : shown[i][part] + gap * 0.3;
        far ||= shown[i][part] !== goal;
      }
    });
    paint();
    if (far && !signal.aborted) {
      move();
    }
  }

  function paint() {
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== HEIGHT * scale) {
      canvas.width = Math.round(width * scale);
      canvas.height = HEIGHT * scale;
    }
    const draw = canvas.getContext('2d');
    // Read once: to ask the style for each column takes longer than to draw it.
    const shade = Object.fromEntries(SHADES.map((name) => [name, colour(name)]));
    draw.setTransform(scale, 0, 0, scale, 0, 0);
    draw.clearRect(0, 0, width, HEIGHT);
    draw.font = '11px system-ui, sans-serif';
    draw.textBaseline = 'middle';
    const most = groups.reduce((high, one) => Math.max(high, one.limit, one.fullest.active + one.fullest.reserved), 1);
    const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / (most * 1.08);
    axis(draw, shade, y, most);
    const each = step();
    const wide = each > 12 ? Math.min(WIDEST, each * 0.72) : Math.max(1, each - 1);
    groups.forEach((one, i) => {
      const x = LEFT + i * each + (each - wide) / 2;
      const [active, reserved, lent] = shown[i];
      draw.fillStyle = one.state === 'draining' ? shade.draining : shade.open;
      draw.fillRect(x, y(active), wide, y(0) - y(active));
      draw.fillStyle = shade.reserved;
      draw.fillRect(x, y(active + reserved), wide, y(active) - y(active + reserved));
      draw.fillStyle = shade.lent;
      draw.fillRect(x, y(active + reserved), wide, y(0) - y(lent));
      if (one.members.length > 1) {
        draw.fillStyle = shade.ink;
        draw.fillRect(x, y(one.fullest.active + one.fullest.reserved) - 1, wide, 2);
      }
      if (one.state) {
        draw.fillStyle = shade[one.state];
        draw.fillRect(x, HEIGHT - BOTTOM + 2, wide, 3);
      }
      if (each >= NAMED) {
        draw.fillStyle = shade.muted;
        draw.textAlign = 'center';
        draw.fillText(one.members[0].pod, x + wide / 2, HEIGHT - 6, each - 8);
      }
      draw.fillStyle = shade.limit;
      draw.fillRect(LEFT + i * each, y(one.limit) - 1, each, 2);
      if (i === chosen) {
        draw.strokeStyle = shade.ink;
        draw.lineWidth = 1.5;
        draw.strokeRect(x - 2, TOP - 6, wide + 4, HEIGHT - TOP - BOTTOM + 8);
      }
    });
    canvas.dataset.paints = ++paints;
  }

  function axis(draw, shade, y, most) {
    draw.textAlign = 'right';
    const unit = 10 ** Math.floor(Math.log10(most));
    const pace = [unit / 5, unit / 2, unit, unit * 2].find((one) => one >= 1 && most / one <= 5) ?? unit * 2;
    for (let value = 0; value <= most; value += pace) {
      draw.fillStyle = shade.line;
      draw.fillRect(LEFT, Math.round(y(value)), width - LEFT, 1);
      draw.fillStyle = shade.muted;
      draw.fillText(number(value), LEFT - 8, y(value));
    }
  }

  const name = (one) => (one.members.length === 1 ? one.members[0].pod : `${one.members[0].pod} to ${one.members.at(-1).pod}`);

  function showTip() {
    const one = groups[chosen];
    tip.hidden = !one;
    if (one) {
      const about = one.members.length === 1
        ? `${number(one.active)} open, ${number(one.reserved)} reserved${one.lent ? ` (${number(one.lent)} lent)` : ''} of ${number(one.limit)}${one.members[0].state === 'available' ? '' : `, ${words(one.members[0].state)}`}`
        : `${number(one.active)} open and ${number(one.reserved)} reserved on average; most: ${one.fullest.pod} with ${number(one.fullest.active + one.fullest.reserved)} of ${number(one.limit)}`;
      text(tip, `${name(one)}: ${about}`);
      tip.style.left = `${Math.max(0, Math.min(width - 240, LEFT + (chosen + 0.5) * step() - 120))}px`;
    }
  }

  function choose(index) {
    chosen = groups.length ? Math.max(-1, Math.min(groups.length - 1, index)) : -1;
    showTip();
    move();
  }

  const at = (event) => Math.floor((event.clientX - canvas.getBoundingClientRect().left - LEFT) / step());
  const enter = () => groups[chosen] && filter(groups[chosen].members, name(groups[chosen]));
  stage.addEventListener('pointermove', (event) => choose(at(event) < groups.length ? at(event) : -1));
  stage.addEventListener('pointerleave', () => choose(-1));
  stage.addEventListener('click', enter);
  stage.addEventListener('blur', () => choose(-1));
  stage.addEventListener('keydown', (event) => {
    const to = { ArrowRight: chosen + 1, ArrowLeft: Math.max(0, chosen - 1), Home: 0, End: groups.length - 1, Escape: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      choose(to);
      announce(tip.textContent);
    } else if (event.key === 'Enter') {
      enter();
    }
  });

  const sizes = new ResizeObserver(() => {
    width = stage.clientWidth;
    update(store.state);
  });
  sizes.observe(stage);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', move, { signal });
  signal.addEventListener('abort', () => sizes.disconnect());
  store.on(['pods'], update);
  return panel('pods', 'Pods', legend, stage, how);
}
