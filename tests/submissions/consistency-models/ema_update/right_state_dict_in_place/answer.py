def ema_update(online, target, decay):
    new = online.state_dict()
    for name, value in target.state_dict().items():
        value.copy_(value * decay + new[name] * (1 - decay))
    return target
