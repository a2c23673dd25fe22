# exit: 1
# outcome: raised Odd
class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


for i in range(1000):
    i += 1  #= 1000
raise Odd
