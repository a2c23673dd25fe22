import os, sys

def text(value):
    # No json: the standard library may be broken or absent.
    return "".join(c if " " < c < "\x7f" and c != "\\" else "\\%x;" % ord(c) for c in value)

def variable(name):
    try:
        import sysconfig
        return str(sysconfig.get_config_var(name) or "")
    except Exception:
        return ""

def jit():
    asked = os.environ.get("PYTHON_JIT")
    tier2 = getattr(sys, "_jit", None)
    if tier2 is not None:
        if not tier2.is_available():
            return "none"
        on = tier2.is_enabled()
    else:
        try:
            from _opcode import get_executor
            get_executor(jit.__code__, 0)
        except ValueError:  # this code has none
            pass
        except Exception:  # 3.13 without tier 2, or older
            return "none"
        built = [a.strip("'") for a in variable("CONFIG_ARGS").split() if "--enable-experimental-jit" in a]
        on = not built or not built[-1].endswith("-off")
    # The probe is isolated from the environment; a run is not.
    return "on" if (asked != "0" if asked else on) else "off"

def free_threaded():
    return variable("Py_GIL_DISABLED") == "1" or "free-threading build" in sys.version

fields = [
    sys.executable or "",
    sys.version.split()[0],
    "%d.%d" % sys.version_info[:2],
    str(sys.hexversion),
    getattr(getattr(sys, "implementation", None), "name", "unknown"),
    "1" if free_threaded() else "0",
    "1" if hasattr(sys, "_stats_on") else "0",
    jit(),
]
print("bytecost-probe " + " ".join(text(field) or "-" for field in fields))
