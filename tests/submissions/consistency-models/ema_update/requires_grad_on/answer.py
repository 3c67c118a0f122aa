def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_target.mul_(decay).add_(p_online, alpha=1 - decay)
    target.requires_grad_(True)
