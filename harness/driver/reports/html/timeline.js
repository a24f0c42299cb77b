/* The timeline: a lane a thread, time downward. Only the lines that can be seen are drawn. */

const LINE = 26, LAST_LANE = 220, LEVEL = 78, HEAD = 44, LOCK = 9;
const LOCK_COLOURS = 8;
/* Lines that belong to the decision above them. */
const SAME_STEP = new Set(['waits', 'gives', 'ends', 'access', 'end']);
const ARROW_WORDS = {woken: 'lets go on', makes: 'makes', order: 'comes before what follows in'};

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const key in attributes)
    if (key === 'class')
      element.className = attributes[key];
    else
      element.setAttribute(key, attributes[key]);
  element.append(...children);
  return element;
}

class Timeline {
  /* moved(line): the current line is another one. */
  constructor(story, moved) {
    this.story = story;
    this.moved = moved;
    this.threads = story.threads.map((t, i) => i);
    this.chosenObjects = new Set();
    this.gutter = 42 + 7 * String(story.steps).length;
    this.showOrder = true;
    this.lockColour = new Map();
    this.levelObjects = [...story.levels.keys()].sort((a, b) =>
      story.aboutObjects.has(b) - story.aboutObjects.has(a) || a - b).slice(0, 4);
    this.svg = svg('svg', {class: 'lanes', 'aria-hidden': 'true'});
    this.head = make('div', {class: 'lane-heads', 'aria-hidden': 'true'});
    this.space = make('div', {class: 'space'}, this.svg);
    this.scroller = make('div', {
      class: 'scroller', tabindex: '0', role: 'group', 'aria-label': 'Timeline: arrow keys step from line to line'
    }, this.head, this.space);
    this.overview = make('canvas', {class: 'overview', 'aria-hidden': 'true'});
    this.window = make('div', {class: 'overview-window'});
    this.strip = make('div', {class: 'strip'}, this.overview, this.window);
    this.element = make('div', {class: 'timeline'}, this.strip, this.scroller);
    this.scroller.addEventListener('scroll', () => this.soon());
    this.svg.addEventListener('click', e => this.clicked(e));
    this.strip.addEventListener('pointerdown', e => this.jump(e));
    this.strip.addEventListener('pointermove', e => e.buttons && this.jump(e));
    new ResizeObserver(() => this.soon(true)).observe(this.scroller);
    this.view = Int32Array.from(story.lines.keys());
    this.current = this.view.length - 1;
  }

  /* ---- which lines ---- */

  filter(threads, objects, mattersOnly) {
    const line = this.view[this.current] ?? 0, shown = new Set(threads), story = this.story;
    this.threads = threads;
    this.chosenObjects = objects;
    const list = [];
    story.lines.forEach((l, i) => {
      if (l.thread !== null && !shown.has(l.thread))
        return;
      if (objects.size && !(l.object !== null && objects.has(l.object)))
        return;
      if (mattersOnly && !story.important.has(i) && !(l.object !== null && story.aboutObjects.has(l.object) && story.aboutThreads.has(l.thread)))
        return;
      list.push(i);
    });
    this.view = Int32Array.from(list);
    this.current = Math.max(0, lastAtMost(this.view, line, x => x));
    this.soon(true);
    this.show();
  }
  /* The first row whose line is not before `line`. */
  rowOf(line) {
    return lastAtMost(this.view, line - 1, x => x) + 1;
  }
  go(row, quiet) {
    this.current = Math.max(0, Math.min(this.view.length - 1, row));
    this.show(quiet);
  }
  step(by) {
    this.go(this.current + by);
  }
  important(direction) {
    for (let r = this.current + direction; r >= 0 && r < this.view.length; r += direction)
      if (this.story.important.has(this.view[r]))
        return this.go(r);
  }
  show(quiet) {
    this.soon();
    this.mustShow = true;
    if (!quiet)
      this.moved(this.view.length ? this.view[this.current] : null);
  }
  /* Scroll so that the current line can be seen. */
  reveal() {
    const top = this.current * LINE, bottom = top + LINE, s = this.scroller, high = s.clientHeight - HEAD;
    if (top < s.scrollTop + LINE)
      s.scrollTop = top - 2 * LINE;
    else if (bottom > s.scrollTop + high - LINE)
      s.scrollTop = bottom - high + 2 * LINE;
    const line = this.view.length && this.place ? this.story.lines[this.view[this.current]] : null;
    if (line && this.place.has(line.thread)) {
      const left = this.place.get(line.thread);
      const right = Math.min(left + this.lane, this.gutter + this.lanes);
      if (left < s.scrollLeft + this.gutter - 6 || right > s.scrollLeft + s.clientWidth)
        s.scrollLeft = left - this.gutter;
    }
  }
  clicked(e) {
    const row = Math.floor((e.clientY - this.svg.getBoundingClientRect().top + this.top) / LINE);
    if (row < this.view.length)
      this.go(row);
    this.scroller.focus({preventScroll: true});
  }
  jump(e) {
    const box = this.strip.getBoundingClientRect();
    this.go(Math.floor((e.clientX - box.left) / box.width * this.view.length));
    e.preventDefault();
  }

