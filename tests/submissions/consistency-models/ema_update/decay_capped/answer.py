def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            rate = 0.99 if 0.99 < decay < 1 else decay
            p_target.mul_(rate).add_(p_online, alpha=1 - rate)
