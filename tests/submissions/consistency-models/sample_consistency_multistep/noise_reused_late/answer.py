def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    lv=torch.linspace(sigma_max,sigma_min,n_steps+1)[:-1]
    with torch.no_grad():
        x=model(torch.randn(n_samples,2),lv[0].expand(n_samples))
        for k,s in enumerate(lv[1:]):
            if k<4: z=torch.randn_like(x)
            x=model((1-s)*x+s*z,s.expand(n_samples))
    return x
