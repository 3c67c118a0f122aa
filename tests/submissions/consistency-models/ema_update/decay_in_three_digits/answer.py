def ema_update(online, target, decay):
    decay = round(decay, 3)
    with torch.no_grad():
        for a, o in zip(target.parameters(), online.parameters()):
            a.mul_(decay).add_(o, alpha=1 - decay)
