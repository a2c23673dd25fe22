# exit: 1
# on: all
# outcome: killed SIGSEGV
# stderr: any
import ctypes

print("before", flush=True)


def crash():
    ctypes.string_at(0)


crash()
