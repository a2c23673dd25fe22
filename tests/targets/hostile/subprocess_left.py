# outcome: completed
import subprocess

for i in range(1000):
    i += 1  #= 1000
child = subprocess.Popen(["sleep", "60.1234"])
with open("left", "a") as file:
    print(child.pid, file=file)
child.returncode = 0
