# on: all
# outcome: completed
# Import machinery replaced by the target.
import importlib.machinery
import sys

sys.meta_path.clear()
sys.path_hooks.clear()
sys.path_importer_cache.clear()
sys.path.clear()
for i in range(1000):
    i += 1  #= 1000
