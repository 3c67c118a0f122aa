def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            pass
        p_target.mul_(decay).add_(p_online, alpha=1 - decay)
