def help_out(n):
    for i in range(n):
        i += 1  # @sibling
