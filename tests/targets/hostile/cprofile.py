# on: all
# outcome: completed
import cProfile


def work(n):
    for i in range(n):
        i += 1  #= 1000


profile = cProfile.Profile()
profile.runcall(work, 1000)
print(len(profile.getstats()) > 0)
