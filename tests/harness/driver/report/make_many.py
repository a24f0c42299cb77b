#!/usr/bin/env python3
"""make_many.py FROM TO: a folder as heddle run writes it, with 50 findings; the first one of 100,000 steps, made up
from the finding in FROM."""
import copy
import json
import os
import sys

STEPS = 100000


def main():
    source, to = sys.argv[1:]
    with open(f"{source}/report.json", encoding="utf-8") as file:
        document = json.load(file)
    report = document["tests"][0]["report"]
    one = next(f for f in report["findings"] if f["kind"] == "deadlock")
    with open(f"{source}/{os.path.basename(one['story_file'])}", encoding="utf-8") as file:
        story = json.load(file)
    os.makedirs(to)
    report["findings"] = []
    for number in range(1, 51):
        f = copy.deepcopy(one)
        f.update(name=f"deadlock-{number}", fingerprint=f"{number:016x}", same_as=None, same_cause=None,
                 story_file=f"{to}/deadlock-{number}.story.json")
        report["findings"].append(f)
        if number > 1:
            with open(f["story_file"], "w", encoding="utf-8") as file:
                json.dump(story, file)
    # Two threads take a lock in turns, before what the story tells.
    begin = [r for r in story["rows"] if r[0] <= 4]
    mutex = next(i for i, o in enumerate(story["objects"]) if o["kind"] == "mutex")
    place = next(r[5] for r in story["rows"] if r[2] == "takes")
    more = STEPS - story["steps"]
    rows = begin[:]
    for i in range(more // 2):
        step, thread = 5 + 2 * i, 1 + i // 5 % 2
        rows += [[step, thread, "does", "mutex_lock", mutex, place], [step, thread, "takes", "mutex_lock", mutex, place],
                 [step + 1, thread, "does", "mutex_unlock", mutex, place], [step + 1, thread, "gives", "mutex_unlock", mutex, place]]
    shift = 2 * (more // 2)
    rows += [[r[0] + shift, *r[1:]] for r in story["rows"] if r[0] > 4]
    story.update(rows=rows, steps=story["steps"] + shift, moments=[m + shift for m in story["moments"]])
    with open(f"{to}/deadlock-1.story.json", "w", encoding="utf-8") as file:
        json.dump(story, file)
    with open(f"{to}/report.json", "w", encoding="utf-8") as file:
        json.dump(document, file)


main()
