# run: --time 1 FILE
# plain: no
# outcome: timed-out
# Whatever comes is caught and passed over.
while True:
    try:
        while True:
            for i in range(1000):
                i += 1  #= >1000
    except BaseException:
        pass
