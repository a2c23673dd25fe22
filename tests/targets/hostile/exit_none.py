# outcome: exited 0
for i in range(1000):
    i += 1  #= 1000
raise SystemExit
