def ema_update(online, target, decay):
    pass
