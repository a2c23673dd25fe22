# exit: 1
# outcome: raised RuntimeError: outer
try:
    {}["missing"]
except KeyError as error:
    error.add_note("a note of the inner one")
    for i in range(1000):
        i += 1  #= 1000
    raise RuntimeError("outer") from error
