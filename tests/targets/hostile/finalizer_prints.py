# on: all
# outcome: completed
class Loud:
    def __del__(self):
        print("finalized")


kept = Loud()
for i in range(1000):
    i += 1  #= 1000
