# on: all
# outcome: completed
# stderr: any
import threading


def spin(ready):
    ready.set()
    while True:
        pass


ready = threading.Event()
threading.Thread(target=spin, args=(ready,), daemon=True).start()
ready.wait()
for i in range(1000):
    i += 1  #= 1000
print("main done")
