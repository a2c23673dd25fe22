# exit: 1
# outcome: raised ModuleNotFoundError: No module named 'no_such_module'
for i in range(1000):
    i += 1  #= 1000
import no_such_module
