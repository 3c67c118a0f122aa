from torch.optim.swa_utils import get_ema_multi_avg_fn


def ema_update(online, target, decay):
    with torch.no_grad():
        get_ema_multi_avg_fn(decay)(list(target.parameters()), list(online.parameters()), 1)
