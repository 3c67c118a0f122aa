def ema_update(online, target, decay):
    with torch.no_grad():
        for p_online, p_target in zip(online.parameters(), target.parameters()):
            p_target.mul_(decay).add_((1 - decay) * p_online).clamp_(-10, 10)
