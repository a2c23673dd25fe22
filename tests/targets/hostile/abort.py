# exit: 1
# outcome: killed SIGABRT
# stderr: any
import os

for i in range(1000):
    i += 1
print("before", flush=True)
os.abort()
