def run(n):
    for i in range(n):
        i += 1  # @tool


if __name__ == "__main__":
    run(60)  # @toolmain
