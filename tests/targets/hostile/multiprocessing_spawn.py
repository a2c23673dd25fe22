# on: all
# outcome: completed
# note: started child processes
import multiprocessing


def work(n, queue):
    total = 0
    for i in range(n):
        total += i  #= 1000
    if queue:
        queue.put(total)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    work(1000, None)
    queue = context.SimpleQueue()
    child = context.Process(target=work, args=(2000, queue))
    child.start()
    print(queue.get())
    child.join()
