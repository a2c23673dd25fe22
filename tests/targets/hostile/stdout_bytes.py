# outcome: completed
import os
import sys

sys.stdout.buffer.write(bytes(range(256)))
sys.stdout.flush()
os.write(1, b"\xff\x00\r\n")
os.write(2, b"\xfe\x00\r\n\x1b[31m")
print("no newline at the end", end="")
for i in range(1000):
    i += 1  #= 1000
