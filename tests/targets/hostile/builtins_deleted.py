# on: all
# outcome: completed
# stderr: any
import builtins
import sys

write = sys.stdout.write
for name in ("len", "print", "open", "isinstance", "dict", "list", "type", "getattr", "id", "hasattr", "any",
             "Exception", "BaseException", "ValueError", "OSError", "min", "max", "repr", "str", "int", "super",
             "tuple", "set", "compile", "eval", "zip", "sorted", "iter", "next", "__import__"):
    delattr(builtins, name)
for i in range(1000):
    i += 1  #= 1000
write("done\n")
