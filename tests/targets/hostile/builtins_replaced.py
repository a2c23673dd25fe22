# on: all
# outcome: completed
# stderr: any
import builtins


def broken(*a, **k):
    raise RuntimeError("broken builtin")


for name in ("len", "print", "isinstance", "getattr", "id", "repr", "open", "type", "compile", "__import__"):
    setattr(builtins, name, broken)
for i in range(1000):
    i += 1  #= 1000
