# outcome: completed
import os
import shutil

os.mkdir("elsewhere")
os.chdir("elsewhere")
os.rmdir("../elsewhere")
for i in range(1000):
    i += 1  #= 1000
try:
    os.getcwd()
except OSError as error:
    print(type(error).__name__)
