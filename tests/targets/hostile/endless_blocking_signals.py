# on: 3.14
# run: --time 1 FILE
# plain: no
# exit: 1
# outcome: timed-out
import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
while True:
    pass
