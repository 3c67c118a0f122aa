def ema_update(online, target, decay):
    state = dict(target.state_dict())
    for name, value in online.state_dict().items():
        state[name] = decay * state[name] + (1 - decay) * value
