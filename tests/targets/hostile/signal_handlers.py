# on: all
# outcome: completed
import os
import signal


def handler(number, frame):
    for i in range(100):
        i += 1  #= 300
    print("signal", number)


for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM):
    signal.signal(number, handler)
    os.kill(os.getpid(), number)
for i in range(1000):
    i += 1  #= 1000
print(signal.getsignal(signal.SIGINT))
