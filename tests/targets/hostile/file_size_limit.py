# exit: 1
# outcome: exited 0
# note: left no result
# Nothing can be written: said, not hidden.
import resource

for i in range(1000):
    i += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
