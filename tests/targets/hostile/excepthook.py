# exit: 1
# outcome: raised ValueError: seen
import sys


def hook(kind, error, trace):
    print("hooked", kind.__name__, error, trace.tb_lineno, trace.tb_next, file=sys.stderr)  #= 1


sys.excepthook = hook
for i in range(1000):
    i += 1  #= 1000
raise ValueError("seen")
