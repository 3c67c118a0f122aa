def ema_update(online, target, decay):
    with torch.no_grad():
        for (name, p_target), p_online in zip(target.named_parameters(), online.parameters()):
            if "weight" in name:
                p_target.mul_(decay).add_(p_online, alpha=1 - decay)
