# on: all
# outcome: completed
import threading

lock = threading.Lock()


def work(n):
    for i in range(n):
        i += 1  #= 6000
    with lock:
        pass


threads = [threading.Thread(target=work, args=(n * 1000,)) for n in (1, 2, 3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
