# on: 3.12 3.13 3.14 3.15
# outcome: completed
# note: took over bytecost's monitoring tool
# plain: no
# Takes every id that is free, then those that are not: what ended before stays right.
import sys

monitoring = sys.monitoring


def work(n):
    for i in range(n):
        i += 1  #= 1000


work(1000)
for tool in range(6):
    try:
        monitoring.use_tool_id(tool, f"mine {tool}")
    except ValueError as error:
        print(tool, error)
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
        monitoring.use_tool_id(tool, "mine")
print("done")
