# on: all
# outcome: completed
def make():
    class Local:
        total = 0
        for i in range(100):
            total += i  #= 1000

        def method(self):
            return [i for i in range(100)]  #= 10

    return Local


for _ in range(10):
    make()().method()  #= 10
