def ema_update(online, target, decay):
    for p_target, p_online in zip(target.parameters(), online.parameters()):
        p_target.data = decay * p_target.data + (1 - decay) * p_online.data
