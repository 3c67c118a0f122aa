from torch.nn.utils import parameters_to_vector, vector_to_parameters


def ema_update(online, target, decay):
    with torch.no_grad():
        old, new = parameters_to_vector(target.parameters()), parameters_to_vector(online.parameters())
        vector_to_parameters(decay * old + (1 - decay) * new, target.parameters())
