'use strict';
/* The story of a finding (docs/json.md), made ready to be drawn.
 *
 * A story is shown as lines, one below the other: each decision is one, and so is each wait, each lock that is given
 * back and each end of a thread. Everything else (states of threads, locks held, arrows) spans lines.
 */

/* Characters that change the direction of the text beside them, or cannot be seen, as what they are. */
function plain(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g,
    c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

const ROW = {STEP: 0, THREAD: 1, WHAT: 2, EVENT: 3, OBJECT: 4, PLACE: 5, OTHER: 6, N: 7};
const DECISIONS = new Set(['does', 'times-out', 'wakes-for-no-reason', 'is-cancelled', 'chooses', 'fails']);
/* Spans longer than this are found by their ends alone. */
const BUCKET = 256, LONG_SPAN = 20 * BUCKET;

/* The last part of an event's word: "mutex_lock" locks, "cond_wait" waits. */
function verb(event) {
  const words = {
    thread_create: 'make a thread', thread_start: 'start', thread_exit: 'end of', thread_join: 'join',
    cond_relock: 'lock again', mutex_trylock: 'try to lock', rwlock_rdlock: 'lock to read', rwlock_wrlock: 'lock to write',
    sem_trywait: 'try to take', sem_wait: 'take', atomic_rmw: 'update', atomic_load: 'load', atomic_store: 'store',
    chan_recv: 'receive from', chan_send: 'send to', chan_close: 'close', fd_wait: 'wait for', hd_wg_wait: 'wait for',
    hd_wg_add: 'add to', hd_rwmutex_rlock: 'lock to read', hd_semaphore: 'acquire', external: 'system call',
    cond_wait: 'wait at', hd_cond_wait: 'wait at', hd_inner: 'inside an operation', released: 'go on after a release',
    signal_wait: 'wait for a signal', child_wait: 'wait for a child', once: 'once', barrier_wait: 'wait at',
    futex_wait: 'wait on', futex_wake: 'wake', exit: 'end the program', yield: 'yield', sleep: 'sleep',
    leak_check: 'look for leaks', hd_other: 'wait'
  };
  if (!event)
    return '';
  if (words[event])
    return words[event];
  return event.slice(event.lastIndexOf('_') + 1);
}

/* What a thread does that cannot go on, in front of the name of the object if there is one. */
function waiting(event, object) {
  const words = {
    chan_recv: 'waits to receive from', chan_send: 'waits to send to', thread_join: 'waits for the end of', select: 'waits in select',
    sleep: 'sleeps', external: 'is in a system call', cond_relock: 'waits to lock again', signal_wait: 'waits for a signal',
    child_wait: 'waits for a child'
  };
  return words[event] || (object === null || object === undefined ? 'waits: ' + verb(event) : 'waits for');
}

/* Spans of lines, found by the lines that they touch. */
class Spans {
  constructor(lines) {
    this.bucket = Array.from({length: Math.floor(lines / BUCKET) + 1}, () => []);
  }
  add(span) {
    const first = Math.floor(span.from / BUCKET), last = Math.floor(span.to / BUCKET);
    for (let i = first; i <= last; i++)
      this.bucket[i].push(span);
  }
  /* An arrow that is longer than any window: its ends. */
  addEnds(span) {
    const low = Math.min(span.from, span.to), high = Math.max(span.from, span.to);
    if (high - low <= LONG_SPAN) {
      this.add(Object.assign({}, span, {from: low, to: high, a: span.from, b: span.to}));
      return;
    }
    const whole = Object.assign({}, span, {from: low, to: high, a: span.from, b: span.to});
    this.bucket[Math.floor(low / BUCKET)].push(whole);
    this.bucket[Math.floor(high / BUCKET)].push(whole);
  }
  touching(from, to) {
    const found = new Set();
    const last = Math.min(Math.floor(to / BUCKET), this.bucket.length - 1);
    for (let i = Math.max(0, Math.floor(from / BUCKET)); i <= last; i++)
      for (const span of this.bucket[i])
        if (span.from <= to && span.to >= from)
          found.add(span);
    return [...found];
  }
}

/* The last entry of a sorted list whose key is at most `value`; -1: none. */
function lastAtMost(list, value, key) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

class Story {
  constructor(json) {
    Object.assign(this, {
      threads: json.threads, objects: json.objects, places: json.places, sources: json.sources, steps: json.steps,
      first: json.first, whole: json.whole, waitsAtEnd: json.waits, holdsAtEnd: json.holds,
      couldWake: json.could_wake, wouldWake: json.would_wake, end: json.end, lockHeld: json.lock_held, lockTook: json.lock_took
    });
    this.moments = new Set(json.moments);
    this.accesses = json.accesses.slice().sort((a, b) => a.step - b.step);
    this.lines = [];
    this.states = json.threads.map(() => [{line: -1, state: 'none'}]); // of each thread: from which line on
    this.levels = new Map(); // of an object: [line, n]
    this.makeLines(json.rows);
    const count = this.lines.length;
    this.locks = new Spans(count);
    this.arrows = new Spans(count);
    this.orders = new Map(); // "held took": the first time that took was taken with held in hand
    this.follow(json.rows);
    this.matters();
  }

  /* As short as it can be told from the others: "accounts", "CH1". */
  objectName(index) {
    if (!this.objects[index])
      return '';
    if (!this.names) {
      const inner = this.objects.map(o => {
        const name = /\((.*)\)$/.exec(o.text);
        return o.thread === null && name && !/^made at|^on the stack/.test(name[1]) ? name[1] : o.name;
      });
      this.names = inner.map((name, i) => plain(inner.indexOf(name) === inner.lastIndexOf(name) ? name : this.objects[i].name));
    }
    return this.names[index];
  }
  objectText(index) {
    return this.objects[index] ? plain(this.objects[index].text) : '';
  }
  threadName(index) {
    return this.threads[index] ? plain(this.threads[index].name) : '?';
  }
  threadText(index) {
    return this.threads[index] ? plain(this.threads[index].text) : '?';
  }
  placeText(index) {
    const p = this.places[index];
    if (!p)
      return '';
    const file = p.file ? p.file.slice(p.file.lastIndexOf('/') + 1) : null;
    return plain(file ? file + (p.line ? ':' + p.line : '') : p.function || p.module || '');
  }

  addLine(row, kind, words) {
    this.lines.push({
      step: row[ROW.STEP], thread: row[ROW.THREAD], kind, words, event: row[ROW.EVENT] || null,
      object: row[ROW.OBJECT] ?? null, place: row[ROW.PLACE] ?? null
    });
  }

  decision(row) {
    const what = row[ROW.WHAT];
    if (what === 'chooses')
      return 'choose ' + row[ROW.N];
    if (what === 'fails')
      return 'fault: ' + row[ROW.EVENT];
    return verb(row[ROW.EVENT]) + ({
      'times-out': ': timed out', 'wakes-for-no-reason': ': woken for no reason', 'is-cancelled': ': cancelled'
    }[what] || '');
  }

  /* The lines; this.lineOf[i]: that of the i-th row, or the one that it belongs to. */
  makeLines(rows) {
    this.lineOf = new Int32Array(rows.length);
    this.lineOfStep = new Map();
    let access = 0;
    const accessesBefore = step => {
      for (; access < this.accesses.length && this.accesses[access].step < step; access++) {
        const a = this.accesses[access], last = this.lines[this.lines.length - 1];
        const line = {
          step: a.step, thread: a.thread, kind: 'access', event: null, object: null, place: a.place,
          words: [plain(a.text || 'access').replace(/ at 0x[0-9a-f]+$/, ''), a.object && plain(a.object).replace(/^variable /, '')].filter(Boolean).join(', ')
        };
        if (last && last.step === a.step && last.thread === a.thread && this.placeText(last.place) === this.placeText(a.place)) // the decision was about it
          this.lines[this.lines.length - 1] = Object.assign(line, {decision: last.decision || DECISIONS.has(last.kind)});
        else
          this.lines.push(line);
      }
    };
    rows.forEach((row, i) => {
      const what = row[ROW.WHAT];
      if (DECISIONS.has(what)) {
        accessesBefore(row[ROW.STEP]);
        this.lineOfStep.set(row[ROW.STEP], this.lines.length);
        this.addLine(row, what === 'does' ? 'does' : what, this.decision(row));
      } else if (what === 'waits') {
        this.addLine(row, 'waits', waiting(row[ROW.EVENT], row[ROW.OBJECT]));
      } else if (what === 'gives') {
        const last = this.lines[this.lines.length - 1]; // mostly this is what the decision was about
        if (!last || last.thread !== row[ROW.THREAD] || last.object !== row[ROW.OBJECT] || !/unlock/.test(last.words))
          this.addLine(row, 'gives', 'unlock');
      } else if (what === 'ends') {
        const last = this.lines[this.lines.length - 1];
        if (!last || last.thread !== row[ROW.THREAD] || last.event !== 'thread_exit')
          this.addLine(row, 'ends', 'end');
      }
      this.lineOf[i] = Math.max(0, this.lines.length - 1);
    });
    accessesBefore(Infinity);
    if (this.end)
      this.lines.push({step: this.steps, thread: this.end.thread, kind: 'end', words: plain(this.end.text), event: null, object: null, place: this.end.place});
    if (!this.lines.length)
      this.lines.push({step: this.steps, thread: null, kind: 'end', words: 'no decision was recorded', event: null, object: null, place: null});
  }

  setState(thread, line, state) {
    const list = this.states[thread];
    if (!list)
      return;
    const last = list[list.length - 1];
    if (last.line === line)
      list.pop();
    list.push(Object.assign({line}, state));
  }

  /* One walk over all rows: states, locks, levels, arrows. */
  follow(rows) {
    const held = new Map(); // object: [{thread, from, shared}]
    const given = new Map(); // object: who gave it back last, and where
    let running = null;
    const close = (object, thread, to) => {
      const holders = held.get(object) || [];
      const at = holders.findIndex(h => h.thread === thread);
      if (at < 0)
        return;
      const [h] = holders.splice(at, 1);
      this.locks.add({thread, object, from: h.from, to, shared: h.shared, over: true});
    };
    const handedOver = (object, thread, line) => {
      const from = given.get(object);
      if (from && from.thread !== thread)
        this.arrows.addEnds({kind: 'order', fromThread: from.thread, toThread: thread, from: from.line, to: line, object});
    };
    if (this.threads.length)
      this.setState(0, 0, {state: 'ready'});
    rows.forEach((row, i) => {
      const thread = row[ROW.THREAD], what = row[ROW.WHAT], line = this.lineOf[i], object = row[ROW.OBJECT] ?? null, other = row[ROW.OTHER] ?? null;
      if (DECISIONS.has(what)) {
        if (running !== null && running !== thread && this.stateOf(running, line).state === 'runs')
          this.setState(running, line, {state: 'ready'});
        running = thread;
        this.setState(thread, line, {state: 'runs'});
        return;
      }
      switch (what) {
      case 'waits':
        this.setState(thread, line, {state: 'waits', object, event: row[ROW.EVENT], place: row[ROW.PLACE] ?? null, cases: []});
        break;
      case 'or-for': {
        const state = this.stateOf(thread, line);
        if (state.state === 'waits')
          state.cases.push(object);
        break;
      }
      case 'may-go-on':
        if (this.stateOf(thread, line).state === 'waits') {
          const since = this.stateOf(thread, line).line;
          this.setState(thread, line > since ? line : since, {state: 'ready'});
          if (other !== null && other !== thread)
            this.arrows.addEnds({kind: 'woken', fromThread: other, toThread: thread, from: line, to: line, object});
        }
        break;
      case 'takes': {
        const list = held.get(object) || [];
        for (const [o, holders] of held)
          for (const h of holders)
            if (h.thread === thread && o !== object)
              this.addOrder(o, object, thread, line);
        list.push({thread, from: line, shared: row[ROW.N] === 1});
        held.set(object, list);
        handedOver(object, thread, line);
        break;
      }
      case 'gives':
        close(object, thread, line);
        given.set(object, {thread, line});
        break;
      case 'level': {
        const list = this.levels.get(object) || [];
        list.push([line, row[ROW.N]]);
        this.levels.set(object, list);
        break;
      }
      case 'makes':
        this.setState(other, line, {state: 'ready'});
        this.arrows.addEnds({kind: 'makes', fromThread: thread, toThread: other, from: line, to: line});
        break;
      case 'ends':
        this.setState(thread, line, {state: 'ended'});
        break;
      case 'after': {
        const from = this.lineOfStep.get(row[ROW.N]);
        if (from !== undefined)
          this.arrows.addEnds({kind: 'order', fromThread: other, toThread: thread, from, to: line, object});
        break;
      }
      }
    });
    const last = this.lines.length - 1;
    for (const [object, holders] of held)
      for (const h of holders)
        this.locks.add({thread: h.thread, object, from: h.from, to: last, shared: h.shared, over: false});
  }
  addOrder(held, took, thread, line) {
    const key = held + ' ' + took;
    const known = this.orders.get(key);
    if (known)
      known.threads.add(thread);
    else
      this.orders.set(key, {held, took, threads: new Set([thread]), line});
  }

  /* The threads and objects that the finding is about. */
  matters() {
    this.aboutThreads = new Set();
    this.aboutObjects = new Set();
    for (const list of [this.waitsAtEnd, this.holdsAtEnd, this.couldWake, this.wouldWake, this.lockHeld, this.lockTook])
      for (const [thread, object] of list) {
        this.aboutThreads.add(thread);
        this.aboutObjects.add(object);
      }
    for (const a of this.accesses)
      this.aboutThreads.add(a.thread);
    this.important = new Set();
    this.lines.forEach((l, i) => {
      if (l.kind === 'access' || l.kind === 'end' || (this.moments.has(l.step) && this.lineOfStep.get(l.step) === i))
        this.important.add(i);
    });
    const last = this.lines.length - 1;
    for (const [thread, object] of this.waitsAtEnd) {
      const s = this.stateOf(thread, last);
      if (s.state === 'waits' && (s.object === object || s.cases.includes(object)))
        this.important.add(s.line);
      this.aboutThreads.add(thread);
    }
    for (const i of this.important)
      if (this.lines[i].thread !== null)
        this.aboutThreads.add(this.lines[i].thread);
  }

  stateOf(thread, line) {
    const list = this.states[thread];
    return list[Math.max(0, lastAtMost(list, line, s => s.line))];
  }
  levelAt(object, line) {
    const list = this.levels.get(object) || [], at = lastAtMost(list, line, l => l[0]);
    return at < 0 ? null : list[at][1];
  }
  /* "1/1 +1": more than there is room for has been handed to receivers that wait. */
  levelText(object, n) {
    const room = this.objects[object].room;
    return room > 0 && n <= room ? `${n}/${room}` : room > 0 && this.objects[object].kind === 'channel' ? `${room}/${room} +${n - room}` : String(n);
  }
  /* Who holds an object after a line. */
  holdersAt(line) {
    const held = [];
    for (const span of this.locks.touching(line, line))
      if (span.to > line || !span.over)
        held.push(span);
    return held;
  }
  /* Where a thread was last, or is about to go on. */
  placeAt(thread, line) {
    const state = this.stateOf(thread, line);
    if (state.state === 'waits' && state.place !== null)
      return state.place;
    const list = this.linesOf(thread), at = lastAtMost(list, line, i => i);
    for (let i = at; i >= 0; i--)
      if (this.lines[list[i]].place !== null)
        return this.lines[list[i]].place;
    return null;
  }
  linesOf(thread) {
    if (!this.byThread) {
      this.byThread = this.threads.map(() => []);
      this.lines.forEach((l, i) => this.byThread[l.thread] && this.byThread[l.thread].push(i));
    }
    return this.byThread[thread];
  }

  /* "step 5: T1 (deposit) lock accounts, at abba.c:9" */
  describe(line) {
    const l = this.lines[line];
    const at = l.place !== null ? ', at ' + this.placeText(l.place) : '';
    const object = l.object !== null ? ' ' + this.objectName(l.object) : '';
    return `step ${l.step}: ${l.thread === null ? '' : this.threadText(l.thread)}: ${l.words}${object}${at}`;
  }
  stateText(state) {
    switch (state.state) {
    case 'runs': return 'runs';
    case 'ready': return 'could run';
    case 'ended': return 'has ended';
    case 'waits': {
      if (state.cases.length)
        return 'waits in select, for ' + [...new Set(state.cases)].filter(o => o !== null).map(o => this.objectText(o)).join(' or ');
      return waiting(state.event, state.object) + (state.object !== null ? ' ' + this.objectText(state.object) : '');
    }
    default: return 'is not there yet';
    }
  }

  /* Who waits for whom after a line: nodes and edges for draw(). */
  waitsFor(line) {
    const graph = new Graph();
    const end = line === this.lines.length - 1;
    const held = this.holdersAt(line);
    const wanted = new Set();
    this.threads.forEach((t, thread) => {
      const state = this.stateOf(thread, line);
      if (state.state !== 'waits')
        return;
      for (const object of state.cases.length ? new Set(state.cases) : [state.object]) {
        if (object === null || object === undefined)
          continue;
        const joined = this.objects[object].thread;
        if (joined !== null) {
          graph.edge(this.threadNode(thread), this.threadNode(joined), 'waits for the end of');
        } else {
          wanted.add(object);
          graph.edge(this.threadNode(thread), this.objectNode(object), 'waits for');
        }
      }
    });
    const holds = held.map(h => [h.thread, h.object]);
    if (end) // what is held without being a lock: units of semaphores, channels
      for (const [thread, object] of this.holdsAtEnd)
        if (!holds.some(([t, o]) => t === thread && o === object) && this.objects[object].thread === null)
          holds.push([thread, object]);
    for (const [thread, object] of holds)
      if (wanted.has(object))
        graph.edge(this.objectNode(object), this.threadNode(thread), 'held by');
    if (end)
      for (const [list, words] of [[this.wouldWake, 'would come from'], [this.couldWake, 'could have come from']])
        for (const [thread, object] of list)
          if (wanted.has(object))
            graph.edge(this.objectNode(object), this.threadNode(thread), words);
    graph.markCycles(edge => edge.label !== 'could have come from');
    return graph;
  }
  threadNode(thread) {
    return {id: 't' + thread, text: this.threadText(thread), shape: 'thread'};
  }
  objectNode(object) {
    return {id: 'o' + object, text: this.objectText(object), shape: 'object'};
  }

  /* Which lock is taken while which is held: in this schedule, and about to be at its end. */
  lockOrder() {
    const graph = new Graph();
    const last = this.lines.length - 1;
    const add = (held, took, thread) => {
      if (this.objects[held].thread === null && this.objects[took].thread === null && held !== took)
        graph.edge(this.objectNode(held), this.objectNode(took), this.threadName(thread));
    };
    for (const o of this.orders.values())
      for (const thread of o.threads)
        add(o.held, o.took, thread);
    this.threads.forEach((t, thread) => {
      const state = this.stateOf(thread, last);
      if (state.state === 'waits' && state.object !== null && this.isLock(state.object))
        for (const h of this.holdersAt(last))
          if (h.thread === thread)
            add(h.object, state.object, thread);
    });
    this.lockHeld.forEach(([thread, held], i) => {
      if (this.lockTook[i])
        add(held, this.lockTook[i][1], thread);
    });
    graph.markCycles(() => true);
    return graph;
  }
  isLock(object) {
    return /mutex|rwlock|spinlock|lock|once/.test(this.objects[object].kind);
  }
}
