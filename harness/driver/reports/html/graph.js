/* Small directed graphs, drawn as SVG: what is on a cycle stands in a circle, everything else in layers beside it. */

const SVG = 'http://www.w3.org/2000/svg';
/* More nodes than this are not drawn, but for those of a cycle. */
const MOST_NODES = 28;

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes)
    element.setAttribute(key, attributes[key]);
  element.append(...children);
  return element;
}

class Graph {
  constructor() {
    this.nodes = new Map();
    this.edges = new Map(); // "from to": {from, to, label}
  }
  node(n) {
    if (!this.nodes.has(n.id))
      this.nodes.set(n.id, Object.assign({out: [], cycle: false}, n));
    return this.nodes.get(n.id);
  }
  edge(from, to, label) {
    const a = this.node(from), b = this.node(to), key = a.id + ' ' + b.id;
    const known = this.edges.get(key);
    if (known) {
      if (!known.label.split(', ').includes(label))
        known.label += ', ' + label;
      return;
    }
    const edge = {from: a, to: b, label, cycle: false};
    this.edges.set(key, edge);
    a.out.push(edge);
  }

  /* Mark what lies on cycles (Tarjan's strongly connected components); of a component of more than its cycle one
   * shortest cycle is kept in this.ring, in order. */
  markCycles(counts) {
    let number = 0;
    const stack = [], state = new Map();
    const visit = start => {
      const work = [{node: start, next: 0}];
      while (work.length) {
        const top = work[work.length - 1], n = top.node;
        if (top.next === 0 && !state.has(n.id)) {
          state.set(n.id, {index: number, low: number++, on: true});
          stack.push(n);
        }
        const mine = state.get(n.id);
        const edge = n.out[top.next++];
        if (edge) {
          if (!counts(edge))
            continue;
          const there = state.get(edge.to.id);
          if (!there)
            work.push({node: edge.to, next: 0});
          else if (there.on)
            mine.low = Math.min(mine.low, there.index);
          continue;
        }
        work.pop();
        if (work.length) {
          const above = state.get(work[work.length - 1].node.id);
          above.low = Math.min(above.low, mine.low);
        }
        if (mine.low === mine.index) {
          const component = new Set();
          let m;
          do {
            m = stack.pop();
            state.get(m.id).on = false;
            component.add(m);
          } while (m !== n);
          this.take(component, counts);
        }
      }
    };
    this.ring = [];
    for (const n of this.nodes.values())
      if (!state.has(n.id))
        visit(n);
  }
  take(component, counts) {
    const inside = e => component.has(e.to) && counts(e);
    if (component.size === 1 && ![...component][0].out.some(inside))
      return;
    for (const start of component) { // a shortest way back to where it begins
      const from = new Map([[start, null]]), queue = [start];
      let end = null;
      while (queue.length && !end) {
        const n = queue.shift();
        for (const e of n.out.filter(inside)) {
          if (e.to === start) {
            end = n;
            break;
          }
          if (!from.has(e.to)) {
            from.set(e.to, n);
            queue.push(e.to);
          }
        }
      }
      const way = [];
      for (let n = end; n; n = from.get(n))
        way.unshift(n);
      if (way.length && (!this.ring.length || way.length < this.ring.length))
        this.ring = way;
    }
    while (this.ring.some(n => n.shape === 'thread') && this.ring[0].shape !== 'thread')
      this.ring.push(this.ring.shift());
    this.ring.forEach((n, i) => {
      n.cycle = true;
      const next = this.ring[(i + 1) % this.ring.length];
      for (const e of n.out)
        if (e.to === next)
          e.cycle = true;
    });
  }
  cycleText() {
    return this.ring.length ? [...this.ring, this.ring[0]].map(n => n.text).join(' \u2192 ') : '';
  }

  /* Places for all nodes: {width, height}. */
  layout() {
    const WIDE = 196, HIGH = 62;
    let nodes = [...this.nodes.values()];
    this.hidden = 0;
    if (nodes.length > MOST_NODES) {
      const kept = nodes.filter(n => n.cycle).concat(nodes.filter(n => !n.cycle)).slice(0, Math.max(MOST_NODES, this.ring.length));
      this.hidden = nodes.length - kept.length;
      nodes = kept;
    }
    this.shown = new Set(nodes);
    for (const n of nodes)
      n.wide = Math.max(84, Math.min(190, widthOf(n.text, n.cycle) + 26));
    const rest = nodes.filter(n => !n.cycle), ring = this.ring;
    let left = 0, height = HIGH;
    if (ring.length) {
      const n = ring.length, rx = n <= 2 ? 0 : Math.max(105, n * 25), ry = n === 1 ? 0 : Math.max(64, n * 21);
      ring.forEach((node, i) => {
        const angle = 2 * Math.PI * i / n - Math.PI / 2;
        node.x = WIDE / 2 + rx + rx * Math.cos(angle) + 26;
        node.y = HIGH / 2 + ry + ry * Math.sin(angle);
      });
      left = WIDE + 2 * rx + 52;
      height = HIGH + 2 * ry;
    }
    /* Beside it: how far each is from what nothing of these waits for. */
    const depth = new Map();
    const deep = (n, seen) => {
      if (depth.has(n) || seen.has(n))
        return depth.get(n) || 0;
      seen.add(n);
      let d = 0;
      for (const e of n.out)
        if (this.shown.has(e.to) && e.to !== n)
          d = Math.max(d, e.to.cycle ? 1 : 1 + deep(e.to, seen));
      depth.set(n, d);
      return d;
    };
    rest.forEach(n => deep(n, new Set()));
    const layers = [];
    for (const n of rest)
      (layers[depth.get(n)] = layers[depth.get(n)] || []).push(n);
    const used = layers.filter(Boolean);
    if (!ring.length) { // from the top down
      const widest = Math.max(...used.map(l => l.length)) * (WIDE + 12);
      used.reverse().forEach((layer, row) => layer.forEach((n, i) => {
        n.x = (i + 0.5) * widest / layer.length;
        n.y = HIGH / 2 + row * (HIGH + 4);
      }));
      return {width: widest, height: used.length * (HIGH + 4)};
    }
    used.forEach((layer, column) => layer.forEach((n, i) => {
      n.x = left + WIDE / 2 + column * (WIDE + 46);
      n.y = HIGH / 2 + i * HIGH + (height - Math.min(height, layer.length * HIGH)) / 2;
    }));
    const tallest = Math.max(0, ...used.map(l => l.length)) * HIGH;
    return {width: left + Math.max(0, used.length * (WIDE + 46) - 46), height: Math.max(height, tallest)};
  }

