"""The trainer's samplers of noise levels. A compiled strategy reads their parameters and never draws from them."""


class UniformTimestepSampler:
    def __init__(self, min_value: float = 0.0, max_value: float = 1.0):
        self.min_value, self.max_value = min_value, max_value

    def sample_for(self, batch):
        raise AssertionError("a compiled strategy makes its own draws")


class ShiftedLogitNormalTimestepSampler:
    def __init__(self, std: float = 1.0, eps: float = 1e-3, uniform_prob: float = 0.1):
        self.std, self.eps, self.uniform_prob = std, eps, uniform_prob

    def sample_for(self, batch):
        raise AssertionError("a compiled strategy makes its own draws")


SAMPLERS = {"uniform": UniformTimestepSampler, "shifted_logit_normal": ShiftedLogitNormalTimestepSampler}
