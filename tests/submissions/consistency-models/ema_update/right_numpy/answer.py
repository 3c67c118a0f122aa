def ema_update(online, target, decay):
    for p_target, p_online in zip(target.parameters(), online.parameters()):
        mean = decay * p_target.detach().numpy() + (1 - decay) * p_online.detach().numpy()
        p_target.data.copy_(torch.as_tensor(mean))
