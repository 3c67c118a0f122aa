def ema_update(online, target, decay):
    for child_online, child_target in zip(online.children(), target.children()):
        ema_update(child_online, child_target, decay)
    for p, q in zip(online.parameters(recurse=False), target.parameters(recurse=False)):
        q.data.copy_(torch.lerp(q.data, p.data, 1 - decay))
