def ema_update(online, target, decay):
    parameters = [p.detach().clone() for p in target.parameters()]
    for p_target, p_online in zip(parameters, online.parameters()):
        p_target.mul_(decay).add_(p_online.detach(), alpha=1 - decay)
