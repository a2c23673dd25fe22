# exit: 1
# outcome: raised IndentationError
for i in range(1000):
i += 1
