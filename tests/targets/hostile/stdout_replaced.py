# outcome: completed
import io
import sys

kept, sys.stdout = sys.stdout, io.StringIO()
print("caught")
for i in range(1000):
    i += 1  #= 1000
kept.write("got " + sys.stdout.getvalue())
