def ema_update(online, target, decay):
    with torch.no_grad():
        for b_target, b_online in zip(target.buffers(), online.buffers()):
            b_target.mul_(decay).add_(b_online, alpha=1 - decay)
