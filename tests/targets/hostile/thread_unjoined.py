# on: all
# outcome: completed
# The interpreter waits for it at exit.
import threading
import time


def work():
    time.sleep(0.1)
    for i in range(1000):
        i += 1  #= 1000
    print("thread done")


threading.Thread(target=work).start()
print("main done")
