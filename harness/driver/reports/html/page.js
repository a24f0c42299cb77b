/* What a finding's schedule is shown with: buttons, filters, tables, graphs. */

const TABLE_LINES = 60;

function button(words, title, action) {
  const b = make('button', {type: 'button', title}, words);
  b.addEventListener('click', action);
  return b;
}

function checkbox(words, checked, action) {
  const box = make('input', {type: 'checkbox'});
  box.checked = checked;
  box.addEventListener('change', action);
  return [box, make('label', {class: 'check'}, box, ' ' + words)];
}

class View {
  constructor(story, host) {
    this.story = story;
    this.host = host;
    this.timeline = new Timeline(story, line => this.moved(line));
    this.source = new SourcePane(story);
    this.where = make('output', {class: 'where', 'aria-live': 'polite'});
    this.state = make('div', {class: 'states'});
    this.waits = make('div', {class: 'waits-graph'});
    this.table = make('div', {class: 'lines-table', hidden: ''});
    host.replaceChildren(
      make('h4', {}, 'Schedule'), ...this.remarks(), this.toolbar(), this.filters(),
      make('div', {class: 'two'},
        make('div', {class: 'left'}, this.where, this.timeline.element, this.legend(), this.table,
          make('section', {class: 'graph-box'}, make('h4', {}, 'Who waits for whom'), this.waits)),
        make('div', {class: 'right'}, this.source.element, make('h5', {}, 'Where the threads are'), this.state, ...this.lockOrder())));
    host.addEventListener('keydown', e => this.key(e));
    host.addEventListener('pointerdown', () => View.active = this);
    host.addEventListener('focusin', () => View.active = this);
    this.filter();
  }

  remarks() {
    const s = this.story, notes = [];
    if (s.first > 1)
      notes.push(make('p', {class: 'remark'}, `Steps ${s.first} to ${s.steps} of ${s.steps}: the first ones are left out.`));
    if (!s.whole)
      notes.push(make('p', {class: 'remark'}, 'There was no room for all that happened: waits and locks are missing in the last part.'));
    return notes;
  }

  toolbar() {
    const t = this.timeline;
    return make('div', {class: 'toolbar', role: 'toolbar', 'aria-label': 'Steps'},
      button('First', 'first line (Home)', () => t.go(0)),
      button('\u25c0 Back', 'one line back (left, up, k)', () => t.step(-1)),
      button('Forward \u25b6', 'one line forward (right, down, j)', () => t.step(1)),
      button('Last', 'last line (End)', () => t.go(Infinity)),
      button('\u25cf Back', 'the line before that matters for this finding (p)', () => t.important(-1)),
      button('\u25cf Forward', 'the next line that matters for this finding (n)', () => t.important(1)),
      button('Table', 'the lines around this one as a table (t)', () => this.toggleTable()));
  }

  filters() {
    const s = this.story, many = s.threads.length > 8;
    const few = many && s.aboutThreads.size ? s.aboutThreads : new Set(s.threads.keys());
    this.threadBoxes = s.threads.map((t, i) => checkbox(s.threadText(i), few.has(i), () => this.filter()));
    const objects = [...s.objects.keys()].filter(o => s.objects[o].thread === null);
    this.objectBoxes = objects.map(o => [o, ...checkbox(s.objectText(o), false, () => this.filter())]);
    this.only = checkbox('only what matters for this finding', false, () => this.filter());
    this.order = checkbox('arrows of order', true, () => this.filter());
    this.counted = make('span', {class: 'counted', role: 'status'});
    const all = on => {
      for (const [box] of this.threadBoxes)
        box.checked = on;
      this.filter();
    };
    return make('details', {class: 'filter'},
      make('summary', {}, 'Filter ', this.counted),
      make('div', {class: 'checks'}, this.only[1], this.order[1]),
      make('fieldset', {}, make('legend', {}, 'Threads'), button('all', 'show all threads', () => all(true)), button('none', 'show no thread', () => all(false)),
        make('div', {class: 'checks'}, ...this.threadBoxes.map(b => b[1]))),
      make('fieldset', {}, make('legend', {}, 'Only these objects (none: all)'), make('div', {class: 'checks'}, ...this.objectBoxes.map(b => b[2]))));
  }

