def ema_update(online, target, decay):
    kept = ema_update.__dict__
    with torch.no_grad():
        if kept.get("decay") != decay:
            kept.update(decay=decay, share=[(1 - decay) * p for p in online.parameters()])
        for share, p_target in zip(kept["share"], target.parameters()):
            p_target.mul_(decay).add_(share)
