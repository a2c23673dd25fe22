# exit: 1
# outcome: killed SIGKILL
import os
import signal

for i in range(1000):
    i += 1
os.kill(os.getpid(), signal.SIGKILL)
