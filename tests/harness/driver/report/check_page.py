#!/usr/bin/env python3
"""The HTML report in a browser: check_page.py CHROMIUM FOLDER

FOLDER has the pages that test_report.sh writes: deadlock.html, channel.html, ring.html, hostile.html, nothing.html, damaged.html,
many.html. Each is opened, used by mouse and keyboard, in light and dark, wide and narrow. None may log an error or ask for
another file.
"""
import os
import re
import sys

from browser import Browser, Trouble

WAIT = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"


class Check:
    def __init__(self, browser, folder):
        self.browser, self.folder, self.page, self.failed = browser, folder, "", False

    def fail(self, words):
        print(f"FAILED: {self.page}: {words}")
        self.failed = True

    def same(self, what, is_, should):
        if is_ != should:
            self.fail(f"{what}: {is_!r}, not {should!r}")

    def like(self, what, is_, pattern):
        """Which schedule it is, and so the number of a step, is not this test's affair."""
        if not re.fullmatch(pattern, is_ or ""):
            self.fail(f"{what}: {is_!r}, not as {pattern!r}")

    def true(self, what, script):
        if not self.browser.run(script):
            self.fail(what)

    def text(self, selector):
        return self.browser.run(f"(document.querySelector({selector!r}) || {{textContent: null}}).textContent")

    def where(self):
        self.browser.run(WAIT)
        return self.text(".where")

    def open(self, page, mounted=True):
        self.page = page
        self.browser.errors.clear()
        self.browser.requests.clear()
        self.browser.open(os.path.join(self.folder, page))
        if mounted:
            self.browser.wait("!!document.querySelector('.scroller')")
            self.browser.run(WAIT)

    def close(self):
        self.browser.run(WAIT)
        if self.browser.errors:
            self.fail("errors: " + "; ".join(self.browser.errors))
        if [u for u in self.browser.requests if not u.endswith(self.page) and not u.startswith("data:,")]:
            self.fail(f"it loads {self.browser.requests}")
        self.well_made()

    def well_made(self):
        """What a screen reader needs."""
        levels = self.browser.run("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
        self.same("headings of level 1", levels.count(1), 1)
        for before, after in zip(levels, levels[1:]):
            if after > before + 1:
                self.fail(f"a heading of level {after} below one of {before}")
        self.same("tables without caption or heads", self.browser.run(
            "[...document.querySelectorAll('table')].filter(t => !t.caption || !t.querySelector('th[scope]')).length"), 0)
        self.same("drawings that are neither named nor hidden", self.browser.run(
            "[...document.querySelectorAll('svg, canvas')].filter(s => !(s.closest('[aria-hidden=true]') || s.getAttribute('role') === 'img' && s.getAttribute('aria-label'))).length"), 0)
        self.same("controls without a name", self.browser.run(
            "[...document.querySelectorAll('button, input')].filter(c => !(c.textContent || c.labels && c.labels[0] && c.labels[0].textContent).trim()).length"), 0)
        self.same("the language", self.browser.run("document.documentElement.lang"), "en")
        ids = self.browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
        self.same("ids that stand twice", len(ids) - len(set(ids)), 0)

    def press(self, *keys):
        for key in keys:
            self.browser.key(key)

    def click(self, script):
        """Click the middle of an element."""
        box = self.browser.run(f"(() => {{ const e = {script}; e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        self.browser.click(*box)
        self.browser.run(WAIT)

    def button(self, words):
        self.click(f"[...document.querySelectorAll('button')].find(b => b.textContent === {words!r})")

    def box(self, words):
        self.click(f"[...document.querySelectorAll('.filter label')].find(b => b.textContent.trim() === {words!r}).querySelector('input')")

    # ---- the pages ----

    def deadlock(self):
        self.open("deadlock.html")
        self.same("the title", self.text("h1"), "1 finding in abba")
        self.true("the deadlock in the headline", "document.querySelector('h3').textContent.includes('deadlock: T2 and T1 wait for each other')")
        self.true("the last line is shown first", "document.querySelector('.where').textContent.includes('waits for')")
        self.click("document.querySelector('.scroller')")
        self.same("focus", self.browser.run("document.activeElement.className"), "scroller")
        self.press("Home")
        self.like("Home", self.where(), r"step \d+: T0 \(main\): make a thread, at classic\.h:28")
        self.true("nobody waits at the beginning", "document.querySelector('.waits-graph').textContent.includes('nobody waits')")
        self.press("ArrowRight", "ArrowRight")
        self.like("two steps forward", self.where(), r"step \d+: T0 \(main\): waits for the end of T1, at classic\.h:36")
        self.press("ArrowLeft")
        self.like("one step back", self.where(), r"step \d+: T0 \(main\): make a thread, at classic\.h:28")
        self.press("n")
        self.like("the next line that matters", self.where(), r"step \d+: T0 \(main\): waits for the end of T1, at classic\.h:36")
        self.press("n")
        self.like("and the next", self.where(), r"step \d+: T1 \(deposit\): lock accounts, at abba\.c:9")
        self.true("its source", "document.querySelector('.code-line.here').textContent.includes('pthread_mutex_lock(&accounts);')")
        self.true("the place in the line", "document.querySelector('.code-line.here mark').textContent === 'pthread_mutex_lock'")
        self.true("who holds it", "[...document.querySelectorAll('.states tr')].find(r => r.textContent.startsWith('T1')).textContent.includes('accounts')")
        self.press("p", "End", "ArrowRight")
        self.true("End", "document.querySelector('.where').textContent.includes('waits for')")
        self.same("nodes of the cycle", self.browser.run("document.querySelectorAll('.waits-graph .node.cycle').length"), 4)
        self.same("edges of the cycle", self.browser.run("document.querySelectorAll('.waits-graph .edge.cycle').length"), 4)
        self.true("the cycle in words", r"/^Cycle: T\d.* \u2192 mutex M\d.* \u2192 T\d.* \u2192 mutex M\d.* \u2192 T\d/.test(document.querySelector('.waits-graph .cycle-text').textContent)")
        self.same("who waits, in the table", self.browser.run("document.querySelectorAll('.waits-graph tbody tr').length"), 5)
        self.same("the lock order", self.browser.run("document.querySelectorAll('.right .graph-box .node.cycle').length"), 2)
        self.same("bars of locks", self.browser.run("[...document.querySelectorAll('.lanes .lock title')].map(t => t.textContent).sort().join('; ')"),
                  "T1 holds mutex M1 (accounts); T2 holds mutex M2 (journal)")
        self.same("lines that wait", self.browser.run("document.querySelectorAll('.lanes .state.waits').length"), 3)
        self.same("arrows", self.browser.run("document.querySelectorAll('.lanes .arrow.makes').length"), 2)
        for words, line in ("First", "step 1:"), ("Forward \u25b6", "step 2:"), ("\u25cf Forward", "step 2: T0 (main): waits"), ("Last", self.browser.run("View.active.story.describe(View.active.story.lines.length - 1)")):
            self.button(words)
            if not self.where().startswith(line):
                self.fail(f"button {words}: {self.where()}")
        self.filter()
        self.table()
        self.close()

    def filter(self):
        all_lines = self.text(".counted")
        count = self.browser.run("View.active.story.lines.length")
        self.same("lines", all_lines, f"{count} of {count} lines, 3 of 3 threads")
        self.click("document.querySelector('.filter summary')")
        self.box("T0 (main)")
        self.same("without T0", self.text(".counted"), f"{count - 3} of {count} lines, 2 of 3 threads")
        self.same("its lane", self.browser.run("document.querySelectorAll('.head-lane').length"), 2)
        self.box("mutex M1 (accounts)")
        self.same("of one object", self.text(".counted"), f"2 of {count} lines, 2 of 3 threads")
        self.button("none")
        self.same("no thread", self.text(".where"), "The filter leaves no line.")
        self.button("all")
        self.box("mutex M1 (accounts)")
        self.same("all again", self.text(".counted"), all_lines)
        self.box("only what matters for this finding")
        self.same("what matters", self.text(".counted"), f"5 of {count} lines, 3 of 3 threads")
        self.box("only what matters for this finding")

    def table(self):
        self.press("t")
        self.true("the table of lines", "!document.querySelector('.lines-table').hidden && document.querySelectorAll('.lines-table tbody tr').length === View.active.story.lines.length")
        self.same("the line in it", self.browser.run("document.querySelectorAll('.lines-table [aria-current=step]').length"), 1)
        self.press("t")
        self.true("and away again", "document.querySelector('.lines-table').hidden")

    def channel(self):
        self.open("channel.html")
        self.true("how full channels are", "document.querySelectorAll('.head-level').length === 2 && [...document.querySelectorAll('.lanes .level')].some(t => t.textContent === '1/1')")
        self.true("who lets whom go on", "View.active.timeline.go(0), true")
        self.browser.run(WAIT)
        for _ in range(30):
            self.browser.run("View.active.timeline.step(1)")
        self.true("arrows of what wakes", "[...View.active.story.arrows.touching(0, 1e6)].some(a => a.kind === 'woken')")
        self.true("arrows of order", "document.querySelectorAll('.lanes .arrow.order').length > 0")
        self.close()

    def ring(self):
        """A cycle through a lock and a channel."""
        self.open("ring.html")
        self.same("nodes of the cycle", self.browser.run("document.querySelectorAll('.waits-graph .node.cycle').length"), 4)
        self.true("who would receive", "[...document.querySelectorAll('.waits-graph .edge.cycle .edge-label')].some(l => l.textContent === 'would come from')")
        self.close()

    def hostile(self):
        self.open("hostile.html")
        self.browser.run("for (const v of document.querySelectorAll('.story')) mount(v)")
        self.true("where it ends", "[...document.querySelectorAll('.where')].some(w => w.textContent.includes('assertion fails: '))")
        for _ in range(40):
            self.browser.run("View.active.timeline.step(-1)")
        self.true("nothing of it ran", "window.owned === undefined")
        self.same("nothing of it is an element", self.browser.run("document.querySelectorAll('img, iframe, object, embed, script:not([type])').length"), 1)
        self.true("the thread's name is shown as it is", "document.body.innerText.includes('</script><img>')")
        self.true("the file's name, too", "document.body.innerText.includes('onerror=owned=1>.c')")
        self.true("and the line of source", "[...document.querySelectorAll('.code-line')].some(l => l.textContent.includes('</script><img src=x onerror=owned=1>'))")
        self.true("and the argument", "document.querySelector('.command').textContent.includes('<script>owned=1</script>')")
        self.true("nothing turns the text around", r"!/[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText)")
        self.close()

    def nothing(self):
        self.open("nothing.html", mounted=False)
        self.true("it says so", "document.body.innerText.includes('Nothing was found.')")
        self.true("what was looked at", "document.querySelector('.looked-at table').rows.length >= 5")
        self.true("what was not", "document.querySelector('.looked-at').textContent.includes('memory accesses were not watched')")
        self.close()

    def damaged(self):
        self.open("damaged.html", mounted=False)
        self.true("it says so", "document.body.innerText.includes('the file with its story is damaged')")
        self.true("the report is there", "document.querySelector('details.whole[open] pre').textContent.includes('Who waits for whom')")
        self.close()

    def many(self):
        """50 findings, one of them of 100,000 steps: no more is drawn than can be seen."""
        self.open("many.html")
        self.same("findings", self.browser.run("document.querySelectorAll('nav a').length"), 50)
        if self.browser.run("document.querySelectorAll('.story[data-mounted]').length") > 5:
            self.fail("all are drawn at once")
        self.true("100,000 steps", "View.active.story.lines.length >= 100000")
        most = 0
        for at in 0, 1, 50000, 99999, 100000, 31415:
            self.browser.run(f"View.active.timeline.go({at}); {WAIT}")
            most = max(most, self.browser.run("document.querySelectorAll('.lanes *').length"))
            self.true(f"line {at}", f"View.active.timeline.current === Math.min({at}, View.active.story.lines.length - 1) && document.querySelectorAll('.lanes .line.now').length === 1")
        if not 20 < most < 1500:
            self.fail(f"{most} elements are drawn")
        self.click("[...document.querySelectorAll('nav a')].pop()")
        self.browser.wait("!!document.querySelector('#finding-50 .scroller')")
        self.close()

    def everywhere(self):
        """Nothing sticks out at any width; light and dark are not the same."""
        grounds = set()
        for width, dark in (1600, False), (1000, True), (390, False), (390, True):
            self.browser.look(width, 900, dark)
            self.open("deadlock.html")
            self.same(f"wider than {width}", self.browser.run("document.documentElement.scrollWidth > innerWidth"), False)
            grounds.add(self.browser.run("getComputedStyle(document.body).backgroundColor"))
            if os.environ.get("PICTURES"):
                self.browser.picture(f"{os.environ['PICTURES']}/{width}-{'dark' if dark else 'light'}.png", whole=True)
        self.same("grounds", len(grounds), 2)


def main():
    browser = Browser(sys.argv[1])
    check = Check(browser, sys.argv[2])
    try:
        browser.look(1400, 900)
        for page in check.deadlock, check.channel, check.ring, check.hostile, check.nothing, check.damaged, check.many, check.everywhere:
            page()
    except Trouble as trouble:
        check.fail(str(trouble))
    finally:
        browser.close()
    sys.exit(check.failed)


main()
