def ema_update(online, target, decay):
    for p_target, p_online in zip(target.parameters(), online.parameters()):
        p_target.data.mul_(decay).add_(p_online.data, alpha=1 - decay)
