def as_column(t):
    return t.reshape(-1, 1)


def blend(a, b, share):
    return a - share * a + share * b
