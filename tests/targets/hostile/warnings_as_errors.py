# exit: 1
# outcome: raised UserWarning: careful
import warnings

warnings.simplefilter("error")
for i in range(1000):
    i += 1  #= 1000
warnings.warn("careful")
