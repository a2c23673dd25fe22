# on: all
# outcome: completed
import os
import sys

print(sorted(name for name in os.environ if name.startswith("PYTHON") or "bytecost" in os.environ[name].lower()))
print(sys.argv, sys.flags.hash_randomization, __name__, __file__, sys.path[0])
print(sorted(set(globals())), type(__loader__).__name__, sys.modules["__main__"].__dict__ is globals())
print([name for name in sys.modules if "bytecost" in name])
print(sys.getrecursionlimit(), __annotations__ if "__annotations__" in globals() else None)
for i in range(1000):
    i += 1  #= 1000
