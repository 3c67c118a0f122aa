def ema_update(online, target, decay):
    target.load_state_dict(online.state_dict())
