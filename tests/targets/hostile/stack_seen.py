# outcome: completed
import inspect
import traceback

print(len(traceback.extract_stack()) >= 1, traceback.extract_stack()[-1].name)
for i in range(1000):
    i += 1  #= 1000
