# on: all
# outcome: completed
# note: started child processes
import multiprocessing


def work(n):
    total = 0
    for i in range(n):
        total += i  #= 1000
    return total


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    work(1000)
    with context.Pool(2) as pool:
        print(pool.map(work, [100_000, 100_001]))