  /* Where the line from a node's middle to (x, y) leaves it. */
  static border(n, x, y, w, h) {
    const dx = x - n.x, dy = y - n.y;
    if (!dx && !dy)
      return [n.x, n.y];
    const t = Math.min(dx ? w / 2 / Math.abs(dx) : Infinity, dy ? h / 2 / Math.abs(dy) : Infinity);
    return [n.x + dx * t, n.y + dy * t];
  }

  draw(label) {
    const size = this.layout(), H = 30;
    const root = svg('svg', {
      class: 'graph', role: 'img', 'aria-label': label, viewBox: `-6 -6 ${size.width + 12} ${size.height + 12}`,
      width: size.width + 12, height: size.height + 12
    });
    for (const e of this.edges.values()) {
      if (!this.shown.has(e.from) || !this.shown.has(e.to))
        continue;
      const back = this.edges.has(e.to.id + ' ' + e.from.id);
      let dx = e.to.x - e.from.x, dy = e.to.y - e.from.y;
      const length = Math.hypot(dx, dy) || 1, bend = e.from === e.to ? 0 : back ? 26 : 0;
      const mx = (e.from.x + e.to.x) / 2 - dy / length * bend, my = (e.from.y + e.to.y) / 2 + dx / length * bend;
      const g = svg('g', {class: 'edge' + (e.cycle ? ' cycle' : '') + (/^waits/.test(e.label) ? ' waits' : /^could/.test(e.label) ? ' could' : '')});
      let path, lx = mx, ly = my, ax, ay, fx, fy;
      if (e.from === e.to) {
        const x = e.from.x + e.from.wide / 2, y = e.from.y;
        path = `M${x - 20} ${y - H / 2} C${x - 6} ${y - 52} ${x + 44} ${y - 22} ${x} ${y - 5}`;
        [ax, ay, fx, fy] = [x, y - 5, x + 16, y - 16];
        lx = x; ly = y - 36;
      } else {
        const [x1, y1] = Graph.border(e.from, mx, my, e.from.wide, H), [x2, y2] = Graph.border(e.to, mx, my, e.to.wide + 4, H + 4);
        path = `M${x1} ${y1} Q${mx} ${my} ${x2} ${y2}`;
        [ax, ay, fx, fy] = [x2, y2, mx, my];
        lx = (x1 + x2) / 4 + mx / 2; ly = (y1 + y2) / 4 + my / 2;
      }
      g.append(svg('path', {d: path, class: 'line'}), arrowHead(ax, ay, Math.atan2(ay - fy, ax - fx), 8));
      const words = svg('text', {x: lx, y: ly + 4, class: 'edge-label', 'text-anchor': 'middle'});
      words.textContent = fitting(e.label, 150);
      g.append(words);
      root.append(g);
    }
    for (const n of this.shown) {
      const g = svg('g', {class: `node ${n.shape}${n.cycle ? ' cycle' : ''}`, transform: `translate(${n.x - n.wide / 2} ${n.y - H / 2})`});
      const words = svg('text', {x: n.wide / 2, y: H / 2 + 4, 'text-anchor': 'middle'});
      words.textContent = fitting(n.text, n.wide - 14, n.cycle);
      const whole = svg('title', {});
      whole.textContent = n.text;
      g.append(whole, svg('rect', {width: n.wide, height: H, rx: n.shape === 'thread' ? H / 2 : 4}), words);
      root.append(g);
    }
    return root;
  }
}

const ruler = document.createElement('canvas').getContext('2d');
const known_widths = new Map();

/* How wide a text is drawn. */
function widthOf(text, bold) {
  const key = (bold ? 'b' : 'n') + text;
  if (!known_widths.has(key)) {
    if (known_widths.size > 5000)
      known_widths.clear();
    ruler.font = `${bold ? '700 ' : ''}12.5px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif`;
    known_widths.set(key, ruler.measureText(text).width);
  }
  return known_widths.get(key);
}

/* The text, or as much of it as there is room for. */
function fitting(text, room, bold) {
  if (widthOf(text, bold) <= room)
    return text;
  let n = text.length;
  while (n > 1 && widthOf(text.slice(0, n) + '\u2026', bold) > room)
    n--;
  return text.slice(0, n) + '\u2026';
}

function arrowHead(x, y, angle, size) {
  const at = turn => `${x - size * Math.cos(angle + turn)},${y - size * Math.sin(angle + turn)}`;
  return svg('polygon', {points: `${x},${y} ${at(0.45)} ${at(-0.45)}`, class: 'head'});
}
