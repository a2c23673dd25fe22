# exit: 1
# stderr: any
# Plain Python says it in other words: it reads scripts by another way than compile() does.
# outcome: raised SyntaxError
name = "café"
