def ema_update(online, target, decay):
    old, new = target.state_dict(), online.state_dict()
    target.load_state_dict({name: decay * old[name] + (1 - decay) * new[name] for name in old})
