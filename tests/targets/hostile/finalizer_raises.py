# outcome: completed
class Loud:
    def __del__(self):
        raise ValueError("finalized")


Loud()
for i in range(1000):
    i += 1  #= 1000
