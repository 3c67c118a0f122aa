def ema_update(online, target, decay):
    online.requires_grad_(False)
    with torch.no_grad():
        for p,q in zip(target.parameters(),online.parameters()):
            p.lerp_(q,1-decay)
