# exit: 1
# outcome: raised SyntaxError
for i in range(1000):
    i += = 1
