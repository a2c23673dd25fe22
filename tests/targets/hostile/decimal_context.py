# outcome: completed
import locale
import sys

sys.set_int_max_str_digits(640)
big = 10**5000
for i in range(1000):
    i += 10  #= 1000
