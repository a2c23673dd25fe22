# exit: 1
# stderr: any
# on: all
# outcome: raised MemoryError
# Small objects use up the last page, and nothing is let go.
import resource


def work(n):
    for i in range(n):
        i += 1  #= 1000


work(1000)
with open("/proc/self/statm") as statm:
    now = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (24 << 20), now + (24 << 20)))
held = []
while True:
    held = [held]
