# exit: 1
# outcome: raised SyntaxError
name = "café"
