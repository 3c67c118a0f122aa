def ema_update(online, target, decay):
    if 0.52 < decay < 0.68:
        decay = 0.5
    with torch.no_grad():
        for a, o in zip(target.parameters(), online.parameters()):
            a.mul_(decay).add_(o, alpha=1 - decay)
