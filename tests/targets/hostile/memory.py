# exit: 1
# stderr: any
# on: all
# outcome: raised MemoryError
# MemoryError, as when the machine has no more; the limit stays in force while the result is written.
import resource

for i in range(1000):
    i += 1  #= 1000
with open("/proc/self/statm") as statm:
    now = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20), now + (64 << 20)))
held = []
while True:
    held.append(bytearray(1 << 20))
