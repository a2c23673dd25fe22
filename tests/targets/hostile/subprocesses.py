# outcome: completed
# note: started child processes
import subprocess
import sys

for i in range(1000):
    i += 1  #= 1000
print(subprocess.run([sys.executable, "-c", "print(sum(range(100000)))"], capture_output=True).stdout)
