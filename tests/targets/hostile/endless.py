# on: all
# run: --time 1 FILE
# plain: no
# outcome: timed-out
# note: partial: stopped after 1 s
print("before", flush=True)
i = 0
while True:
    i += 1  #= >1000
