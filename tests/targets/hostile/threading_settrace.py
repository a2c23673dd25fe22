# on: all
# outcome: completed
import threading

seen = []


def tracer(frame, event, arg):
    seen.append(event)
    return None


def work(n):
    for i in range(n):
        i += 1  #= 1000


threading.settrace(tracer)
threading.setprofile(tracer)
thread = threading.Thread(target=work, args=(1000,))
thread.start()
thread.join()
