def ema_update(online, target, decay):
    named = dict(online.named_parameters())
    with torch.no_grad():
        for name, p in target.named_parameters():
            p += (1 - decay) * (named[name] - p)
    return len(named)