  filter() {
    const threads = [...this.story.threads.keys()].filter(i => this.threadBoxes[i][0].checked);
    const objects = new Set(this.objectBoxes.filter(b => b[1].checked).map(b => b[0]));
    this.timeline.showOrder = this.order[0].checked;
    this.timeline.filter(threads, objects, this.only[0].checked);
    this.counted.textContent = `${this.timeline.view.length} of ${this.story.lines.length} lines, ${threads.length} of ${this.story.threads.length} threads`;
  }

  legend() {
    const sample = (kind, words) => make('li', {class: 'key-' + kind}, words);
    return make('details', {class: 'legend'}, make('summary', {}, 'What the drawing means, and keys'),
      make('ul', {}, sample('runs', 'thick line: the thread runs'), sample('ready', 'thin line: it could run'),
        sample('waits', 'dashed line: it waits; a square is where that begins'),
        sample('lock', 'bar with a name: a lock that it holds; hollow: with others who read'),
        sample('woken', 'arrow with a full line: lets the other go on, or makes it'), sample('order', 'dotted arrow: what comes before what'),
        sample('level', 'box: how many values were sent to a channel and not received yet, of those that it has room for (+1: handed to a receiver that waits), or the units of a semaphore'),
        sample('dot', '\u25cf in front of a step: it matters for this finding')),
      make('p', {}, 'Keys, in the timeline: left and right or up and down step, Home and End go to its ends. Anywhere on the page, for the finding used last: j and k step, n and p go from line to line that matters, t shows a table.'));
  }

  key(e) {
    const t = this.timeline, inTimeline = e.target === t.scroller;
    const action = inTimeline ? {
      ArrowRight: () => t.step(1), ArrowDown: () => t.step(1), ArrowLeft: () => t.step(-1), ArrowUp: () => t.step(-1),
      Home: () => t.go(0), End: () => t.go(Infinity), PageDown: () => t.step(12), PageUp: () => t.step(-12)
    }[e.key] : null;
    if (!action || e.ctrlKey || e.altKey || e.metaKey)
      return;
    action();
    e.preventDefault();
  }
  letter(key) {
    const t = this.timeline;
    const action = {j: () => t.step(1), k: () => t.step(-1), n: () => t.important(1), p: () => t.important(-1), t: () => this.toggleTable()}[key];
    if (action)
      action();
    return !!action;
  }

  moved(line) {
    this.line = line;
    if (line === null) {
      this.where.textContent = 'The filter leaves no line.';
      return;
    }
    const l = this.story.lines[line], others = [];
    this.where.textContent = this.story.describe(line);
    this.story.threads.forEach((t, thread) => {
      const place = this.story.stateOf(thread, line).state === 'none' ? null : this.story.placeAt(thread, line);
      if (place !== null && this.story.stateOf(thread, line).state !== 'ended')
        others.push([thread, place]);
    });
    this.source.show(l.place !== null ? l.place : this.story.placeAt(l.thread, line), others);
    this.showStates(line);
    this.showWaits(line);
    if (!this.table.hidden)
      this.showTable();
  }

  showStates(line) {
    const s = this.story, held = s.holdersAt(line);
    const rows = this.timeline.threads.map(thread => {
      const state = s.stateOf(thread, line), place = s.placeAt(thread, line);
      const holds = held.filter(h => h.thread === thread).map(h => s.objectName(h.object) + (h.shared ? ' (to read)' : '')).join(', ');
      return make('tr', {class: state.state},
        make('th', {scope: 'row'}, s.threadText(thread)), make('td', {}, s.stateText(state)), make('td', {}, holds || '-'),
        make('td', {}, state.state === 'none' || state.state === 'ended' ? '' : s.placeText(place)));
    });
    const levels = this.timeline.levelObjects.map(o => [o, s.levelAt(o, line)]).filter(l => l[1] !== null);
    this.state.replaceChildren(
      make('table', {}, make('caption', {}, `After ${s.lines[line].kind === 'waits' ? 'that, at ' : ''}step ${s.lines[line].step}`),
        make('thead', {}, make('tr', {}, ...['Thread', 'Does', 'Holds', 'At'].map(w => make('th', {scope: 'col'}, w)))),
        make('tbody', {}, ...rows)),
      ...(levels.length ? [make('p', {class: 'levels'}, levels.map(([o, n]) => `${s.objectText(o)}: ${s.levelText(o, n)}`).join('; '))] : []));
  }

