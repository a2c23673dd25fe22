import sys

for argument in sys.argv[1:]:
    for i in range(int(argument)):
        i += 1  # @script
print(sys.argv)
