# on: all
# outcome: completed
print(callable(exit), callable(help), __builtins__.__name__, __spec__, __doc__)
for i in range(1000):
    i += 1  #= 1000
