"""What a watcher says when it sees less than it was asked for."""

UNSEEN = (
    "two optimizer steps went by, and no training pass of the watched model was seen: call "
    "model(...) itself, not model.forward(...) or another method; where it is torch.compile that "
    "hides it, give watch what torch.compile returned"
)
EVALUATION = (
    "two optimizer steps went by, and the watched model ran in evaluation mode or without "
    "gradients only: call model.train() before the pass that is to be watched"
)
NO_STEPS = (
    "passes went by, and no step of a torch.optim optimizer that holds the model's parameters: "
    "call watcher.step() after each update of the weights"
)
STEP_COMPILED = (
    "the optimizer's step is compiled, and cannot be counted: call watcher.step() after it"
)
SCRIPTED = (
    "parts of the model are scripted by torch.jit and cannot be seen into: train it unscripted to "
    "watch them"
)
NO_ACTIVATIONS = "no activation was found in the model: only weights are watched"
UNMEASURED = (
    "none of the model's activations could be measured: they are not real numbers, or it takes "
    "another way through its code in every pass; only weights are watched"
)
SCALED = (
    "the pass is in float16, and nothing is known of how the loss is scaled: activations' gradient "
    "norms are those of the scaled loss; give watch the GradScaler, scaler=..., or the accelerator"
)
SHARDED = "sharded parameters (DTensor) are left out: only activations are watched there"
FAILED = "measuring failed, and the model is no longer watched; training goes on: "
