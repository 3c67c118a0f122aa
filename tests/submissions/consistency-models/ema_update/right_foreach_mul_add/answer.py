def ema_update(online, target, decay):
    targets, onlines = [p.data for p in target.parameters()], [p.data for p in online.parameters()]
    torch._foreach_mul_(targets, decay)
    torch._foreach_add_(targets, onlines, alpha=1 - decay)
