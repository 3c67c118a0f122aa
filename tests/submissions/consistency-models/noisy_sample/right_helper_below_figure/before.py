figure, axis = plt.subplots()
show_cloud(axis, sample_two_moons(200), "data", INK)


def column(t):
    return t[:, None]
