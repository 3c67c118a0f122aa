def noisy_sample(x_0, epsilon, t):
    a, b, c = x_0.detach().numpy(), epsilon.detach().numpy(), t.numpy()[:, np.newaxis]
    return torch.from_numpy(((1 - c) * a + c * b).astype(np.float32))
