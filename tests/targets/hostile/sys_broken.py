# on: all
# outcome: completed
# stderr: any
import sys

for name in ("stdout", "stderr", "modules", "flags", "path", "argv", "excepthook", "settrace", "_getframe", "exit"):
    delattr(sys, name)
for i in range(1000):
    i += 1  #= 1000
