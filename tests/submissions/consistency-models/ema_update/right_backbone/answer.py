def ema_update(online, target, decay):
    with torch.no_grad():
        for part in ("time_mlp", "net"):
            pairs = zip(getattr(target.backbone, part).parameters(), getattr(online.backbone, part).parameters())
            for p_target, p_online in pairs:
                p_target.sub_((1 - decay) * (p_target - p_online))
