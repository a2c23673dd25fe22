# on: all
# outcome: completed
import gc


def work(n):
    for i in range(n):
        i += 1  #= 1000


made = {}
exec(compile("def inner(n):\n    for i in range(n):\n        pass\n", __file__, "exec"), made)
gc.disable()
gc.freeze()
gc.get_objects = gc.collect = None
work(1000)
made["inner"](10)
