# exit: 1
# outcome: raised ExceptionGroup: both (2 sub-exceptions)
for i in range(1000):
    i += 1  #= 1000
raise ExceptionGroup("both", [ValueError(1), TypeError(2)])
