"""The readings of a reproduction: each place where the paper cannot be taken literally, or says nothing."""

READINGS = {
    "Row 4 of Table I": "Stride 2 is printed between two 32×32 shapes: stride 1.",
    "Softmax": "Over a single score it is the constant 1: sigmoid, in the discriminators' last layer.",
    "ReLU at the output": "Pictures are in [0, 1], and clipped only where they are written. A generator whose ReLU gives 0 "
    "everywhere is dead: its run is stopped, and reported as such.",
    "Residual blocks": "Two 3×3 convolutions, a ReLU between them and one at the exit. No normalisation layer anywhere.",
    "Padding": "TensorFlow's SAME: at stride 2 one row and column more at the bottom and right.",
    "First weights": "Not named; TensorFlow's: Glorot uniform, biases zero.",
    "Equation (2)": "Printed as (D_B(b) − 1)² + D_B(G_A→B(b))². G_A→B turns day into night and b is a night, so G_A→B(a) is "
    "meant, as equation (1) has it the other way round and equation (5) the same way: D_B learns from the fakes of a.",
    "Equation (7), Figure 1": "Drawn of 100 labelled pictures of each class, picked at random, where the paper's 200 were picked by "
    "hand; brightness is divided by the largest of these. Classes that the brightness rule itself made would have a gap by "
    "construction.",
    "Equations (5) and (6)": "Each generator receives λC once, λ = 10. No identity loss and no image pool.",
    "Discriminators' losses": "Without a factor ½.",
    "Order": "Generators first, then discriminators.",
    "Optimiser": "Not named; Adam with β₁ = 0.5. Batch 1. The rate stays what it is.",
    "Precision": "bf16 beside float32 weights where the device has it natively; the paper's was float32 throughout.",
    "An epoch": "One pass over the larger class; the smaller is drawn anew.",
    "The sum of the losses": "Both generators' and both discriminators', averaged over the last epoch. A point of a curve is "
    "the mean of 20 steps.",
    "The full set": "All that there is. Shrunk, experiment 2 takes --scale times 10,000 of each class, or what there is of it.",
    "Crops": "The largest square, anywhere along the longer side, scaled to the size; no mirroring.",
    "--size": "Below 256 the generators work on smaller pictures; the discriminators, whose four strides of 4 need "
    "256, see them enlarged to that (bilinear).",
    "Test pictures": "The test split of a prepared set, else every tenth of each source; about 96 of each class are "
    "measured. Networks are measured as the run left them.",
    "Best of the learning rates": "Nearest to real pictures: sliced Wasserstein distance of colours plus that of 16×16 "
    "patches, to night plus to day. A run that stopped is worse than any that ended.",
    "The sky": "What the top edge reaches without crossing an edge. It is unstylised where its mean brightness "
    "(equation 7) goes less than half of the way from real days' to real nights'. A generator that still paints all dark "
    "turns the sky as well: see the distance, and the pictures.",
    "Some elements": "From 1 % to half of the picture outside the sky is brighter by 0.05 of full scale or more.",
    "Signs of light sources": "Pixels from 0.6 of full scale up, and 0.25 above what is around them, that were not so "
    "before; they appear from a tenth of real nights' share on.",
    "25 %": "It holds where mean plus spread of the drop reaches it, and mean minus spread is above zero.",
}
"""Each place where the paper cannot be taken literally, or says nothing, and what is done there."""
