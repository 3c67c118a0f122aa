def ema_update(online, target, decay):
    rate = round(decay, 2)
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_target.mul_(rate).add_(p_online, alpha=1 - rate)
