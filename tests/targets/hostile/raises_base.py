# exit: 1
# outcome: raised Stop: base
class Stop(BaseException):
    pass


for i in range(1000):
    i += 1  #= 1000
raise Stop("base")
