def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_online.mul_(decay).add_(p_target, alpha=1 - decay)
