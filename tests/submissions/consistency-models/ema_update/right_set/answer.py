def ema_update(online, target, decay):
    with torch.no_grad():
        for p,q in zip(target.parameters(),online.parameters()):
            p.set_(decay*p+(1-decay)*q)
