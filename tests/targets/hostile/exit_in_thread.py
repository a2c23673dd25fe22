# outcome: completed
import sys
import threading


def work():
    for i in range(1000):
        i += 1  #= 1000
    sys.exit(5)


thread = threading.Thread(target=work)
thread.start()
thread.join()
