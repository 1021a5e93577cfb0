// Small helpers: elements, text that is written only when it changes, and numbers and times for people.

/** An element. Keys that begin with "on" listen; true and false set and leave out attributes. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function text(element, value) {
  const written = String(value);
  if (element.textContent !== written) {
    element.textContent = written;
  }
}

/** A section with a heading, and what belongs beside the heading. */
export function panel(id, title, beside, ...content) {
  return h('section', { class: 'panel', id, 'aria-labelledby': `${id}-title` },
    h('div', { class: 'head' }, h('h2', { id: `${id}-title` }, title), beside), ...content);
}

/** A table with these headings; rows are set by `rows`, an array of arrays of cells. */
export function table(caption, headings) {
  const body = h('tbody');
  const element = h('table', {}, h('caption', { class: 'unseen' }, caption),
    h('thead', {}, h('tr', {}, headings.map((heading) => h('th', { scope: 'col' }, heading)))), body);
  return { element, rows: (rows) => fill(body, rows) };
}

function fill(body, rows) {
  while (body.rows.length > rows.length) {
    body.lastChild.remove();
  }
  rows.forEach((cells, i) => {
    let row = body.rows[i];
    if (!row || row.cells.length !== cells.length) {
      const fresh = h('tr', {}, cells.map((_, column) => h(column === 0 ? 'th' : 'td', column === 0 ? { scope: 'row' } : {})));
      row ? row.replaceWith(fresh) : body.append(fresh);
      row = fresh;
    }
    cells.forEach((cell, column) => text(row.cells[column], cell));
  });
}

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export const number = (value) => (value === null || value === undefined ? '–' : NUMBER.format(value));

export const clock = (instant) => new Date(instant).toLocaleTimeString('en-GB');

/** How long ago, by this machine's clock. */
export function ago(instant, nowMs = Date.now()) {
  const seconds = Math.max(0, (nowMs - Date.parse(instant)) / 1000);
  return seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** `rate_limited` as people write it. */
export const words = (label) => label.replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Says it to whoever hears the page instead of seeing it. */
export const announce = (what) => text(document.getElementById('announce'), what);

const TOLD_MS = 15_000;
let told = null;

/** Shows what was done, for a while, and has it read out. */
export function tell(what) {
  const line = document.getElementById('told');
  text(line, what);
  line.classList.remove('unseen');
  clearTimeout(told);
  told = setTimeout(() => line.classList.add('unseen'), TOLD_MS);
}