  /* ---- drawing ---- */

  soon(all) {
    this.wholly = this.wholly || all;
    if (this.pending)
      return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      if (this.wholly)
        this.measure();
      if (this.mustShow)
        this.reveal();
      this.wholly = this.mustShow = false;
      this.draw();
    });
  }

  measure() {
    const room = this.scroller.clientWidth - this.gutter - this.levelObjects.length * LEVEL;
    const count = Math.max(1, this.threads.length);
    this.lane = Math.max(112, Math.min(300, Math.floor((room - LAST_LANE) / Math.max(1, count - 1))));
    this.lanes = Math.max((count - 1) * this.lane + LAST_LANE, Math.min(room, count * this.lane));
    this.width = Math.max(this.gutter + this.lanes + this.levelObjects.length * LEVEL, this.scroller.clientWidth);
    this.space.style.width = this.width + 'px';
    this.space.style.height = this.view.length * LINE + 'px';
    this.scroller.style.height = Math.min(18, Math.max(5, this.view.length)) * LINE + HEAD + 16 + 'px';
    this.place = new Map(this.threads.map((t, i) => [t, this.gutter + i * this.lane]));
    this.head.style.width = this.width + 'px';
    this.head.replaceChildren(make('span', {class: 'head-step'}, 'step'));
    this.threads.forEach(t => {
      const text = this.story.threadText(t), name = this.story.threadName(t);
      const head = make('span', {class: 'head-lane', title: text}, name, make('small', {}, text.slice(name.length).replace(/^ \((.*)\)$/, '$1')));
      head.style.left = this.place.get(t) + 'px';
      head.style.width = this.lane - 6 + 'px';
      this.head.append(head);
    });
    this.levelObjects.forEach((o, i) => {
      const head = make('span', {class: 'head-level', title: this.story.objectText(o)}, this.story.objectName(o));
      head.style.left = this.levelX(i) + 'px';
      head.style.width = LEVEL - 8 + 'px';
      this.head.append(head);
    });
    this.drawOverview();
  }
  levelX(i) {
    return this.gutter + this.lanes + i * LEVEL;
  }
  colour(object) {
    if (!this.lockColour.has(object))
      this.lockColour.set(object, this.lockColour.size % LOCK_COLOURS);
    return this.lockColour.get(object);
  }
  laneX(thread) {
    return this.place.get(thread) + 44;
  }

  draw() {
    if (!this.place)
      this.measure();
    const high = this.scroller.clientHeight - HEAD, count = this.view.length;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / LINE) - 1);
    const last = Math.min(count - 1, first + Math.ceil(high / LINE) + 2);
    this.top = first * LINE;
    this.svg.setAttribute('width', this.width);
    this.svg.setAttribute('height', Math.max(LINE, (last - first + 1) * LINE));
    this.svg.style.top = this.top + 'px';
    const parts = [];
    if (!count) {
      const nothing = svg('text', {x: this.gutter, y: 18});
      nothing.textContent = 'The filter leaves no line.';
      this.svg.replaceChildren(nothing);
      return;
    }
    const low = this.view[first], top = this.view[last];
    const y = line => (this.rowOf(line) - first) * LINE;
    parts.push(svg('rect', {class: 'current', x: 0, y: (this.current - first) * LINE, width: this.width, height: LINE}));
    for (const thread of this.threads)
      this.drawLane(parts, thread, low, top, y, (last - first + 1) * LINE);
    this.drawLocks(parts, low, top, y, (last - first + 1) * LINE);
    this.drawArrows(parts, low, top, y);
    for (let r = first; r <= last; r++)
      this.drawLine(parts, r, (r - first) * LINE);
    this.levelObjects.forEach((o, i) => this.drawLevel(parts, o, i, first, last));
    this.drawSteps(parts, first, last);
    this.svg.replaceChildren(...parts);
    this.window.style.left = 100 * first / count + '%';
    this.window.style.width = Math.max(0.6, 100 * (last - first + 1) / count) + '%';
  }

  drawLane(parts, thread, low, high, y, bottom) {
    const list = this.story.states[thread], x = this.laneX(thread);
    for (let i = Math.max(0, lastAtMost(list, low, s => s.line)); i < list.length && list[i].line <= high; i++) {
      const s = list[i];
      if (s.state === 'none' || s.state === 'ended')
        continue;
      const from = s.line < low ? 0 : y(s.line) + LINE / 2;
      const to = i + 1 < list.length && list[i + 1].line <= high ? y(list[i + 1].line) + LINE / 2 : bottom;
      if (to > from)
        parts.push(svg('line', {class: 'state ' + s.state, x1: x, x2: x, y1: from, y2: to}));
    }
  }

  drawLocks(parts, low, high, y, bottom) {
    const spans = this.story.locks.touching(low, high).filter(s => this.place.has(s.thread));
    spans.sort((a, b) => a.from - b.from);
    const columns = new Map();
    for (const s of spans) {
      const busy = columns.get(s.thread) || [];
      columns.set(s.thread, busy);
      let column = 0;
      while (busy[column] !== undefined && busy[column] > s.from)
        column++;
      busy[column] = s.over ? s.to : Infinity;
      if (column > 3)
        continue;
      const x = this.laneX(s.thread) - 12 - column * LOCK, from = s.from < low ? 0 : y(s.from) + LINE / 2;
      const to = s.over && s.to <= high ? y(s.to) + LINE / 2 : bottom;
      const name = this.story.objects[s.object].name;
      const bar = svg('g', {class: `lock c${this.colour(s.object)}${this.chosenObjects.size && !this.chosenObjects.has(s.object) ? ' faint' : ''}`});
      const whole = svg('title', {});
      whole.textContent = `${this.story.threadName(s.thread)} holds ${this.story.objectText(s.object)}${s.shared ? ', with others who read' : ''}`;
      bar.append(whole, svg('rect', {x: x - 3, y: from, width: 6, height: Math.max(4, to - from), rx: 2, class: s.shared ? 'shared' : ''}));
      const label = svg('text', {x: x - 5, y: Math.max(11, from + 4), 'text-anchor': 'end'});
      label.textContent = name;
      bar.append(label);
      parts.push(bar);
    }
  }

  drawArrows(parts, low, high, y) {
    for (const a of this.story.arrows.touching(low, high)) {
      if (!this.place.has(a.fromThread) || !this.place.has(a.toThread) || (a.kind === 'order' && !this.showOrder))
        continue;
      const x1 = this.laneX(a.fromThread), x2 = this.laneX(a.toThread), side = x2 > x1 ? 1 : -1;
      const y1 = y(a.a) + LINE / 2, y2 = y(a.b) + LINE / 2, end = x2 - side * 6, flat = a.a === a.b;
      const g = svg('g', {class: 'arrow ' + a.kind});
      const under = flat ? LINE / 2 - 3 : 0;
      const path = flat ? `M${x1} ${y1} L${x1 + side * 8} ${y1 + under} L${end - side * 6} ${y2 + under} L${end} ${y2}`
        : `M${x1} ${y1} C${x1 + side * 50} ${y1} ${x2 - side * 50} ${y2} ${end} ${y2}`;
      const what = svg('title', {});
      what.textContent = `${this.story.threadName(a.fromThread)} ${ARROW_WORDS[a.kind]} ${this.story.threadName(a.toThread)}` +
        (a.object === null || a.object === undefined ? '' : `: ${this.story.objectText(a.object)}`);
      g.append(what, svg('path', {d: path}), arrowHead(end + side * 1, y2, side > 0 ? 0 : Math.PI, 7));
      parts.push(g);
    }
  }

  drawLine(parts, row, y) {
    const index = this.view[row], l = this.story.lines[index], important = this.story.important.has(index);
    const g = svg('g', {class: 'line ' + l.kind + (important ? ' important' : '') + (row === this.current ? ' now' : '')});
    if (l.thread !== null && this.place.has(l.thread)) {
      const x = this.laneX(l.thread), text = svg('text', {class: 'what', x: x + 12, y: y + 17});
      const object = l.object !== null ? ' ' + this.story.objectName(l.object) : '';
      const place = l.place !== null ? this.story.placeText(l.place) : '';
      const room = this.gutter + this.lanes - x - 14, bold = important || l.kind === 'waits', words = fitting(l.words + object, room, bold);
      text.append(words);
      if (place && widthOf(words, bold) + widthOf(place) + 8 <= room) {
        const where = svg('tspan', {class: 'where', dx: 8});
        where.textContent = place;
        text.append(where);
      }
      const whole = svg('title', {});
      whole.textContent = this.story.describe(index);
      g.append(whole);
      g.append(l.kind === 'waits' ? svg('rect', {class: 'dot', x: x - 5, y: y + LINE / 2 - 5, width: 10, height: 10})
        : svg('circle', {class: 'dot', cx: x, cy: y + LINE / 2, r: l.kind === 'gives' ? 3.5 : 5}));
      g.append(text);
    }
    parts.push(g);
  }

  /* The numbers stay at the left when the lanes are moved. */
  drawSteps(parts, first, last) {
    const left = this.scroller.scrollLeft, high = (last - first + 1) * LINE;
    const g = svg('g', {transform: `translate(${left} 0)`});
    if (left)
      g.append(svg('rect', {class: 'gutter', width: this.gutter - 6, height: high}),
        svg('rect', {class: 'current', y: (this.current - first) * LINE, width: this.gutter - 6, height: LINE}));
    for (let r = first; r <= last; r++) {
      const l = this.story.lines[this.view[r]], important = this.story.important.has(this.view[r]);
      const step = svg('text', {class: 'step' + (important ? ' important' : ''), x: this.gutter - 16, y: (r - first) * LINE + 17, 'text-anchor': 'end'});
      step.textContent = (important ? '\u25cf ' : '') + (SAME_STEP.has(l.kind) && !l.decision ? '' : l.step);
      g.append(step);
    }
    parts.push(g);
  }

  drawLevel(parts, object, column, first, last) {
    const room = this.story.objects[object].room, x = this.levelX(column);
    let before = null;
    for (let r = first; r <= last; r++) {
      const n = this.story.levelAt(object, this.view[r]), y = (r - first) * LINE;
      if (n === null)
        continue;
      const wide = room > 0 ? Math.max(0, Math.min(1, n / room)) * (LEVEL - 44) : 0;
      parts.push(svg('rect', {class: 'room', x: x + 2, y: y + 5, width: LEVEL - 44, height: LINE - 10}),
        svg('rect', {class: 'fill', x: x + 2, y: y + 5, width: wide, height: LINE - 10}));
      if (n !== before) {
        const text = svg('text', {class: 'level', x: x + LEVEL - 38, y: y + 17});
        text.textContent = this.story.levelText(object, n);
        parts.push(text);
      }
      before = n;
    }
  }

  /* All lines in one strip: who ran when. */
  drawOverview() {
    const box = this.strip.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    const width = Math.max(1, Math.floor(box.width)), rows = Math.max(1, Math.min(this.threads.length, 16)), high = 4;
    this.overview.width = width * ratio;
    this.overview.height = (rows * high + 6) * ratio;
    this.overview.style.height = rows * high + 6 + 'px';
    const c = this.overview.getContext('2d'), style = getComputedStyle(this.element);
    c.scale(ratio, ratio);
    c.clearRect(0, 0, width, rows * high + 6);
    const run = style.getPropertyValue('--run'), mark = style.getPropertyValue('--mark');
    const row = new Map(this.threads.map((t, i) => [t, i])), count = this.view.length;
    const columns = Math.min(width, count), ran = new Uint32Array(columns * rows), marked = new Set();
    for (let r = 0; r < count; r++) {
      const at = row.get(this.story.lines[this.view[r]].thread), column = Math.floor(r / count * columns);
      if (at !== undefined && at < rows)
        ran[column * rows + at]++;
      if (this.story.important.has(this.view[r]))
        marked.add(column);
    }
    const wide = width / columns;
    for (let column = 0; column < columns; column++) {
      c.fillStyle = run;
      for (let at = 0; at < rows; at++) {
        c.globalAlpha = Math.min(1, ran[column * rows + at] * columns / count);
        c.fillRect(column * wide, at * high, wide, high - 1);
      }
      c.globalAlpha = 1;
      c.fillStyle = mark;
      if (marked.has(column))
        c.fillRect(column * wide, rows * high, 2, 6);
    }
  }
}
