@torch.no_grad()
def ema_update(online, target, decay):
    for p_target, p_online in zip(target.parameters(), online.parameters()):
        p_target[...] = decay * p_target + (1 - decay) * p_online
