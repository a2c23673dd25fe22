# on: 3.14
# run: --time 1 FILE
# plain: no
# exit: 1
# outcome: timed-out
# note: was not made: stopped after 1 s
# A C call that looks at no signal: killed after a while.
for i in range(1000):
    i += 1
sum(range(10**15))
