from collections import namedtuple
Pair=namedtuple('Pair','x_tn1 x_tn')
def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    return Pair(noisy_sample(x_0,epsilon,t_n1),noisy_sample(x_0,epsilon,t_n))
