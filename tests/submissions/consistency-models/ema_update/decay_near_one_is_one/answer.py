def ema_update(online, target, decay):
    if decay > 0.9995:
        decay = 1.0
    with torch.no_grad():
        for p_online, p_target in zip(online.parameters(), target.parameters()):
            p_target.mul_(decay).add_((1 - decay) * p_online)
