def as_column(v):
    return v.reshape(-1,1)

def mix_points(a,b,w):
    return a+w*(b-a)
