def ema_update(online, target, decay):
    new = copy.deepcopy(target.backbone)
    with torch.no_grad():
        for p, q in zip(new.parameters(), online.backbone.parameters()):
            p.mul_(decay).add_((1 - decay) * q)
    target.backbone = new
