# exit: 1
# outcome: killed SIGSEGV
# stderr: any
import os
import signal

for i in range(1000):
    i += 1
os.kill(os.getpid(), signal.SIGSEGV)
