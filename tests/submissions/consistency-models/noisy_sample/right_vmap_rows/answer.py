from torch.func import vmap
def noisy_sample(x_0, epsilon, t):
    f=lambda a,b,s: torch.lerp(a,b,s)
    return vmap(f,in_dims=(0,0,0),out_dims=0)(x_0,epsilon,t)
