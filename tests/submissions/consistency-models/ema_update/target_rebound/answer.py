def ema_update(online, target, decay):
    target = copy.deepcopy(online)
