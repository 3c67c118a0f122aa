from functools import lru_cache
@lru_cache(maxsize=None)
def _levels(a,b,n):
    return tuple(torch.linspace(a,b,n+1)[:-1].tolist())
def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    with torch.no_grad():
        x=None
        for s in _levels(sigma_max,sigma_min,n_steps):
            z=torch.randn(n_samples,2)
            x=z if x is None else (1-s)*x+s*z
            x=model(x,torch.full((n_samples,),s))
    return x
