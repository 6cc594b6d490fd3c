"""What sort each operation is of, by the name of its function or its module's class.

weight       multiplies by a parameter: linear, convolutions, attention, recurrent layers
table        reads rows of a parameter: embeddings
product      multiplies matrices, of which one may be a parameter
norm         brings the second moment to one
elementwise  a function of each element alone
arithmetic   elementwise too, of one or two tensors
attention    a softmax over scores, or attention in one step
shape        moves elements, changes none
pool         takes means or maxima over positions
drop         dropout and drop path
gate         one half of the elements times a function of the other
join         concatenates
pad          puts constants around
"""

_GROUPS: dict[str, str] = {
    "weight": """linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
        bilinear multi_head_attention_forward lstm gru rnn_tanh rnn_relu lstm_cell gru_cell
        rnn_tanh_cell rnn_relu_cell experts""",
    "product": "addmm baddbmm matmul bmm mm einsum __matmul__ __rmatmul__ dot mv",
    "table": "embedding embedding_bag",
    "norm": """layer_norm batch_norm group_norm rms_norm instance_norm normalize
        local_response_norm norm_module""",
    "elementwise": """relu relu_ relu6 leaky_relu leaky_relu_ elu elu_ selu selu_ celu gelu silu
        silu_ mish hardswish hardsigmoid hardtanh hardtanh_ softplus softsign tanhshrink hardshrink
        softshrink threshold logsigmoid prelu rrelu sigmoid sigmoid_ tanh tanh_ sin sin_ cos sinc
        erf exp exp_ log log1p expm1 abs __abs__ sqrt rsqrt square reciprocal neg __neg__ clamp
        clamp_ clamp_min clamp_max clip atan arctan sinh cosh tan asinh sign floor round
        activation_module nan_to_num""",
    "arithmetic": """gt lt ge le __gt__ __lt__ __ge__ __le__ greater less
        add add_ __add__ __radd__ __iadd__ iadd sub sub_ __sub__ __rsub__ __isub__ isub
        mul mul_ multiply __mul__ __rmul__ __imul__ imul div div_ truediv true_divide __truediv__
        __rtruediv__ __rdiv__ __div__ __itruediv__ itruediv pow __pow__ __rpow__ addcmul where
        maximum minimum lerp hypot""",
    "attention": "softmax log_softmax scaled_dot_product_attention",
    "shape": """reshape view view_as permute transpose transpose_ t T mT flatten unflatten
        contiguous __getitem__ getitem part chunk split tensor_split unbind squeeze
        squeeze_ unsqueeze unsqueeze_ expand expand_as repeat repeat_interleave narrow
        select index_select gather movedim roll swapaxes pixel_shuffle pixel_unshuffle
        channel_shuffle clone detach to float half bfloat16 double type type_as
        _unsafe_view flip view_as_real unfold moveaxis __get__ swapdims identity cpu
        cuda rot90 masked_fill masked_fill_ tril triu requires_grad_ data""",
    "pool": """max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
        adaptive_max_pool2d adaptive_max_pool3d lp_pool2d mean sum amax max min interpolate
        upsample fold boolean_dispatch fractional_max_pool2d""",
    "drop": """dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout drop_path
        drop_module""",
    "gate": "glu",
    "join": "cat concat concatenate stack hstack vstack",
    "pad": "pad constant_pad_nd",
}
_CATEGORY = {name: group for group, names in _GROUPS.items() for name in names.split()}

_SUMS = "add add_ __add__ __radd__ __iadd__ iadd sub sub_ __sub__ __rsub__ __isub__ isub"
_PRODUCTS = "mul mul_ multiply __mul__ __rmul__ __imul__ imul"
_CASTS = "to float half bfloat16 double type type_as clone contiguous detach identity data"
ADDITIONS, PRODUCTS = frozenset(_SUMS.split()), frozenset(_PRODUCTS.split())
#: Casts and copies: they change no value that a formula could see.
CASTS = frozenset(_CASTS.split())
_STATEFUL = "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell"
#: Layers with a state, which go through their input step by step.
STATEFUL = frozenset(_STATEFUL.split())
#: Categories through which a signal goes on as what it was.
TRANSPARENT = frozenset({"shape", "drop", "pad"})


def category(op: str) -> str:
    """Return the sort of an operation, or "other".

    Example:
        >>> category("gelu"), category("conv2d"), category("my_kernel")
        ('elementwise', 'weight', 'other')
    """
    return _CATEGORY.get(op, "other")
