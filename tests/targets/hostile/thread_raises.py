# outcome: completed
import threading


def work():
    for i in range(1000):
        i += 1  #= 1000
    raise ValueError("in a thread")


thread = threading.Thread(target=work)
thread.start()
thread.join()
