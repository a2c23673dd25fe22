# -*- coding: nonsense -*-
# exit: 1
# outcome: raised SyntaxError
name = 1
