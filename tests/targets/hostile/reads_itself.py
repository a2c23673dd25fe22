# outcome: completed
import linecache

with open(__file__) as file:
    print(len(file.read()))
print(linecache.getline(__file__, 1))
for i in range(1000):
    i += 1  #= 1000
