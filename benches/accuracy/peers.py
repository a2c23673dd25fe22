"""Other profilers on the same bodies."""

ITERATIONS = 3000


def installed(folder, python):
    return {}
