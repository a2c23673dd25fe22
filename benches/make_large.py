"""Write a program with many code objects, each of which runs.

    python make_large.py DIR [--codes 2000] [--instructions 100000]

DIR/large.py has `run(rounds)`, which calls every function of the modules beside it that many
times. Code objects and instructions are counted in what the running interpreter compiles; the
numbers reached, at least those asked for, are printed.
"""

import argparse
import dis
import types
from pathlib import Path

PER_MODULE = 100
STATEMENTS = (
    "    total = total * 3 % 1000003 + a",
    "    if total & {n}:\n        total -= b",
    "    total = max(total, {n}) - items[{k}]",
    "    items[{k}] = total",
    "    total += len(name) if a > b else {n}",
)


def function(index, statements):
    lines = [f"def f{index}(a, b=({index}), name='f{index}'):", "    total = a", "    items = [a, b, 3, 4]"]
    for k in range(statements):
        lines.append(STATEMENTS[(index + k) % len(STATEMENTS)].format(n=index + k + 1, k=k % 4))
    lines.append("    return total")
    return "\n".join(lines)


def module(start, count, statements):
    functions = [function(index, statements) for index in range(start, start + count)]
    every = ", ".join(f"f{index}" for index in range(start, start + count))
    return "\n\n\n".join(functions) + f"\n\n\nFUNCTIONS = [{every}]\n"


def measure(text):
    """Code objects and instructions of a module's text."""
    codes, instructions, waiting = 0, 0, [compile(text, "large", "exec")]
    while waiting:
        code = waiting.pop()
        codes += 1
        instructions += sum(1 for _ in dis.get_instructions(code))
        waiting.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return codes, instructions


def write(folder, codes=2000, instructions=100_000):
    """Write the program; the code objects and instructions it has."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    statements = 1
    while measure(function(0, statements))[1] * codes < instructions:
        statements += 1
    totals = [0, 0]
    names = []
    for start in range(0, codes, PER_MODULE):
        names.append(f"part{start // PER_MODULE:03}")
        text = module(start, min(PER_MODULE, codes - start), statements)
        (folder / f"{names[-1]}.py").write_text(text, "utf-8")
        totals = [total + more for total, more in zip(totals, measure(text))]
    imports = "\n".join(f"import {name}" for name in names)
    modules = ", ".join(names)
    text = f'''"""Calls every function of every part."""

{imports}


# bytecost: run(20)
def run(rounds):
    total = 0
    for turn in range(rounds):
        for part in ({modules}):
            for function in part.FUNCTIONS:
                total ^= function(turn)
    return total


if __name__ == "__main__":
    print(run(20))
'''
    (folder / "large.py").write_text(text, "utf-8")
    return tuple(total + more for total, more in zip(totals, measure(text)))


def main():
    parser = argparse.ArgumentParser(description="write a program with many code objects")
    parser.add_argument("folder")
    parser.add_argument("--codes", type=int, default=2000)
    parser.add_argument("--instructions", type=int, default=100_000)
    arguments = parser.parse_args()
    codes, instructions = write(arguments.folder, arguments.codes, arguments.instructions)
    print(f"{codes} code objects, {instructions} instructions")


if __name__ == "__main__":
    main()
