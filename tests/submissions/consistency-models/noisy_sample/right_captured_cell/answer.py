%%capture
!pip install -q einops
def noisy_sample(x_0, epsilon, t):
    return torch.lerp(x_0, epsilon, t[:, None])
