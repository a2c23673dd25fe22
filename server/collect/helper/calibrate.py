"""What each example of the catalogue costs more than its remedy, on this interpreter and machine.

    python calibrate.py FILE

FILE holds a list of `[id, [source, call], [source, call]]` as JSON. Prints one `id<TAB>nanoseconds` a
line: the minimum over rounds of a call of the example, less that of the remedy.
"""

import json
import sys
import time
import types

ROUNDS = 7
BATCH_NS = 300_000  # a batch is as long as this
WARM = 300  # calls before anything is timed


def timed(loop, calls):
    started = time.perf_counter_ns()
    loop(range(calls))
    return (time.perf_counter_ns() - started) / calls


def prepare(name, source, call):
    """A loop over the call, in a module of its own."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    scope = {}
    exec(compile(f"def loop(it):\n for _ in it:\n  {call}\n", "<call>", "exec"), module.__dict__, scope)
    scope["loop"](range(WARM))
    calls = 1
    while timed(scope["loop"], calls) * calls < BATCH_NS and calls < 1 << 20:
        calls *= 2
    return scope["loop"], calls


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        entries = json.load(file)
    for identifier, before, after in entries:
        try:
            one, other = prepare("before", *before), prepare("after", *after)
            rounds = [(timed(*one), timed(*other)) for _ in range(ROUNDS)]
        except Exception as error:
            print(f"{identifier}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        saved = min(pair[0] for pair in rounds) - min(pair[1] for pair in rounds)
        print(f"{identifier}\t{saved:.2f}", flush=True)


main()
