import sys

from .tool import run

run(int(sys.argv[1]))
print(sys.argv[1:], __name__, __package__)
