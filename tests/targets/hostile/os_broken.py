# on: all
# outcome: completed
# stderr: any
import os
import posixpath


def broken(*a, **k):
    raise RuntimeError("broken os")


for name in ("open", "write", "close", "replace", "getpid", "times", "getcwd", "fspath", "stat", "lstat"):
    setattr(os, name, broken)
for name in ("join", "realpath", "basename", "dirname", "isabs"):
    setattr(posixpath, name, broken)
for i in range(1000):
    i += 1  #= 1000
