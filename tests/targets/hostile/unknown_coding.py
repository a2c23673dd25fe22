# -*- coding: nonsense -*-
# stderr: any
# exit: 1
# outcome: raised SyntaxError
name = 1
