# on: all
# outcome: completed
def work(n):
    for i in range(n):
        i += 1  #= 1000


first = work


def work(n):
    for i in range(n):
        i += 2  #= 200


first(1000)
work(200)
