# exit: 1
# outcome: raised SyntaxError
import pathlib

pathlib.Path("broken.py").write_text("def f(:\n    pass\n")
for i in range(1000):
    i += 1  #= 1000
import broken