  graphWith(graph, label, none) {
    if (!graph.edges.size)
      return [make('p', {class: 'none'}, none)];
    const cycle = graph.cycleText(), drawn = graph.draw(`${label}${cycle ? '; a cycle: ' + cycle : ''}`);
    const rows = [...graph.edges.values()].map(e => make('tr', {class: e.cycle ? 'cycle' : ''},
      make('td', {}, e.from.text), make('td', {}, e.label), make('td', {}, e.to.text), make('td', {}, e.cycle ? 'yes' : '')));
    const parts = [make('div', {class: 'graph-scroll', tabindex: '0', role: 'group', 'aria-label': label}, drawn)];
    if (graph.hidden)
      parts.push(make('p', {class: 'remark'}, `${graph.hidden} more are in the table.`));
    if (cycle)
      parts.unshift(make('p', {class: 'cycle-text'}, make('strong', {}, 'Cycle: '), cycle));
    parts.push(make('details', {}, make('summary', {}, 'As a table'),
      make('table', {}, make('caption', {}, label),
        make('thead', {}, make('tr', {}, ...['From', 'Relation', 'To', 'On the cycle'].map(w => make('th', {scope: 'col'}, w)))),
        make('tbody', {}, ...rows))));
    return parts;
  }

  showWaits(line) {
    const graph = this.story.waitsFor(line);
    const print = [...graph.edges.values()].map(e => e.from.id + e.label + e.to.id).join(' ');
    if (print === this.drawnWaits)
      return;
    this.drawnWaits = print;
    const open = this.waits.querySelector('details') && this.waits.querySelector('details').open;
    this.waits.replaceChildren(...this.graphWith(graph, 'Who waits for whom', 'Here nobody waits for anybody.'));
    const details = this.waits.querySelector('details');
    if (details)
      details.open = open;
  }

  lockOrder() {
    const graph = this.story.lockOrder();
    if (!graph.edges.size)
      return [];
    return [make('section', {class: 'graph-box'}, make('h4', {}, 'Locks taken while others are held'),
      ...this.graphWith(graph, 'Which lock is taken while which is held, and by whom', ''))];
  }

  toggleTable() {
    this.table.hidden = !this.table.hidden;
    if (!this.table.hidden)
      this.showTable();
  }
  showTable() {
    const t = this.timeline, s = this.story, from = Math.max(0, t.current - TABLE_LINES / 2), to = Math.min(t.view.length, from + TABLE_LINES);
    const rows = [];
    for (let r = from; r < to; r++) {
      const l = s.lines[t.view[r]];
      const row = make('tr', {class: r === t.current ? 'here' : ''},
        make('td', {}, String(l.step)), make('td', {}, l.thread === null ? '' : s.threadText(l.thread)),
        make('td', {}, l.words + (l.object !== null ? ' ' + s.objectText(l.object) : '')), make('td', {}, s.placeText(l.place)),
        make('td', {}, s.important.has(t.view[r]) ? 'yes' : ''));
      if (r === t.current)
        row.setAttribute('aria-current', 'step');
      rows.push(row);
    }
    this.table.replaceChildren(make('table', {}, make('caption', {}, `Lines ${from + 1} to ${to} of ${t.view.length}`),
      make('thead', {}, make('tr', {}, ...['Step', 'Thread', 'What', 'Where', 'Matters'].map(w => make('th', {scope: 'col'}, w)))),
      make('tbody', {}, ...rows)));
  }
}
View.active = null;

function mount(host) {
  if (host.dataset.mounted)
    return;
  host.dataset.mounted = 'yes';
  try {
    const view = new View(new Story(JSON.parse(document.getElementById(host.dataset.story).textContent)), host);
    View.active = View.active || view;
    const report = host.parentElement.querySelector('details.whole');
    if (report)
      report.open = false;
  } catch (error) {
    host.replaceChildren(make('p', {class: 'no-story'}, `Its schedule cannot be drawn: ${plain(error.message)}`));
    throw error;
  }
}

document.addEventListener('keydown', e => {
  const inField = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== 'checkbox';
  if (View.active && !inField && !e.ctrlKey && !e.altKey && !e.metaKey && View.active.letter(e.key))
    e.preventDefault();
});

{
  const near = new IntersectionObserver(entries => {
    for (const e of entries)
      if (e.isIntersecting) {
        near.unobserve(e.target);
        mount(e.target);
      }
  }, {rootMargin: '300px'});
  for (const host of document.querySelectorAll('section.story'))
    near.observe(host);
}
