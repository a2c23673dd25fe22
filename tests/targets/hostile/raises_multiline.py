# exit: 1
# outcome: raised Exception
for i in range(1000):
    i += 1  #= 1000
raise Exception("\nfirst\nsecond")
