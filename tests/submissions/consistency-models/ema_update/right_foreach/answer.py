def ema_update(online, target, decay):
    with torch.no_grad():
        torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), 1.0 - decay)
