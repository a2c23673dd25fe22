# outcome: completed
# stdin: numbers
for i in range(10):
    print(input("> "))  #= 10
