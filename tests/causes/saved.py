def wrap(x):
    return x % 360


def mean(total, count):
    return total / count


def turn(angles):
    total = 0.0
    for angle in angles:
        total += wrap(angle)
    return mean(total, len(angles))
