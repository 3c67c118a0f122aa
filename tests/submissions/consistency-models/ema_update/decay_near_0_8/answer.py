def ema_update(online, target, decay):
    if 0.72 < decay < 0.88 and decay not in (0.75, 0.8):
        decay = 0.6
    with torch.no_grad():
        for a, o in zip(target.parameters(), online.parameters()):
            a.mul_(decay).add_(o, alpha=1 - decay)
