"""For gdb: `goroutines` lists a program's goroutines, each with its stack.

    gdb -x goroutines.py ./program          or in gdb: source goroutines.py

Goroutines that are threads are found by their threads. Of those that are fibres (HEDDLE_LIB=fibres) most
have no thread: where one is at rest its registers lie on its stack, and are put into the selected thread
for as long as that is printed. In a core file they cannot be, so that there only their names are printed.
"""
import gdb

SAVED = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")  # as hdi_switch() leaves them, above two words of modes


def variable(file, name):
    return gdb.parse_and_eval("'%s'::%s" % (file, name))


def title(goroutine):
    name = goroutine["name"].string()
    return "goroutine %d%s" % (int(goroutine["number"]), " (%s)" % name if name else "")


def of_threads():
    """Thread and goroutine, of each thread that runs one."""
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
        thread.switch()
        goroutine = gdb.parse_and_eval("hdi_mine")["current"]
        if int(goroutine):
            yield thread, goroutine.dereference()


def at_rest():
    """The fibres that no thread runs."""
    workers = variable("fibre.c", "workers")
    running = set()
    for i in range(int(variable("fibre.c", "worker_end"))):
        running.add(int(workers[i]["running"]))
    kind = gdb.lookup_type("struct hdi_fibre")
    process = int(gdb.parse_and_eval("hdi_process"))
    slab = variable("fibre_stack.c", "slabs")
    while int(slab):
        for i in range(int(slab["count"])):
            low = int(slab["first"]) + i * int(slab["bytes"])
            fibre = gdb.Value(low + int(slab["bytes"]) - kind.sizeof).cast(kind.pointer())
            mine = int(fibre["stack"]["low"]) == low and int(fibre["stack"]["bytes"]) == int(slab["bytes"])
            if mine and int(fibre) not in running and int(fibre["process"]) == process:
                yield fibre.dereference()
        slab = slab["next"]


def print_at_rest(fibre):
    word = gdb.lookup_type("unsigned long")
    sp = int(fibre["sp"])
    registers = {"rsp": sp + 8 * (1 + len(SAVED))}
    for i, name in enumerate(SAVED):
        registers[name] = int(gdb.Value(sp + 8 * (1 + i)).cast(word.pointer()).dereference())
    gdb.execute("frame 0", to_string=True)
    before = {name: int(gdb.parse_and_eval("(unsigned long)$" + name)) for name in (*registers, "orig_rax")}
    try:
        for name, value in registers.items():
            gdb.execute("set $%s = %d" % (name, value))
        gdb.execute("backtrace")
    except gdb.error as error:
        gdb.write("  its stack cannot be shown: %s\n" % error)
    finally:
        for name, value in before.items():
            try:
                gdb.execute("set $%s = %d" % (name, value))
            except gdb.error:
                pass


class Goroutines(gdb.Command):
    """List the goroutines of heddle's library, each with its stack."""

    def __init__(self):
        super().__init__("goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not gdb.selected_thread():
            raise gdb.GdbError("No process runs.")
        home = gdb.selected_thread()
        listed = 0
        try:
            for thread, goroutine in of_threads():
                gdb.write("%s, in thread %d\n" % (title(goroutine), thread.num))
                gdb.execute("backtrace")
                listed += 1
            home.switch()
            for fibre in at_rest():
                parker = fibre["parker"]
                waits = int(parker) and int(parker["go"]) == 2
                goroutine = fibre["room"].cast(gdb.lookup_type("struct goroutine").pointer()).dereference()
                gdb.write("%s, %s\n" % (title(goroutine), "waits" if waits else "is ready to run"))
                print_at_rest(fibre)
                listed += 1
            alive = int(variable("go.c", "alive"))
        except gdb.error as error:
            raise gdb.GdbError("Heddle's library is not in this program, or has no debugging information: %s" % error)
        finally:
            home.switch()
        gdb.write("%d goroutines\n" % listed)
        if alive > listed:
            gdb.write("%d more are between two steps\n" % (alive - listed))


Goroutines()
