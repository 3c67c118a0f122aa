def euler(field, x, start, end):
    return x + (end - start)[:, None] * field(x, start)
