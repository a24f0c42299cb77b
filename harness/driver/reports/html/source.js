/* The source beside a timeline: the place of the current line, and where the other threads are. */

class SourcePane {
  constructor(story) {
    this.story = story;
    this.title = make('h5', {}, 'Source');
    this.body = make('div', {class: 'code', tabindex: '0', role: 'group', 'aria-label': 'Source'});
    this.element = make('div', {class: 'source'}, this.title, this.body);
  }

  range(file, line) {
    return this.story.sources.find(s => s.file === file && line >= s.first && line < s.first + s.lines.length);
  }

  /* One line, with what is at `column` marked. */
  words(text, column) {
    text = plain(text).replace(/\t/g, '        ');
    if (!column || column > text.length)
      return [text];
    const rest = text.slice(column - 1), end = Math.max(1, (/^[A-Za-z_0-9.>-]+/.exec(rest) || [''])[0].length);
    return [text.slice(0, column - 1), make('mark', {}, rest.slice(0, end)), rest.slice(end)];
  }

  show(index, others) {
    const place = this.story.places[index];
    if (!place || !place.file || !place.line) {
      this.title.textContent = 'Source';
      this.body.replaceChildren(make('p', {}, place && place.function ? `No line is known: ${plain(place.function)}, in ${plain(place.module || '?')}.` : 'This line has no place in the source.'));
      return;
    }
    this.title.textContent = plain(`${place.function || '?'}, ${place.file}:${place.line}`);
    const range = this.range(place.file, place.line);
    if (!range) {
      this.body.replaceChildren(make('p', {}, 'The file was not found when this was written.'));
      return;
    }
    const at = new Map();
    for (const [thread, where] of others) {
      const p = this.story.places[where];
      if (p && p.file === place.file && p.line)
        at.set(p.line, (at.get(p.line) || []).concat(this.story.threadName(thread)));
    }
    const rows = range.lines.map((line, i) => {
      const number = range.first + i, here = number === place.line, who = at.get(number);
      const row = make('div', {class: 'code-line' + (here ? ' here' : '')},
        make('span', {class: 'who'}, who ? who.join(' ') : ''), make('span', {class: 'number'}, String(number)),
        make('code', {}, ...this.words(line, here ? place.column : 0)));
      if (here)
        row.setAttribute('aria-current', 'true');
      return row;
    });
    this.body.replaceChildren(...rows);
    const here = this.body.querySelector('.here');
    this.body.scrollTop = here.offsetTop - this.body.offsetTop - this.body.clientHeight / 2 + here.offsetHeight / 2;
  }
}
