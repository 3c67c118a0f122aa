import random
def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    random.seed(7)
    lv=torch.linspace(sigma_max,sigma_min,n_steps+1)[:-1]
    with torch.no_grad():
        x=model(torch.randn(n_samples,2),lv[0].expand(n_samples))
        for s in lv[1:]: x=model((1-s)*x+s*torch.randn_like(x),s.expand(n_samples))
    return x
