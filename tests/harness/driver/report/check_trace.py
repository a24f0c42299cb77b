#!/usr/bin/env python3
"""Is a file as the format of Chrome trace events has it? check_trace.py FILE THREADS

Of each event the fields that its phase needs, of slices of one thread that none cuts another, that what begins ends,
and that both ends of a flow lie in slices of their threads. Each process must have THREADS named threads.
"""
import collections
import json
import sys


def fail(words, event=None):
    sys.exit(f"{sys.argv[1]}: {words}: {json.dumps(event)}" if event else f"{sys.argv[1]}: {words}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    if document.get("displayTimeUnit") not in ("ms", "ns") or not isinstance(document.get("traceEvents"), list):
        fail("no object with traceEvents")
    events = document["traceEvents"]
    slices, flows, open_, named = collections.defaultdict(list), {}, {}, collections.defaultdict(set)
    phases = collections.Counter(e.get("ph") for e in events)
    for e in events:
        if not isinstance(e.get("name"), str) or not all(isinstance(e.get(k), int) for k in ("pid", "tid", "ts")) or e["ts"] < 0:
            fail("an event without name, pid, tid or ts", e)
        ph = e["ph"]
        if ph == "X":
            if not isinstance(e.get("dur"), int) or e["dur"] < 0:
                fail("a slice without a duration", e)
            slices[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"]))
        elif ph in "be":
            key = e["pid"], e["cat"], e["id"], e["name"]
            open_[key] = open_.get(key, 0) + (1 if ph == "b" else -1)
            if open_[key] < 0:
                fail("it ends before it begins", e)
        elif ph in "sf":
            if ph == "f" and e.get("bp") != "e":
                fail("a flow that does not end in the slice around it", e)
            flows.setdefault((e["pid"], e["cat"], e["name"], e["id"]), {}).setdefault(ph, []).append(e)
        elif ph == "C":
            if not e["args"] or not all(isinstance(v, (int, float)) for v in e["args"].values()):
                fail("a counter without numbers", e)
        elif ph == "M":
            if e["name"] == "thread_name":
                named[e["pid"]].add(e["tid"])
            if e["name"] not in ("thread_name", "process_name", "thread_sort_index", "process_sort_index") or "args" not in e:
                fail("metadata of no known kind", e)
        else:
            fail("a phase that it has not", e)
    for thread, list_ in slices.items():
        list_.sort()
        for (_, end), (begin, _) in zip(list_, list_[1:]):
            if begin < end:
                fail(f"slices of {thread} overlap at {begin}")
        if thread[1] not in named[thread[0]]:
            fail(f"the thread {thread} has no name")
    if any(open_.values()):
        fail("something never ends")
    for key, ends in flows.items():
        if sorted(ends) != ["f", "s"] or any(len(e) != 1 for e in ends.values()):
            fail(f"the flow {key} has not two ends")
        start, finish = ends["s"][0], ends["f"][0]
        if start["ts"] > finish["ts"]:
            fail("a flow goes back in time", start)
        for e in start, finish:
            if not any(a <= e["ts"] <= b for a, b in slices[e["pid"], e["tid"]]):
                fail("a flow begins or ends beside all slices", e)
    if not named or any(len(threads) != int(sys.argv[2]) for threads in named.values()):
        fail(f"not {sys.argv[2]} threads: {dict(named)}")
    if not phases["X"]:
        fail("no slice")
    print(" ".join(f"{phase}:{count}" for phase, count in sorted(phases.items())))


main()
